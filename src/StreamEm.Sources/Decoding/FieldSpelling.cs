using StreamEm.Core.Data;
using StreamEm.Core.Features;

namespace StreamEm.Sources.Decoding;

/// <summary>What the texts of a stream's fields say: which of them are missing, how numbers and times are written.</summary>
internal sealed class FieldSpelling(RecordSchema schema)
{
    /// <summary>Numbers with a decimal comma are no longer.</summary>
    private const int MaxNumberBytes = 64;

    private readonly MissingValues _missing =
        schema.MissingValues.Count == 0 ? MissingValues.Alone : new MissingValues(schema.MissingValues);

    /// <summary>Whether a comma, not a point, is before a number's fraction.</summary>
    public bool HasDecimalComma { get; set; }

    /// <summary>Numbers that mean that there is none.</summary>
    public ReadOnlySpan<double> MissingNumbers => _missing.OwnNumbers;

    /// <summary>Reads a number; NaN unless the answer is <see cref="NumberOutcome.Finite"/>.</summary>
    public NumberOutcome Number(ReadOnlySpan<byte> text, out double value)
    {
        if (!HasDecimalComma || text.IndexOfAny((byte)',', (byte)'.') < 0 || text.Length > MaxNumberBytes)
            return Numbers.Parse(text, _missing, out value);
        // Each for the other: a point is then as wrong in a number as a comma is elsewhere, not the end of its thousands.
        Span<byte> exchanged = stackalloc byte[MaxNumberBytes];
        for (int at = 0; at < text.Length; at++)
            exchanged[at] = text[at] switch { (byte)',' => (byte)'.', (byte)'.' => (byte)',', byte other => other };
        NumberOutcome outcome = Numbers.Parse(exchanged[..text.Length], _missing, out value);
        return outcome != NumberOutcome.NotANumber || !IsMissing(text) ? outcome : NumberOutcome.Missing;
    }

    /// <summary>Whether a text says that there is no value.</summary>
    public bool IsMissing(ReadOnlySpan<byte> text) => _missing.Contains(Numbers.Trim(text));

    /// <summary>
    /// The number of a label or a level among texts, valid UTF-8; <see cref="TextTable.None"/> for a missing one. Spellings of the same
    /// number are one text: <c>1.0</c>, <c>+1</c> and <c>1e0</c> are <c>1</c>.
    /// </summary>
    public int Name(ReadOnlySpan<byte> text, TextTable texts)
    {
        text = Numbers.Trim(text);
        if (IsPlainInteger(text) && _missing.OwnNumbers.IsEmpty) return texts.Number(text);
        return Number(text, out double number) switch
        {
            NumberOutcome.Finite => texts.Number(FeatureValues.Text(number)),
            NumberOutcome.Missing => TextTable.None,
            _ => texts.Number(text),
        };
    }

    /// <summary>The number of a key among texts, as it is written but for blanks round it; <see cref="TextTable.None"/> for a missing
    /// one.</summary>
    public int Key(ReadOnlySpan<byte> text, TextTable texts)
    {
        text = Numbers.Trim(text);
        return _missing.Contains(text) ? TextTable.None : texts.Number(text);
    }

    /// <summary>Reads a time; false when it is none that can be read.</summary>
    public bool TryTime(ReadOnlySpan<byte> text, out long milliseconds)
    {
        milliseconds = RecordBatch.NoTimestamp;
        text = Numbers.Trim(text);
        return _missing.Contains(text) || Timestamps.TryParse(text, schema.TimestampUnit, out milliseconds);
    }

    /// <summary>Whether a text would be a number if its comma were a point, or its point a comma.</summary>
    public bool IsNumberWithOtherMark(ReadOnlySpan<byte> text)
    {
        text = Numbers.Trim(text);
        if (text.Length > MaxNumberBytes || text.IndexOfAny((byte)',', (byte)'.') < 0) return false;
        Span<byte> other = stackalloc byte[MaxNumberBytes];
        byte mark = HasDecimalComma ? (byte)'.' : (byte)',';
        for (int at = 0; at < text.Length; at++)
            other[at] = text[at] == mark ? (byte)'.' : text[at] is (byte)',' or (byte)'.' ? (byte)'x' : text[at];
        return Numbers.TryParse(other[..text.Length], out _);
    }

    private static bool IsPlainInteger(ReadOnlySpan<byte> text) =>
        text.Length is > 0 and <= 15 && !text.ContainsAnyExceptInRange((byte)'0', (byte)'9') && (text[0] != '0' || text.Length == 1);
}
