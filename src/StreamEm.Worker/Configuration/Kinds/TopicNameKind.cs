using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;
using StreamEm.Core.Settings;

namespace StreamEm.Worker.Configuration.Kinds;

/// <summary>The name of a topic as Kafka allows it.</summary>
public sealed partial class TopicNameKind : ValueKind<string>
{
    /// <inheritdoc/>
    public override string Expected => "a topic's name: letters a-z and A-Z, digits, '.', '_' and '-', at most 249, not '.' or '..'";

    /// <inheritdoc/>
    public override bool TryParse(string? text, [MaybeNullWhen(false)] out string value)
    {
        value = text;
        return text is not (null or "." or "..") && Pattern().IsMatch(text);
    }

    /// <inheritdoc/>
    public override string Format(string value) => value;

    [GeneratedRegex("^[a-zA-Z0-9._-]{1,249}\\z", RegexOptions.CultureInvariant, Timeout.Infinite)]
    private static partial Regex Pattern();
}
