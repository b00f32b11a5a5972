using System.Globalization;
using System.Text;

namespace StreamEm.Core.Features;

/// <summary>What a piece of an expression is.</summary>
internal enum FilterTokenKind
{
    /// <summary>The end.</summary>
    End,

    /// <summary>A name, or a word such as <c>and</c>.</summary>
    Word,

    /// <summary>A name in backquotes, which is never a word.</summary>
    Name,

    /// <summary>A number.</summary>
    Number,

    /// <summary>A text in quotes.</summary>
    Text,

    /// <summary>A comparison, a bracket or a comma.</summary>
    Sign,
}

/// <summary>A piece of an expression.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Position">Its first character.</param>
/// <param name="Text">The name, the text without its quotes, the sign.</param>
/// <param name="Number">The number.</param>
internal readonly record struct FilterToken(FilterTokenKind Kind, int Position, string Text, double Number = 0)
{
    /// <summary>What it is called in a message.</summary>
    public string Shown => Kind switch
    {
        FilterTokenKind.End => "the end",
        FilterTokenKind.Text => "a text in quotes",
        _ => $"'{Text}'",
    };

    /// <summary>Whether it is a sign.</summary>
    public bool Is(string sign) => Kind == FilterTokenKind.Sign && Text == sign;

    /// <summary>Whether it is a word, in whatever case.</summary>
    public bool IsWord(string word) => Kind == FilterTokenKind.Word && Text.Equals(word, StringComparison.OrdinalIgnoreCase);
}

/// <summary>An expression that cannot be read.</summary>
internal sealed class FilterException(int position, string message) : Exception(message)
{
    public int Position { get; } = position;
}

/// <summary>Cuts an expression into its pieces.</summary>
internal sealed class FilterTokens
{
    private const int MaxLength = 8192;

    private static readonly string[] Signs = ["==", "!=", "<=", ">=", "<", ">", "(", ")", "[", "]", ","];

    /// <summary>Signs of other languages, and what they are here.</summary>
    private static readonly (string Sign, string Meant)[] Foreign =
        [("<>", "!="), ("&&", "and"), ("||", "or"), ("=", "=="), ("!", "not"), ("&", "and"), ("|", "or")];

    private readonly string _text;
    private int _at;

    public FilterTokens(string text)
    {
        _text = text;
        if (text.Length > MaxLength)
            throw new FilterException(0, $"the expression has {text.Length} characters; at most {MaxLength} are allowed");
        MoveNext();
    }

    /// <summary>The piece at hand.</summary>
    public FilterToken Current { get; private set; }

    /// <summary>Goes to the next piece.</summary>
    public void MoveNext()
    {
        while (_at < _text.Length && char.IsWhiteSpace(_text[_at])) _at++;
        Current = _at == _text.Length ? new FilterToken(FilterTokenKind.End, _at, "") : Next(_text[_at]);
    }

    /// <summary>Whether a field's name needs no backquotes.</summary>
    public static bool IsName(string name) =>
        name.Length > 0 && IsStart(name[0]) && name.All(IsPart) && !FilterParser.IsReserved(name);

    private FilterToken Next(char first)
    {
        if (first is '"' or '\'') return Text(first);
        if (first == '`') return Name();
        if (char.IsAsciiDigit(first) || (first is '-' or '+' or '.' && _at + 1 < _text.Length && IsNumberPart(_text[_at + 1])))
            return Number();
        if (IsStart(first)) return Word();
        foreach ((string sign, string meant) in Foreign)
        {
            if (IsHere(sign) && !Array.Exists(Signs, own => own.Length > sign.Length && IsHere(own)))
                throw new FilterException(_at, $"'{sign}' is not known here; write {meant}");
        }

        if (Array.Find(Signs, IsHere) is not { } found)
            throw new FilterException(_at, $"'{Printable(first)}' is not known here; expected a comparison such as kind == \"pump\"");
        _at += found.Length;
        return new FilterToken(FilterTokenKind.Sign, _at - found.Length, found);
    }

    private FilterToken Word()
    {
        int start = _at;
        while (_at < _text.Length && IsPart(_text[_at])) _at++;
        return new FilterToken(FilterTokenKind.Word, start, _text[start.._at]);
    }

    private FilterToken Number()
    {
        int start = _at++;
        while (_at < _text.Length && (IsNumberPart(_text[_at]) || (_text[_at] is '-' or '+' && _text[_at - 1] is 'e' or 'E'))) _at++;
        string text = _text[start.._at];
        bool isFinite = double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number)
            && double.IsFinite(number);
        if (isFinite) return new FilterToken(FilterTokenKind.Number, start, text, number);
        bool isName = text.Any(char.IsAsciiLetter);
        throw new FilterException(start, isName
            ? $"'{text}' is no number; the name of a field that begins with a digit is written in backquotes, a text in quotes"
            : $"'{text}' is no number within double precision; its decimal mark is a point");
    }

    private FilterToken Name()
    {
        int start = _at, end = _text.IndexOf('`', start + 1);
        if (end < 0) throw new FilterException(start, "the name that begins here is not closed with a backquote");
        if (end == start + 1) throw new FilterException(start, "the name between the backquotes is empty");
        _at = end + 1;
        return new FilterToken(FilterTokenKind.Name, start, _text[(start + 1)..end]);
    }

    private FilterToken Text(char quote)
    {
        int start = _at++;
        var text = new StringBuilder();
        for (; _at < _text.Length && _text[_at] != quote; _at++)
        {
            bool isEscape = _text[_at] == '\\' && _at + 1 < _text.Length && _text[_at + 1] is '\\' or '"' or '\'';
            if (isEscape) _at++;
            text.Append(_text[_at]);
        }

        if (_at == _text.Length) throw new FilterException(start, $"the text that begins here is not closed with {quote}");
        _at++;
        return new FilterToken(FilterTokenKind.Text, start, text.ToString());
    }

    private bool IsHere(string sign) => string.CompareOrdinal(_text, _at, sign, 0, sign.Length) == 0;

    private static bool IsStart(char character) => char.IsLetter(character) || character is '_' or '$' or '@';

    private static bool IsPart(char character) => char.IsLetterOrDigit(character) || character is '_' or '.' or '$' or '@';

    private static bool IsNumberPart(char character) => char.IsAsciiLetterOrDigit(character) || character == '.';

    private static string Printable(char character) =>
        char.IsControl(character) ? string.Create(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}") : character.ToString();
}
