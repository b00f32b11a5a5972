using System.Diagnostics.CodeAnalysis;

namespace StreamEm.Core.Settings;

/// <summary>A value or null.</summary>
public sealed class NullableKind<TValue>(ValueKind<TValue> kind) : ValueKind<TValue?>
    where TValue : struct
{
    /// <inheritdoc/>
    public override string Expected => $"{kind.Expected}, or null";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Words => kind.Words;

    /// <inheritdoc/>
    public override ValueForm Form => kind.Form;

    /// <inheritdoc/>
    public override bool IsNullable => true;

    /// <inheritdoc/>
    public override bool TryParse(string? text, out TValue? value)
    {
        value = null;
        if (text is null) return true;
        if (!kind.TryParse(text, out TValue known)) return false;
        value = known;
        return true;
    }

    /// <inheritdoc/>
    public override string Format(TValue? value) => value is { } known ? kind.Format(known) : "null";
}

/// <summary>A text that is not empty and has no NUL, or null.</summary>
public sealed class OptionalTextKind(string expected = "a text that is not empty, or null") : ValueKind<string?>
{
    /// <inheritdoc/>
    public override string Expected => expected;

    /// <inheritdoc/>
    public override bool IsNullable => true;

    /// <inheritdoc/>
    public override bool TryParse(string? text, [MaybeNullWhen(false)] out string? value)
    {
        value = text;
        return text is not "" && text?.Contains('\0', StringComparison.Ordinal) is not true;
    }

    /// <inheritdoc/>
    public override string Format(string? value) => value ?? "null";
}
