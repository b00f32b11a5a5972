using System.IO.Hashing;
using StreamEm.Core.Features;
using StreamEm.Sources.Decoding;

namespace StreamEm.Sources.Surveys;

/// <summary>What the first records of a stream hold in one field: counts alone, no value is kept.</summary>
public sealed class FieldSurvey
{
    /// <summary>So many different values are told apart.</summary>
    public const int MostDistinct = 1000;

    private readonly HashSet<ulong> _distinct = [];
    private double _last = double.NegativeInfinity;

    internal FieldSurvey(string name) => Name = name;

    /// <summary>The column, or the path of the JSON field with dots.</summary>
    public string Name { get; }

    /// <summary>Records with a value.</summary>
    public long Present => Numbers + Flags + Times + Texts;

    /// <summary>Values that are finite numbers.</summary>
    public long Numbers { get; private set; }

    /// <summary>Numbers without a fraction.</summary>
    public long Integers { get; private set; }

    /// <summary>Numbers that are 0 or 1.</summary>
    public long Bits { get; private set; }

    /// <summary>Values that are true or false.</summary>
    public long Flags { get; private set; }

    /// <summary>Values that are times and no numbers.</summary>
    public long Times { get; private set; }

    /// <summary>Other values.</summary>
    public long Texts { get; private set; }

    /// <summary>The least number; infinite where there is none.</summary>
    public double Least { get; private set; } = double.PositiveInfinity;

    /// <summary>The largest number; infinite where there is none.</summary>
    public double Largest { get; private set; } = double.NegativeInfinity;

    /// <summary>Different values, at most <see cref="MostDistinct"/>.</summary>
    public int Distinct => _distinct.Count;

    /// <summary>Whether every number is at least the one before it.</summary>
    public bool IsAscending { get; private set; } = true;

    /// <summary>Whether every number is one more than the one before it.</summary>
    public bool IsNumbering { get; private set; } = true;

    /// <summary>Takes the text of a value, blanks round it or not.</summary>
    internal void Add(ReadOnlySpan<byte> text, FieldSpelling spelling)
    {
        text = Decoding.Numbers.Trim(text);
        if (spelling.IsMissing(text)) return;
        if (_distinct.Count < MostDistinct) _distinct.Add(XxHash3.HashToUInt64(text));
        if (spelling.Number(text, out double number) == NumberOutcome.Finite) AddNumber(number);
        else if (text.SequenceEqual("true"u8) || text.SequenceEqual("false"u8)) Flags++;
        else if (Timestamps.TryParse(text, TimestampUnit.Auto, out _)) Times++;
        else Texts++;
    }

    private void AddNumber(double number)
    {
        Numbers++;
        if (Math.Floor(number) == number) Integers++;
        if (number is 0 or 1) Bits++;
        IsAscending &= number >= _last;
        IsNumbering &= Numbers == 1 || number == _last + 1;
        _last = number;
        (Least, Largest) = (Math.Min(Least, number), Math.Max(Largest, number));
    }
}
