using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace StreamEm.Core.Settings;

/// <summary>What a value is where values have types: in YAML and JSON.</summary>
public enum ValueForm
{
    /// <summary>A text.</summary>
    Text,

    /// <summary>One of the words, and nothing else.</summary>
    Choice,

    /// <summary>A whole number.</summary>
    Integer,

    /// <summary>A number.</summary>
    Number,

    /// <summary>True or false.</summary>
    Boolean,

    /// <summary>A list or a mapping.</summary>
    Structure,

    /// <summary>A whole number, or a mapping that says more.</summary>
    IntegerOrStructure,
}

/// <summary>
/// What values a setting takes and how they are written: parsing, range and one canonical text each, in the invariant culture.
/// </summary>
public abstract class ValueKind<TValue>
{
    /// <summary>What is expected, for a person: <c>an integer, at least 1</c>.</summary>
    public abstract string Expected { get; }

    /// <summary>The words that may be written, where there are few.</summary>
    public virtual IReadOnlyList<string> Words => [];

    /// <summary>What is written; the compact JSON of a <see cref="ValueForm.Structure"/> is then the text.</summary>
    public virtual ValueForm Form => ValueForm.Text;

    /// <summary>Whether null may be written.</summary>
    public virtual bool IsNullable => false;

    /// <summary>What is wrong with a text that cannot be read, for a person; null where <see cref="Expected"/> says enough.</summary>
    public virtual string? Problem(string text) => null;

    /// <summary>Reads a text; null stands for YAML's and JSON's null.</summary>
    public abstract bool TryParse(string? text, [MaybeNullWhen(false)] out TValue value);

    /// <summary>The canonical text: equal values have equal texts.</summary>
    public abstract string Format(TValue value);
}

/// <summary>An integer from low to high.</summary>
public sealed class IntegerKind(int low = int.MinValue, int high = int.MaxValue) : ValueKind<int>
{
    /// <inheritdoc/>
    public override ValueForm Form => ValueForm.Integer;

    /// <inheritdoc/>
    public override string Expected => (low, high) switch
    {
        (int.MinValue, int.MaxValue) => "an integer",
        (_, int.MaxValue) => $"an integer, {Interval.AtLeast(low)}",
        _ => $"an integer, {Interval.Closed(low, high)}",
    };

    /// <inheritdoc/>
    public override bool TryParse(string? text, out int value) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value) && value >= low && value <= high;

    /// <inheritdoc/>
    public override string Format(int value) => value.ToString(CultureInfo.InvariantCulture);
}

/// <summary>An unsigned 64-bit integer: a seed.</summary>
public sealed class SeedKind : ValueKind<ulong>
{
    /// <inheritdoc/>
    public override ValueForm Form => ValueForm.Integer;

    /// <inheritdoc/>
    public override string Expected => "an integer, in [0, 2^64)";

    /// <inheritdoc/>
    public override bool TryParse(string? text, out ulong value) =>
        ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);

    /// <inheritdoc/>
    public override string Format(ulong value) => value.ToString(CultureInfo.InvariantCulture);
}

/// <summary>A finite number in an interval.</summary>
public sealed class NumberKind(Interval interval) : ValueKind<double>
{
    /// <inheritdoc/>
    public override ValueForm Form => ValueForm.Number;

    /// <inheritdoc/>
    public override string Expected => $"a number, {interval}";

    /// <inheritdoc/>
    public override bool TryParse(string? text, out double value) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value) && double.IsFinite(value)
            && interval.Contains(value);

    /// <inheritdoc/>
    public override string Format(double value) => (value == 0 ? 0.0 : value).ToString("R", CultureInfo.InvariantCulture);
}

/// <summary><c>true</c> or <c>false</c>.</summary>
public sealed class BooleanKind : ValueKind<bool>
{
    /// <inheritdoc/>
    public override ValueForm Form => ValueForm.Boolean;

    /// <inheritdoc/>
    public override string Expected => "true or false";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Words => ["true", "false"];

    /// <inheritdoc/>
    public override bool TryParse(string? text, out bool value)
    {
        value = text == "true";
        return value || text == "false";
    }

    /// <inheritdoc/>
    public override string Format(bool value) => value ? "true" : "false";
}

/// <summary>One of an enumeration's members, written in snake_case.</summary>
public sealed class ChoiceKind<TEnum> : ValueKind<TEnum>
    where TEnum : struct, Enum
{
    private readonly TEnum[] _members;

    /// <summary>Allows the given members; none given allows all.</summary>
    public ChoiceKind(params TEnum[] members)
    {
        _members = members is [] ? Enum.GetValues<TEnum>() : members;
        Words = Array.ConvertAll(_members, Format);
    }

    /// <inheritdoc/>
    public override ValueForm Form => ValueForm.Choice;

    /// <inheritdoc/>
    public override string Expected => Words.Count == 2 ? $"{Words[0]} or {Words[1]}" : $"one of {string.Join(", ", Words)}";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Words { get; }

    /// <inheritdoc/>
    public override bool TryParse(string? text, out TEnum value)
    {
        int index = Words.ToList().IndexOf(text ?? "");
        value = index < 0 ? default : _members[index];
        return index >= 0;
    }

    /// <inheritdoc/>
    public override string Format(TEnum value) => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());
}

/// <summary>A text that is not empty, has no NUL and, if a pattern is given, matches it.</summary>
public sealed class TextKind(Regex? pattern = null, string expected = "a text that is not empty") : ValueKind<string>
{
    /// <inheritdoc/>
    public override string Expected => expected;

    /// <inheritdoc/>
    public override bool TryParse(string? text, [MaybeNullWhen(false)] out string value)
    {
        value = text;
        return !string.IsNullOrEmpty(text) && !text.Contains('\0', StringComparison.Ordinal) && (pattern is null || pattern.IsMatch(text));
    }

    /// <inheritdoc/>
    public override string Format(string value) => value;
}
