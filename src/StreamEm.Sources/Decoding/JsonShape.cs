using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text.Json;

namespace StreamEm.Sources.Decoding;

/// <summary>
/// The bytes that the records of a stream have in common: everything but their numbers and texts. A record that has the same bytes round
/// other numbers and texts needs no JSON reader: it is as valid as the one the shape was learned from, and its fields are in the same
/// places.
/// </summary>
/// <param name="isNumber">Which slots are features that hold numbers.</param>
internal sealed unsafe class JsonShape(Func<int, bool> isNumber)
{
    /// <summary>Records longer than this are not worth it.</summary>
    private const int MaxBytes = 16 * 1024;

    /// <summary>Bytes looked at at once.</summary>
    private const int Width = FixedPoint.Width;

    private const int MostPatience = 1024;

    /// <summary>
    /// What ends a text or makes it one for the reader: a quote, a backslash, a control character, a byte that is not ASCII.
    /// </summary>
    private static readonly SearchValues<byte> TextEnds =
        SearchValues.Create([.. Enumerable.Range(0, 256).Where(b => b is < 0x20 or > 0x7E or '"' or '\\').Select(b => (byte)b)]);

    private readonly byte[] _literals = new byte[MaxBytes + Width];
    private readonly JsonPaths?[] _open = new JsonPaths?[NdjsonDecoder.MaxDepth + 2];
    private readonly List<Hole> _holes = [];
    private int[] _starts = [], _ends = [];
    private int _length, _misses, _patience = 1;

    /// <summary>Whether there is a shape to try.</summary>
    public bool IsKnown { get; private set; }

    /// <summary>Reads a record of this shape.</summary>
    /// <param name="data">The record, and what lies round it: numbers are found 16 bytes at once, and read from the 16 before their
    /// ends.</param>
    /// <param name="start">Where the record starts in them.</param>
    /// <param name="end">Where it ends.</param>
    /// <param name="fields">Takes fields that are no plain numbers.</param>
    /// <param name="row">Takes D values.</param>
    /// <returns>False when it is of another shape or a field cannot be used: then the reader has to look at it.</returns>
    public bool TryRead(ReadOnlySpan<byte> data, int start, int end, RecordFields fields, Span<double> row)
    {
        if (!TryFind(data, start, end)) return false;
        ReadOnlySpan<Hole> holes = CollectionsMarshal.AsSpan(_holes);
        for (int i = 0; i < holes.Length;)
        {
            if (holes[i].IsFirstOfFour && TrySetFour(data, i, row))
            {
                i += FourNumbers.Count;
                continue;
            }
            if (!Set(data, _starts[i], _ends[i], holes[i].Slots, fields, row)) return false;
            i++;
        }
        if (!fields.Accepts(row)) return false;
        _patience = 1;
        _misses = 0;
        return true;
    }

    /// <summary>Takes note of a good record of another shape, and learns from it when that has happened often enough.</summary>
    public void Missed(ReadOnlySpan<byte> record, JsonPaths paths)
    {
        if (++_misses < _patience) return;
        _misses = 0;
        _patience = Math.Min(MostPatience, 2 * _patience);
        IsKnown = record.Length <= MaxBytes && TryLearn(record, paths);
    }

    private bool TryLearn(ReadOnlySpan<byte> record, JsonPaths paths)
    {
        _holes.Clear();
        _length = 0;
        int copied = 0;
        JsonPaths? value = paths;
        var reader = new Utf8JsonReader(record, new JsonReaderOptions { MaxDepth = NdjsonDecoder.MaxDepth });
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.PropertyName:
                    value = _open[reader.CurrentDepth]?.Find(ref reader);
                    continue;
                case JsonTokenType.StartObject or JsonTokenType.StartArray when value?.Slots.Length > 0:
                    // What a field holds that is no single value is for the reader.
                    return false;
                case JsonTokenType.StartObject:
                    _open[reader.CurrentDepth + 1] = value;
                    break;
                case JsonTokenType.StartArray:
                    _open[reader.CurrentDepth + 1] = null;
                    break;
                case JsonTokenType.Number or JsonTokenType.String:
                    bool isText = reader.TokenType == JsonTokenType.String;
                    int start = (int)reader.TokenStartIndex + (isText ? 1 : 0);
                    record[copied..start].CopyTo(_literals.AsSpan(_length));
                    _length += start - copied;
                    copied = start + reader.ValueSpan.Length;
                    int feature = !isText && value?.Slots is [int slot] && isNumber(slot) ? slot : -1;
                    _holes.Add(new Hole(_length, isText, value?.Slots, feature));
                    break;
                case JsonTokenType.True or JsonTokenType.False when value?.Slots.Length > 0:
                    return false;
            }
            value = null;
        }
        record[copied..].CopyTo(_literals.AsSpan(_length));
        _length += record.Length - copied;
        if (_ends.Length < _holes.Count) (_starts, _ends) = (new int[_holes.Count], new int[_holes.Count]);
        MarkFours();
        return true;
    }

    /// <summary>Finds the numbers that are read four at once.</summary>
    private void MarkFours()
    {
        if (!FourNumbers.IsSupported) return;
        for (int i = 0, numbers = 0; i < _holes.Count; i++)
        {
            numbers = _holes[i].Feature >= 0 ? numbers + 1 : 0;
            if (numbers < FourNumbers.Count) continue;
            int first = i + 1 - FourNumbers.Count;
            _holes[first] = _holes[first] with { IsFirstOfFour = true };
            numbers = 0;
        }
    }

    /// <summary>Compares the literals and finds where the numbers and texts between them are.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryFind(ReadOnlySpan<byte> data, int start, int end)
    {
        fixed (byte* bytes = data, literals = _literals)
        fixed (int* starts = _starts, ends = _ends)
        {
            int at = start, literal = 0, readable = data.Length;
            ReadOnlySpan<Hole> holes = CollectionsMarshal.AsSpan(_holes);
            for (int i = 0; i < holes.Length; i++)
            {
                ref readonly Hole hole = ref holes[i];
                int length = hole.LiteralEnd - literal;
                if (!IsSame(bytes + at, readable - at, literals + literal, length)) return false;
                at += length;
                literal = hole.LiteralEnd;
                starts[i] = at;
                at = hole.IsText ? TextEnd(data, at, end) : NumberEnd(bytes, at, readable);
                ends[i] = at;
                if (at < 0) return false;
            }
            return end - at == _length - literal && IsSame(bytes + at, readable - at, literals + literal, end - at);
        }
    }

    /// <summary>Whether the bytes go on with a literal.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsSame(byte* bytes, int readable, byte* literal, int length)
    {
        if (Vector128.IsHardwareAccelerated && length <= Width && readable >= Width)
        {
            uint same = Vector128.Equals(Vector128.Load(bytes), Vector128.Load(literal)).ExtractMostSignificantBits();
            return (~same & ((1u << length) - 1)) == 0;
        }
        return readable >= length && new ReadOnlySpan<byte>(bytes, length).SequenceEqual(new ReadOnlySpan<byte>(literal, length));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TrySetFour(ReadOnlySpan<byte> data, int first, Span<double> row)
    {
        fixed (byte* bytes = data)
        fixed (int* starts = &_starts[first], ends = &_ends[first])
        {
            if (ends[0] < Width) return false;
            Vector256<double> values;
            if (!FourNumbers.TryParse<CommaAndPoint>(bytes, (uint)ends[0], (uint)ends[1], (uint)ends[2], (uint)ends[3],
                Vector128.Load(ends) - Vector128.Load(starts), (double*)&values))
                return false;
            ReadOnlySpan<Hole> holes = CollectionsMarshal.AsSpan(_holes).Slice(first, FourNumbers.Count);
            for (int i = 0; i < holes.Length; i++) row[holes[i].Feature] = values.GetElement(i);
            return true;
        }
    }

    private static bool Set(ReadOnlySpan<byte> data, int start, int end, int[]? slots, RecordFields fields, Span<double> row)
    {
        if (slots is null) return true;
        if (end - start > RecordDecoder.MaxFieldBytes) return false;
        for (int i = 0; i < slots.Length; i++)
        {
            int slot = slots[i];
            ref byte bytes = ref MemoryMarshal.GetReference(data);
            if (fields.IsNumber(slot) && FixedPoint.IsSupported &&
                (FixedPoint.TryParse<CommaAndPoint>(ref bytes, start, end, out double value) ||
                    FixedPoint.TryParseLong<CommaAndPoint>(ref bytes, start, end, out value)))
            {
                row[slot] = value;
                continue;
            }
            if (fields.Set(slot, data[start..end], row) is not null) return false;
        }
        return true;
    }

    /// <summary>The end of a text without anything special in it; -1 for others.</summary>
    private static int TextEnd(ReadOnlySpan<byte> data, int at, int end)
    {
        if (at >= end) return -1;
        int length = data[at..end].IndexOfAny(TextEnds);
        return length >= 0 && data[at + length] == '"' ? at + length : -1;
    }

    /// <summary>The end of a number by JSON's grammar; -1 where there is none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int NumberEnd(byte* bytes, int at, int readable)
    {
        if (Vector128.IsHardwareAccelerated && readable - at >= Width)
        {
            // A minus or a digit, digits, a point, digits, found at once; whatever else there is, the other way looks at. The end does not
            // wait for the first byte's kind.
            Vector128<byte> others =
                Vector128.GreaterThan(Vector128.Load(bytes + at) - Vector128.Create((byte)'0'), Vector128.Create((byte)9));
            uint mask = others.ExtractMostSignificantBits();
            uint after = mask & ~1u;
            int point = BitOperations.TrailingZeroCount(after), end = BitOperations.TrailingZeroCount(after & (after - 1));
            // Neither is there a branch on the sign or the number of digits, which cannot be foreseen: negative for digits behind a zero in
            // front.
            int minus = (int)mask & 1, digits = point - minus, zeros = ((bytes[at + minus] ^ '0') - 1) & (1 - digits);
            if (end < Width && bytes[at + point] == '.' && end > point + 1 && (bytes[at + end] | 0x20) != 'e' && digits > 0 &&
                (((bytes[at] ^ '-') & -minus) | (zeros >>> 31)) == 0) return at + end;
        }
        return PlainNumberEnd(bytes, at, readable);
    }

    private static int PlainNumberEnd(byte* bytes, int at, int readable)
    {
        if (at < readable && bytes[at] == '-') at++;
        int digits = DigitsEnd(bytes, at, readable);
        if (digits == at || (bytes[at] == '0' && digits > at + 1)) return -1;
        at = digits;
        if (at < readable && bytes[at] == '.')
        {
            digits = DigitsEnd(bytes, at + 1, readable);
            if (digits == at + 1) return -1;
            at = digits;
        }
        if (at >= readable || (bytes[at] | 0x20) != 'e') return at;
        at++;
        if (at < readable && bytes[at] is (byte)'+' or (byte)'-') at++;
        digits = DigitsEnd(bytes, at, readable);
        return digits == at ? -1 : digits;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int DigitsEnd(byte* bytes, int at, int readable)
    {
        while (at < readable && (uint)(bytes[at] - '0') <= 9) at++;
        return at;
    }

    /// <summary>
    /// A number or the inside of a text that differs from record to record, after the literal that ends at <paramref name="LiteralEnd"/>.
    /// </summary>
    /// <param name="LiteralEnd">Where the literal before it ends.</param>
    /// <param name="IsText">Whether it is the inside of a text.</param>
    /// <param name="Slots">The fields it is for; null for none.</param>
    /// <param name="Feature">The slot, where it is a number for one feature alone; else -1.</param>
    /// <param name="IsFirstOfFour">Whether it and the three after it are such numbers, to be read at once.</param>
    private readonly record struct Hole(int LiteralEnd, bool IsText, int[]? Slots, int Feature, bool IsFirstOfFour = false);
}
