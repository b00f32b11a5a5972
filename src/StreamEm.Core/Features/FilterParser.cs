namespace StreamEm.Core.Features;

/// <summary>
/// Reads an expression by recursive descent: <c>or</c> binds less than <c>and</c>, that less than <c>not</c>. Every part returns itself in
/// the one spelling.
/// </summary>
internal sealed class FilterParser(FilterTokens tokens)
{
    private const int MaxDepth = 32;
    private const int OrLevel = 0, AndLevel = 1, NotLevel = 2;

    private static readonly string[] Reserved = ["and", "or", "not", "in", "is", "null", "true", "false"];

    private readonly List<FilterTest> _tests = [];
    private readonly List<FilterStep> _steps = [];
    private int _depth;

    /// <summary>The comparisons.</summary>
    public IReadOnlyList<FilterTest> Tests => _tests;

    /// <summary>How they are joined.</summary>
    public IReadOnlyList<FilterStep> Steps => _steps;

    /// <summary>Whether a name is a word of the expressions.</summary>
    public static bool IsReserved(string name) => Reserved.Contains(name, StringComparer.OrdinalIgnoreCase);

    /// <summary>Reads all of it.</summary>
    /// <exception cref="FilterException">It cannot be read.</exception>
    public string Read()
    {
        if (tokens.Current.Kind == FilterTokenKind.End)
            throw new FilterException(0, "the expression is empty; expected a comparison such as kind == \"pump\"");
        string text = Or().Text;
        if (tokens.Current.Is(")")) throw Unexpected("this bracket was never opened");
        return tokens.Current.Kind == FilterTokenKind.End ? text : throw Unexpected("expected 'and', 'or' or the end");
    }

    private Part Or() => Joined("or", FilterStep.Or, OrLevel, And);

    private Part And() => Joined("and", FilterStep.And, AndLevel, Not);

    private Part Joined(string word, FilterStep step, int level, Func<Part> operand)
    {
        Part first = operand();
        if (!tokens.Current.IsWord(word)) return first;
        string text = first.Within(level);
        while (tokens.Current.IsWord(word))
        {
            tokens.MoveNext();
            text += $" {word} {operand().Within(level)}";
            _steps.Add(step);
        }

        return new Part(text, level);
    }

    private Part Not()
    {
        if (++_depth > MaxDepth) throw Unexpected($"brackets and 'not' are nested deeper than {MaxDepth}");
        Part part;
        if (tokens.Current.IsWord("not"))
        {
            tokens.MoveNext();
            part = new Part($"not {Not().Within(NotLevel)}", NotLevel);
            _steps.Add(FilterStep.Not);
        }
        else if (tokens.Current.Is("("))
        {
            int opened = tokens.Current.Position;
            tokens.MoveNext();
            part = Or();
            if (!tokens.Current.Is(")"))
                throw tokens.Current.Kind == FilterTokenKind.End
                    ? new FilterException(opened, "this bracket is not closed")
                    : Unexpected("expected 'and', 'or' or ')'");
            tokens.MoveNext();
        }
        else
        {
            part = new Part(Test(), NotLevel);
        }

        _depth--;
        return part;
    }

    private string Test()
    {
        if (_tests.Count == RecordFilter.MaxTests)
            throw Unexpected($"more than {RecordFilter.MaxTests} comparisons; join those of one field by 'in [...]'");
        FilterToken field = tokens.Current;
        bool isName = field.Kind == FilterTokenKind.Name || (field.Kind == FilterTokenKind.Word && !IsReserved(field.Text));
        if (!isName)
            throw Unexpected(field.Kind is FilterTokenKind.Number or FilterTokenKind.Text
                ? "the field comes first: write speed > 3, not 3 < speed; a field whose name is no plain word is written in backquotes"
                : "expected a field's name; one that is a word of the expression is written in backquotes");
        tokens.MoveNext();
        FilterTest test = Comparison(field.Text);
        _tests.Add(test);
        _steps.Add(FilterStep.Test);
        return RecordFilter.TextOf(test);
    }

    private FilterTest Comparison(string field)
    {
        FilterToken sign = tokens.Current;
        bool isNot = sign.IsWord("not");
        if (isNot) tokens.MoveNext();
        if (tokens.Current.IsWord("in"))
        {
            tokens.MoveNext();
            return new FilterTest(field, isNot ? FilterOperator.NotEqual : FilterOperator.Equal, List(), IsList: true);
        }

        if (isNot) throw Unexpected("expected 'in'");
        if (sign.IsWord("is")) throw Unexpected("'is' is not known here; write == null or != null");
        if (Operator(sign) is not { } comparison)
            throw Unexpected("expected ==, !=, <, <=, >, >= or in after the field's name; a name with blanks is written in backquotes");
        tokens.MoveNext();
        int at = tokens.Current.Position;
        FilterValue value = Value();
        bool isOrder = comparison is not (FilterOperator.Equal or FilterOperator.NotEqual);
        if (isOrder && value.Kind is FilterValueKind.Missing or FilterValueKind.Truth)
            throw new FilterException(at, $"{value} is neither more nor less than others; compare with == or !=");
        return new FilterTest(field, comparison, [value], IsList: false);
    }

    private static FilterOperator? Operator(FilterToken sign) => sign.Kind != FilterTokenKind.Sign ? null : sign.Text switch
    {
        "==" => FilterOperator.Equal,
        "!=" => FilterOperator.NotEqual,
        "<" => FilterOperator.Less,
        "<=" => FilterOperator.LessOrEqual,
        ">" => FilterOperator.Greater,
        ">=" => FilterOperator.GreaterOrEqual,
        _ => null,
    };

    private List<FilterValue> List()
    {
        int opened = tokens.Current.Position;
        bool isRound = tokens.Current.Is("(");
        if (!isRound && !tokens.Current.Is("[")) throw Unexpected("expected a list such as [\"on\", \"idle\"]");
        var values = new List<FilterValue>();
        do
        {
            tokens.MoveNext();
            values.Add(Value());
        }
        while (tokens.Current.Is(","));
        string close = isRound ? ")" : "]";
        if (!tokens.Current.Is(close))
            throw tokens.Current.Kind == FilterTokenKind.End
                ? new FilterException(opened, "this list is not closed")
                : Unexpected($"expected ',' or '{close}'");
        tokens.MoveNext();
        return values;
    }

    private FilterValue Value()
    {
        FilterToken token = tokens.Current;
        FilterValue value = token switch
        {
            { Kind: FilterTokenKind.Number } => new FilterValue(FilterValueKind.Number, token.Number == 0 ? 0 : token.Number),
            { Kind: FilterTokenKind.Text } => new FilterValue(FilterValueKind.Text, Text: token.Text),
            _ when token.IsWord("null") => new FilterValue(FilterValueKind.Missing),
            _ when token.IsWord("true") => new FilterValue(FilterValueKind.Truth, 1),
            _ when token.IsWord("false") => new FilterValue(FilterValueKind.Truth),
            { Kind: FilterTokenKind.Word or FilterTokenKind.Name } =>
                throw Unexpected($"a field is compared with a value; a text is written in quotes: \"{token.Text}\""),
            _ => throw Unexpected("expected a number, a text in quotes, true, false or null"),
        };
        tokens.MoveNext();
        return value;
    }

    private FilterException Unexpected(string expected) => new(tokens.Current.Position, $"found {tokens.Current.Shown}; {expected}");

    /// <summary>A part of the expression, and how tightly it is bound.</summary>
    private readonly record struct Part(string Text, int Level)
    {
        /// <summary>The part as an operand of something that binds so tightly.</summary>
        public string Within(int level) => Level < level ? $"({Text})" : Text;
    }
}
