using System.Diagnostics.CodeAnalysis;
using StreamEm.Core.Settings;

namespace StreamEm.Worker.Configuration.Kinds;

/// <summary>The id of a run, or null.</summary>
internal sealed class RunIdKind : ValueKind<string?>
{
    /// <inheritdoc/>
    public override string Expected => "the id of a run, such as 0199c8a4-7d1e-7f00-8000-4f2a6c1b9e55, or null";

    /// <inheritdoc/>
    public override bool TryParse(string? text, [MaybeNullWhen(false)] out string? value)
    {
        value = text;
        return text is null || Guid.TryParseExact(text, "D", out _);
    }

    /// <inheritdoc/>
    public override string Format(string? value) => value ?? "null";
}
