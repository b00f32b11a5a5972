using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Text;
using Parquet;
using Parquet.Data;
using Parquet.Schema;

namespace StreamEm.Sources.Columnar;

/// <summary>
/// One column of a Parquet file, a stretch of rows of one row group at a time: as numbers where its type is one, and as the text that a CSV
/// file of the same values would have. A null, in the column or in a struct round it, is no value.
/// </summary>
internal abstract class ParquetColumn : IDisposable
{
    /// <summary>The index of a row that has no value.</summary>
    private protected const int Null = -1;

    private readonly DataField _field;
    private int[] _indices = [];
    private int _row, _value;

    private protected ParquetColumn(DataField field) => _field = field;

    /// <summary>Its name, with dots from the structs it is in.</summary>
    public string Name => NameOf(_field);

    /// <summary>Whether its values are integers or floating-point numbers.</summary>
    public virtual bool IsNumber => false;

    /// <summary>The name of a column, with dots from the structs it is in.</summary>
    public static string NameOf(DataField field) => string.Join('.', field.Path.ToList());

    /// <summary>The column of a field that holds one value a row; null for a type that has no text.</summary>
    public static ParquetColumn? Create(DataField field)
    {
        Type type = field.ClrType;
        if (type == typeof(double)) return new NumberColumn<double>(field);
        if (type == typeof(float)) return new NumberColumn<float>(field);
        if (type == typeof(Half)) return new NumberColumn<Half>(field);
        if (type == typeof(int)) return new NumberColumn<int>(field);
        if (type == typeof(long)) return new NumberColumn<long>(field);
        if (type == typeof(short)) return new NumberColumn<short>(field);
        if (type == typeof(sbyte)) return new NumberColumn<sbyte>(field);
        if (type == typeof(uint)) return new NumberColumn<uint>(field);
        if (type == typeof(ulong)) return new NumberColumn<ulong>(field);
        if (type == typeof(ushort)) return new NumberColumn<ushort>(field);
        if (type == typeof(byte)) return new NumberColumn<byte>(field);
        if (type == typeof(decimal)) return new TextColumn<decimal>(field, (decimal value, ref byte[] into) => Format(value, ref into));
        if (type == typeof(Guid)) return new TextColumn<Guid>(field, (Guid value, ref byte[] into) => Format(value, ref into));
        if (type == typeof(bool)) return new TextColumn<bool>(field, Word);
        if (type == typeof(DateTime)) return new TextColumn<DateTime>(field, IsDate(field) ? Date : Time);
        if (type == typeof(ReadOnlyMemory<char>) || type == typeof(string)) return new TextColumn<ReadOnlyMemory<char>>(field, Characters);
        if (type == typeof(ReadOnlyMemory<byte>) || type == typeof(byte[])) return new TextColumn<ReadOnlyMemory<byte>>(field, Bytes);
        return null;
    }

    /// <summary>Reads the column of a row group.</summary>
    /// <returns>Bytes it is stored in.</returns>
    /// <exception cref="InvalidDataException">It has fewer values than the group has rows.</exception>
    public long Load(ParquetRowGroupReader group)
    {
        _row = _value = 0;
        // Nothing here waits: the stream that the reader has answers at once.
        using RawColumnData? before = Exchange(group.ReadRawColumnDataBaseAsync(_field).AsTask().GetAwaiter().GetResult());
        ReadOnlySpan<int> levels = Levels;
        int present = _field.MaxDefinitionLevel == 0 ? (int)group.RowCount : levels.Count(_field.MaxDefinitionLevel);
        if ((_field.MaxDefinitionLevel > 0 && levels.Length < group.RowCount) || present > Count)
            throw new InvalidDataException("it has fewer values than the row group has rows");
        return group.GetMetadata(_field)?.MetaData?.TotalCompressedSize ?? 0;
    }

    /// <summary>Goes to a stretch of rows of the group; the methods below are about its rows.</summary>
    public void Take(int first, int count)
    {
        ReadOnlySpan<int> levels = Levels;
        int most = _field.MaxDefinitionLevel;
        if (first < _row) _row = _value = 0;
        if (most > 0) _value += levels[_row..first].Count(most);
        else _value = first;
        if (_indices.Length < count) _indices = new int[count];
        for (int i = 0; i < count; i++) _indices[i] = most == 0 || levels[first + i] == most ? _value++ : Null;
        _row = first + count;
    }

    /// <summary>The rows as numbers, NaN where there is none.</summary>
    public virtual void Numbers(Span<double> into) => throw new NotSupportedException($"Column '{Name}' holds no numbers.");

    /// <summary>A row as a text, valid until the next; empty where there is none.</summary>
    public abstract ReadOnlySpan<byte> Text(int row);

    /// <inheritdoc/>
    public abstract void Dispose();

    /// <summary>Where the values of the rows are among all values of the group; <see cref="Null"/> where there is none.</summary>
    private protected ReadOnlySpan<int> Indices => _indices;

    /// <summary>How many values there are.</summary>
    private protected abstract int Count { get; }

    /// <summary>What is loaded.</summary>
    private protected abstract RawColumnData? Loaded { get; }

    /// <summary>Takes other data; gives back what was there.</summary>
    private protected abstract RawColumnData? Exchange(RawColumnData data);

    /// <summary>Writes a value as it is written in CSV.</summary>
    private protected static int Format<T>(T value, ref byte[] into, string? format = null)
        where T : IUtf8SpanFormattable
    {
        int written;
        while (!value.TryFormat(into, out written, format, CultureInfo.InvariantCulture)) Array.Resize(ref into, 2 * into.Length);
        return written;
    }

    private ReadOnlySpan<int> Levels => _field.MaxDefinitionLevel == 0 ? [] : Loaded!.DefinitionLevels;

    private static bool IsDate(DataField field) => field is DateTimeDataField { DateTimeFormat: DateTimeFormat.Date };

    private static int Date(DateTime value, ref byte[] into) => Format(value, ref into, "yyyy-MM-dd");

    /// <summary>In UTC, which a time without a zone is taken for.</summary>
    private static int Time(DateTime value, ref byte[] into) => Format(value, ref into, "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'");

    private static int Word(bool value, ref byte[] into)
    {
        ReadOnlySpan<byte> word = value ? "true"u8 : "false"u8;
        word.CopyTo(into);
        return word.Length;
    }

    private static int Characters(ReadOnlyMemory<char> value, ref byte[] into)
    {
        int most = Encoding.UTF8.GetMaxByteCount(value.Length);
        if (into.Length < most) into = new byte[most];
        return Encoding.UTF8.GetBytes(value.Span, into);
    }

    private static int Bytes(ReadOnlyMemory<byte> value, ref byte[] into)
    {
        if (into.Length < value.Length) into = new byte[value.Length];
        value.Span.CopyTo(into);
        return value.Length;
    }

    private delegate int Writer<in T>(T value, ref byte[] into);

    /// <summary>A column whose values are <typeparamref name="T"/> as they are read.</summary>
    private abstract class Column<T>(DataField field) : ParquetColumn(field)
        where T : struct
    {
        private RawColumnData<T>? _data;
        private byte[] _text = new byte[64];

        private protected Span<T> Values => _data!.Values;

        private protected override int Count => _data!.Values.Length;

        private protected override RawColumnData? Loaded => _data;

        public override ReadOnlySpan<byte> Text(int row) =>
            Indices[row] is var index && index == Null ? default : _text.AsSpan(0, Write(Values[index], ref _text));

        public override void Dispose() => _data?.Dispose();

        private protected abstract int Write(T value, ref byte[] into);

        private protected override RawColumnData? Exchange(RawColumnData data)
        {
            RawColumnData? before = _data;
            _data = (RawColumnData<T>)data;
            return before;
        }
    }

    private sealed class TextColumn<T>(DataField field, Writer<T> writer) : Column<T>(field)
        where T : struct
    {
        private protected override int Write(T value, ref byte[] into) => writer(value, ref into);
    }

    private sealed class NumberColumn<T>(DataField field) : Column<T>(field)
        where T : struct, INumber<T>
    {
        public override bool IsNumber => true;

        public override void Numbers(Span<double> into)
        {
            ReadOnlySpan<int> indices = Indices;
            ReadOnlySpan<T> values = Values;
            for (int i = 0; i < into.Length; i++) into[i] = indices[i] < 0 ? double.NaN : double.CreateTruncating(values[indices[i]]);
        }

        /// <summary>A number of single precision is the number it is, not the shortest that rounds to it.</summary>
        [SuppressMessage("Style", "IDE0046", Justification = "Two cases.")]
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private protected override int Write(T value, ref byte[] into)
        {
            if (typeof(T) == typeof(float) || typeof(T) == typeof(Half)) return Format(double.CreateTruncating(value), ref into);
            return Format(value, ref into);
        }
    }
}
