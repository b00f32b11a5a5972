using System.Diagnostics.CodeAnalysis;
using StreamEm.Core.Features;
using StreamEm.Core.Settings;

namespace StreamEm.Core.Models;

/// <summary>An expression over the fields of a record (<see cref="RecordFilter"/>) in its one spelling, or null.</summary>
internal sealed class MarkerKind : ValueKind<string?>
{
    /// <inheritdoc/>
    public override string Expected => "an expression such as event == \"end\", or null";

    /// <inheritdoc/>
    public override bool IsNullable => true;

    /// <inheritdoc/>
    public override string? Problem(string text) => RecordFilter.Parse(text, out FilterProblem? problem) is null ? problem!.Message : null;

    /// <inheritdoc/>
    public override bool TryParse(string? text, [MaybeNullWhen(false)] out string? value)
    {
        value = null;
        if (text is null) return true;
        value = RecordFilter.Parse(text, out _)?.ToString();
        return value is not null;
    }

    /// <inheritdoc/>
    public override string Format(string? value) => value ?? "null";
}
