using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Nodes;
using StreamEm.Core.Settings;

namespace StreamEm.Core.Models.Classifiers;

/// <summary>Names of classes, in their order; equal where the names are.</summary>
/// <param name="Names">The names; none where the first records say them.</param>
internal sealed record ClassNames(IReadOnlyList<string> Names)
{
    /// <summary>No class yet.</summary>
    public static ClassNames None { get; } = new([]);

    /// <inheritdoc/>
    public bool Equals(ClassNames? other) => other is not null && Names.SequenceEqual(other.Names);

    /// <inheritdoc/>
    public override int GetHashCode() => Names.Aggregate(0, HashCode.Combine);
}

/// <summary>A list of names of classes; a number is its text.</summary>
internal sealed class ClassNamesKind : ValueKind<ClassNames>
{
    /// <inheritdoc/>
    public override string Expected => "a list of different names of classes, such as [good, bad]";

    /// <inheritdoc/>
    public override ValueForm Form => ValueForm.Structure;

    /// <inheritdoc/>
    public override bool TryParse(string? text, [MaybeNullWhen(false)] out ClassNames value)
    {
        value = ClassNames.None;
        if (text is null or "null") return true;
        try
        {
            if (JsonNode.Parse(text) is not JsonArray list) return false;
            string[] names = [.. list.Select(item => item?.GetValueKind() switch
            {
                JsonValueKind.String => item.GetValue<string>(),
                JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => item.ToJsonString(),
                _ => "",
            })];
            if (Array.Exists(names, string.IsNullOrWhiteSpace) || names.Distinct(StringComparer.Ordinal).Count() < names.Length)
                return false;
            value = new ClassNames(names);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public override string Format(ClassNames value) => JsonSerializer.Serialize(value.Names);
}
