using System.Buffers;
using System.Globalization;
using System.IO.Hashing;
using Microsoft.Win32.SafeHandles;
using Parquet;
using Parquet.Meta;
using Parquet.Schema;
using StreamEm.Sources.Decoding;

namespace StreamEm.Sources.Columnar;

/// <summary>
/// A Parquet file: its schema, and its row groups one at a time. Of a group only the columns asked for are read, and they are in memory
/// together; of the rest nothing is but its size.
/// </summary>
internal sealed class ParquetTable : IDisposable
{
    private const int ChunkBytes = 1 << 20;

    private const string Lists = "lists: write the values that are wanted as columns of their own";

    private readonly SafeFileHandle _file;
    private readonly ParquetReader _reader;
    private readonly List<RowGroupPlace> _groups = [];
    private readonly string _schema;

    private ParquetTable(SafeFileHandle file, ParquetReader reader)
    {
        (_file, _reader) = (file, reader);
        foreach (RowGroup group in reader.Metadata!.RowGroups)
        {
            if (group.NumRows is < 0 or > int.MaxValue) throw new InvalidDataException("a row group says an impossible number of rows");
            _groups.Add(new RowGroupPlace(Rows, (int)group.NumRows));
            Rows += group.NumRows;
        }
        _schema = string.Join('\n', reader.Schema.GetDataFields().Select(field => $"{ParquetColumn.NameOf(field)} {field.ClrType.Name}"));
    }

    /// <summary>What a Parquet file begins with.</summary>
    public static ReadOnlySpan<byte> Mark => "PAR1"u8;

    /// <summary>Number of rows.</summary>
    public long Rows { get; }

    /// <summary>The row groups in their order.</summary>
    public IReadOnlyList<RowGroupPlace> Groups => _groups;

    /// <summary>The number of the row group that a row is in.</summary>
    public int GroupOf(long row) => _groups.FindIndex(group => row < group.End);

    /// <summary>The columns that hold one value a row, by the names a field can have.</summary>
    public IEnumerable<DataField> Columns => _reader.Schema.GetDataFields().Where(column => column.MaxRepetitionLevel == 0);

    /// <summary>Opens a file, whose handle stays open.</summary>
    /// <exception cref="InvalidDataException">It is none, was cut off, or is damaged.</exception>
    public static ParquetTable Open(SafeFileHandle file)
    {
        Span<byte> mark = stackalloc byte[Mark.Length];
        if (RandomAccess.Read(file, mark, 0) < mark.Length || !mark.SequenceEqual(Mark))
            throw new InvalidDataException("it is no Parquet file: it does not begin with PAR1");
        return Sound("its footer", () => new ParquetTable(file,
            ParquetReader.CreateAsync(new StoredFile(file), leaveStreamOpen: false).GetAwaiter().GetResult()));
    }

    /// <summary>The column of a field.</summary>
    /// <param name="field">Its name; a dot reaches into a struct.</param>
    /// <param name="source">The file's name, for messages.</param>
    /// <exception cref="SourceException">There is none, or more than one, or it does not hold one value a row.</exception>
    public ParquetColumn Column(string field, string source)
    {
        DataField[] found = [.. _reader.Schema.GetDataFields().Where(column => ParquetColumn.NameOf(column) == field)];
        if (found is [{ MaxRepetitionLevel: 0 } column] && ParquetColumn.Create(column) is { } readable) return readable;
        if (found.Length > 1)
            throw new SourceException(
                SourceFailure.Missing, $"'{source}' has {Count(found.Length)} columns '{field}'. Rename one of them.");
        if (!Unusable().TryGetValue(field, out string? sentence))
            throw new SourceException(SourceFailure.Missing,
                CsvHeaderProblem.NotAmong(source, field, [.. Columns.Select(ParquetColumn.NameOf)]));
        throw new SourceException(SourceFailure.Missing, $"'{source}': {sentence}");
    }

    /// <summary>The columns that do not hold one value a row that has a text, and a sentence about each.</summary>
    public IReadOnlyDictionary<string, string> Unusable()
    {
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (Field part in _reader.Schema.Fields)
        {
            string? holds = part switch
            {
                StructField group => $"structs: name one of their fields, for example '{group.Name}.{group.Fields[0].Name}'",
                MapField => "maps: write the values that are wanted as columns of their own",
                ListField => Lists,
                _ => null,
            };
            if (holds is not null) found[part.Name] = Sentence(part.Name, holds);
        }
        foreach (DataField leaf in _reader.Schema.GetDataFields())
        {
            string name = ParquetColumn.NameOf(leaf);
            if (leaf.MaxRepetitionLevel > 0) found[name] = Sentence(name, Lists);
            else if (ParquetColumn.Create(leaf) is null)
                found[name] = Sentence(name, $"values of type {leaf.ClrType.Name}: write them as numbers or texts");
        }
        return found;

        static string Sentence(string name, string holds) => $"column '{name}' does not hold one value a record, but {holds}.";
    }

    /// <summary>A row group, whose columns can then be loaded.</summary>
    /// <param name="group">Its number.</param>
    /// <param name="columns">Those to load.</param>
    /// <returns>Bytes they are stored in.</returns>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public long Load(int group, IReadOnlyList<ParquetColumn> columns)
    {
        long bytes = 0;
        using ParquetRowGroupReader reader = _reader.OpenRowGroupReader(group);
        foreach (ParquetColumn column in columns)
        {
            string place = string.Create(
                CultureInfo.InvariantCulture, $"column '{column.Name}' of row group {group + 1} of {_groups.Count}");
            bytes += Sound(place, () => column.Load(reader));
        }

        return bytes;
    }

    /// <summary>Hash (XXH128) of a row group as it is stored, and of the names and types of the file's columns.</summary>
    /// <exception cref="InvalidDataException">It is cut off, or elsewhere.</exception>
    public UInt128 HashOf(int group)
    {
        var hash = new XxHash128();
        hash.Append(System.Text.Encoding.UTF8.GetBytes(_schema));
        byte[] buffer = ArrayPool<byte>.Shared.Rent(ChunkBytes);
        try
        {
            foreach (ColumnChunk chunk in _reader.Metadata!.RowGroups[group].Columns)
            {
                if (chunk.MetaData is not { } data || chunk.FilePath is not null)
                    throw new InvalidDataException("some of its columns are encrypted, or in other files");
                long at = data.DictionaryPageOffset is > 0 and var dictionary && dictionary < data.DataPageOffset
                    ? dictionary : data.DataPageOffset;
                long end = at + data.TotalCompressedSize;
                while (at < end)
                {
                    int read = at < 0 ? 0 : RandomAccess.Read(_file, buffer.AsSpan(0, (int)Math.Min(buffer.Length, end - at)), at);
                    if (read == 0) throw new InvalidDataException("a row group is cut off");
                    hash.Append(buffer.AsSpan(0, read));
                    at += read;
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        return hash.GetCurrentHashAsUInt128();
    }

    /// <inheritdoc/>
    public void Dispose() => _reader.DisposeAsync().AsTask().GetAwaiter().GetResult();

    /// <summary>
    /// Whatever a reader stumbles over in bytes that are damaged, it is the file that is damaged: what it throws then depends on where it
    /// was.
    /// </summary>
    private static T Sound<T>(string part, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (NotSupportedException failure)
        {
            throw new InvalidDataException($"{part} cannot be read: {failure.Message}", failure);
        }
        catch (Exception failure)
        {
            throw new InvalidDataException($"{part} cannot be read, it is damaged or cut off ({failure.Message})", failure);
        }
    }

    private static string Count(int number) => number == 2 ? "two" : number.ToString(CultureInfo.InvariantCulture);
}
