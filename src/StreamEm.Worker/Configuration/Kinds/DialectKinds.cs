using StreamEm.Core.Settings;

namespace StreamEm.Worker.Configuration.Kinds;

/// <summary>What is between two columns of CSV: one character, a tab also as the word <c>tab</c>.</summary>
public sealed class SeparatorKind : ValueKind<char>
{
    private const string Tab = "tab";

    /// <inheritdoc/>
    public override string Expected => "one ASCII character such as ',', ';' or '|', or tab";

    /// <inheritdoc/>
    public override bool TryParse(string? text, out char value)
    {
        if (text is Tab or "\\t") text = "\t";
        value = text is { Length: 1 } ? text[0] : '\0';
        return value is > '\0' and < '\x7F' && !char.IsAsciiLetterOrDigit(value) && !"\"\r\n.+-".Contains(value, StringComparison.Ordinal);
    }

    /// <inheritdoc/>
    public override string Format(char value) => value == '\t' ? Tab : value.ToString();
}

/// <summary>The mark before a number's fraction: a point or a comma.</summary>
public sealed class DecimalMarkKind : ValueKind<char>
{
    /// <inheritdoc/>
    public override string Expected => "'.' or ','";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Words => [".", ","];

    /// <inheritdoc/>
    public override ValueForm Form => ValueForm.Choice;

    /// <inheritdoc/>
    public override bool TryParse(string? text, out char value)
    {
        value = text is "." or "," ? text[0] : '\0';
        return value != '\0';
    }

    /// <inheritdoc/>
    public override string Format(char value) => value.ToString();
}

/// <summary>What lines that are no records begin with, or null.</summary>
public sealed class CommentKind : ValueKind<string?>
{
    /// <inheritdoc/>
    public override string Expected => "what comments begin with, such as '#', without quotes and line ends, or null";

    /// <inheritdoc/>
    public override bool IsNullable => true;

    /// <inheritdoc/>
    public override bool TryParse(string? text, out string? value)
    {
        value = text;
        return text is null || (text.Length > 0 && text.AsSpan().IndexOfAny("\"\r\n\0") < 0);
    }

    /// <inheritdoc/>
    public override string Format(string? value) => value ?? "null";
}
