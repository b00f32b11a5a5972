using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using StreamEm.Core.Settings;

namespace StreamEm.Core.Models;

/// <summary>Names in the order written; equal where the names are.</summary>
/// <param name="Names">The names.</param>
internal sealed record NameList(IReadOnlyList<string> Names)
{
    /// <summary>No name.</summary>
    public static NameList None { get; } = new([]);

    /// <inheritdoc/>
    public bool Equals(NameList? other) => other is not null && Names.SequenceEqual(other.Names);

    /// <inheritdoc/>
    public override int GetHashCode() => Names.Aggregate(0, HashCode.Combine);
}

/// <summary>A list of different names.</summary>
/// <param name="expected">What is expected, for a person.</param>
internal sealed class NameListKind(string expected) : ValueKind<NameList>
{
    /// <inheritdoc/>
    public override string Expected => expected;

    /// <inheritdoc/>
    public override ValueForm Form => ValueForm.Structure;

    /// <inheritdoc/>
    public override bool TryParse(string? text, [MaybeNullWhen(false)] out NameList value)
    {
        value = NameList.None;
        if (text is null or "null") return true;
        try
        {
            string[]? names = JsonSerializer.Deserialize<string[]>(text);
            if (names is null || Array.Exists(names, string.IsNullOrEmpty) || names.Distinct().Count() < names.Length) return false;
            value = new NameList(names);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public override string Format(NameList value) => JsonSerializer.Serialize(value.Names);
}
