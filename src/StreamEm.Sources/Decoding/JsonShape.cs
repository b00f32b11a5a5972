using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text.Json;

namespace StreamEm.Sources.Decoding;

/// <summary>
/// The bytes that the records of a stream have in common: everything but their numbers and texts. A record that has the same bytes round other
/// numbers and texts needs no JSON reader: it is as valid as the one the shape was learned from, and its fields are in the same places.
/// </summary>
internal sealed class JsonShape
{
    /// <summary>Records longer than this are not worth it.</summary>
    private const int MaxBytes = 16 * 1024;

    private const int MostPatience = 1024;

    /// <summary>What ends a text or makes it one for the reader: a quote, a backslash, a control character, a byte that is not ASCII.</summary>
    private static readonly SearchValues<byte> TextEnds =
        SearchValues.Create([.. Enumerable.Range(0, 256).Where(b => b is < 0x20 or > 0x7E or '"' or '\\').Select(b => (byte)b)]);

    private readonly byte[] _literals = new byte[MaxBytes];
    private readonly List<Hole> _holes = [];
    private readonly JsonPaths?[] _open = new JsonPaths?[NdjsonDecoder.MaxDepth + 2];
    private int _length, _misses, _patience = 1;

    /// <summary>Whether there is a shape to try.</summary>
    public bool IsKnown { get; private set; }

    /// <summary>Reads a record of this shape.</summary>
    /// <param name="record">The bytes to the record's end, with some before it where there are: numbers are read from their ends, 16 bytes at once.</param>
    /// <param name="at">Where the record starts in them.</param>
    /// <param name="fields">Takes fields that are no plain numbers.</param>
    /// <param name="row">Takes D values.</param>
    /// <returns>False when it is of another shape or a field cannot be used: then the reader has to look at it.</returns>
    public bool TryRead(ReadOnlySpan<byte> record, int at, RecordFields fields, Span<double> row)
    {
        int literal = 0;
        foreach (ref readonly Hole hole in CollectionsMarshal.AsSpan(_holes))
        {
            int length = hole.LiteralEnd - literal;
            if (!Continues(record, at, literal, length)) return false;
            at += length;
            literal = hole.LiteralEnd;
            int end = hole.IsText ? TextEnd(record, at) : NumberEnd(record, at);
            if (end < 0 || !Set(record, at, end, hole.Slots, fields, row)) return false;
            at = end;
        }
        if (record.Length - at != _length - literal || !Continues(record, at, literal, _length - literal)) return false;
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
                    _holes.Add(new Hole(_length, isText, value?.Slots));
                    break;
                case JsonTokenType.True or JsonTokenType.False when value?.Slots.Length > 0:
                    return false;
            }
            value = null;
        }
        record[copied..].CopyTo(_literals.AsSpan(_length));
        _length += record.Length - copied;
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool Continues(ReadOnlySpan<byte> record, int at, int literal, int length) =>
        record.Length - at >= length && record.Slice(at, length).SequenceEqual(_literals.AsSpan(literal, length));

    private static bool Set(ReadOnlySpan<byte> record, int start, int end, int[]? slots, RecordFields fields, Span<double> row)
    {
        if (slots is null) return true;
        if (end - start > RecordDecoder.MaxFieldBytes) return false;
        for (int i = 0; i < slots.Length; i++)
        {
            int slot = slots[i];
            ref byte bytes = ref MemoryMarshal.GetReference(record);
            if (slot < fields.Dimension && FixedPoint.IsSupported &&
                (FixedPoint.TryParse(ref bytes, start, end, out double value) || FixedPoint.TryParseLong(ref bytes, start, end, out value)))
            {
                row[slot] = value;
                continue;
            }
            if (fields.Set(slot, record[start..end], row) is not null) return false;
        }
        return true;
    }

    /// <summary>The end of a text without anything special in it; -1 for others.</summary>
    private static int TextEnd(ReadOnlySpan<byte> record, int at)
    {
        int length = record[at..].IndexOfAny(TextEnds);
        return length >= 0 && record[at + length] == '"' ? at + length : -1;
    }

    /// <summary>The end of a number by JSON's grammar; -1 where there is none.</summary>
    private static int NumberEnd(ReadOnlySpan<byte> record, int at)
    {
        if (at >= record.Length) return -1;
        // No branch on the sign: it cannot be foreseen.
        at += record[at] == '-' ? 1 : 0;
        if (Vector128.IsHardwareAccelerated && record.Length - at >= Vector128<byte>.Count)
        {
            // Digits, a point, digits, found at once; whatever else there is, the loops below look at.
            Vector128<byte> others = Vector128.GreaterThan(Vector128.LoadUnsafe(in record[at]) - Vector128.Create((byte)'0'), Vector128.Create((byte)9));
            uint mask = others.ExtractMostSignificantBits();
            int point = BitOperations.TrailingZeroCount(mask), end = BitOperations.TrailingZeroCount(mask & (mask - 1));
            if (end < Vector128<byte>.Count && record[at + point] == '.' && end > point + 1 && (record[at + end] | 0x20) != 'e' &&
                (point == 1 || (point > 1 && record[at] != '0'))) return at + end;
        }
        int digits = DigitsEnd(record, at);
        if (digits == at || (record[at] == '0' && digits > at + 1)) return -1;
        at = digits;
        if (at < record.Length && record[at] == '.')
        {
            digits = DigitsEnd(record, at + 1);
            if (digits == at + 1) return -1;
            at = digits;
        }
        if (at == record.Length || (record[at] | 0x20) != 'e') return at;
        at++;
        if (at < record.Length && record[at] is (byte)'+' or (byte)'-') at++;
        digits = DigitsEnd(record, at);
        return digits == at ? -1 : digits;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int DigitsEnd(ReadOnlySpan<byte> record, int at)
    {
        while ((uint)at < (uint)record.Length && (uint)(record[at] - '0') <= 9) at++;
        return at;
    }

    /// <summary>A number or the inside of a text that differs from record to record, after the literal that ends at <see cref="LiteralEnd"/>.</summary>
    private readonly record struct Hole(int LiteralEnd, bool IsText, int[]? Slots);
}
