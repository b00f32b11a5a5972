using System.Globalization;
using System.Text;

namespace StreamEm.Core.Features;

/// <summary>How a field is compared.</summary>
public enum FilterOperator
{
    /// <summary><c>==</c>, and <c>in</c> for several values: equal to one of them.</summary>
    Equal,

    /// <summary><c>!=</c>, and <c>not in</c> for several values: equal to none of them.</summary>
    NotEqual,

    /// <summary><c>&lt;</c></summary>
    Less,

    /// <summary><c>&lt;=</c></summary>
    LessOrEqual,

    /// <summary><c>&gt;</c></summary>
    Greater,

    /// <summary><c>&gt;=</c></summary>
    GreaterOrEqual,
}

/// <summary>What a value of a filter is.</summary>
public enum FilterValueKind
{
    /// <summary><c>null</c>: that there is no value.</summary>
    Missing,

    /// <summary><c>true</c> or <c>false</c>.</summary>
    Truth,

    /// <summary>A number.</summary>
    Number,

    /// <summary>A text.</summary>
    Text,
}

/// <summary>A value that a field is compared with.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Number">The number; 1 for true, 0 for false.</param>
/// <param name="Text">The text.</param>
public sealed record FilterValue(FilterValueKind Kind, double Number = 0, string Text = "")
{
    /// <inheritdoc/>
    public override string ToString() => Kind switch
    {
        FilterValueKind.Missing => "null",
        FilterValueKind.Truth => Number == 0 ? "false" : "true",
        FilterValueKind.Number => Number.ToString("R", CultureInfo.InvariantCulture),
        _ => $"\"{Text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"",
    };
}

/// <summary>One comparison of a field.</summary>
/// <param name="Field">The field's name; a dot reaches into a nested object.</param>
/// <param name="Operator">How it is compared.</param>
/// <param name="Values">What with: one value, or several for equality alone.</param>
/// <param name="IsList">Whether they were written as a list.</param>
public sealed record FilterTest(string Field, FilterOperator Operator, IReadOnlyList<FilterValue> Values, bool IsList);

/// <summary>One step of a filter in postfix order.</summary>
public enum FilterStep
{
    /// <summary>Puts the outcome of the next test on the stack.</summary>
    Test,

    /// <summary>Turns the uppermost over.</summary>
    Not,

    /// <summary>Whether both of the uppermost two hold.</summary>
    And,

    /// <summary>Whether one of the uppermost two holds.</summary>
    Or,
}

/// <summary>
/// Which records a model is about: <c>where: kind == "pump" and (speed &gt; 0 or state in ["on", "idle"])</c>. Fields are compared with
/// values by <c>== != &lt; &lt;= &gt; &gt;= in</c>, comparisons joined by <c>and</c>, <c>or</c>, <c>not</c>. It computes nothing, calls
/// nothing, and takes as long for a record as it has comparisons. Immutable.
/// </summary>
public sealed class RecordFilter
{
    /// <summary>The most comparisons: their outcomes are the bits of one number.</summary>
    public const int MaxTests = 64;

    private RecordFilter(IReadOnlyList<FilterTest> tests, IReadOnlyList<FilterStep> steps, string text)
    {
        (Tests, Steps, _text) = (tests, steps, text);
        Fields = [.. tests.Select(test => test.Field).Distinct(StringComparer.Ordinal)];
    }

    private readonly string _text;

    /// <summary>The comparisons, in the order written.</summary>
    public IReadOnlyList<FilterTest> Tests { get; }

    /// <summary>How their outcomes are joined, in postfix order.</summary>
    public IReadOnlyList<FilterStep> Steps { get; }

    /// <summary>The fields compared, each once.</summary>
    public IReadOnlyList<string> Fields { get; }

    /// <summary>Reads an expression.</summary>
    /// <param name="text">As a person writes it.</param>
    /// <param name="problem">What was found and expected, and at which character; null when it was read.</param>
    /// <returns>The filter; null when there is a problem.</returns>
    public static RecordFilter? Parse(string text, out FilterProblem? problem)
    {
        try
        {
            var parser = new FilterParser(new FilterTokens(text));
            string canonical = parser.Read();
            problem = null;
            return new RecordFilter(parser.Tests, parser.Steps, canonical);
        }
        catch (FilterException failure)
        {
            problem = new FilterProblem(failure.Position, failure.Message);
            return null;
        }
    }

    /// <summary>The expression in one spelling: two that differ in blanks, quotes and needless brackets have the same.</summary>
    public override string ToString() => _text;

    /// <summary>A field's name as it has to be written in an expression.</summary>
    internal static string NameOf(string field) => FilterTokens.IsName(field) ? field : $"`{field}`";

    /// <summary>A comparison in the one spelling.</summary>
    internal static string TextOf(FilterTest test)
    {
        var text = new StringBuilder(NameOf(test.Field)).Append(' ');
        if (test.IsList)
            return text.Append(test.Operator == FilterOperator.NotEqual ? "not in [" : "in [").AppendJoin(", ", test.Values).Append(']')
                .ToString();
        return text.Append(SignOf(test.Operator)).Append(' ').Append(test.Values[0]).ToString();
    }

    private static string SignOf(FilterOperator comparison) => comparison switch
    {
        FilterOperator.Equal => "==",
        FilterOperator.NotEqual => "!=",
        FilterOperator.Less => "<",
        FilterOperator.LessOrEqual => "<=",
        FilterOperator.Greater => ">",
        _ => ">=",
    };
}

/// <summary>What is wrong with an expression.</summary>
/// <param name="Position">The character at which it is, from 0.</param>
/// <param name="Message">What was found, what was expected, what to do.</param>
public sealed record FilterProblem(int Position, string Message);
