using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using StreamEm.Core.Settings;

namespace StreamEm.Core.Models.Networks;

/// <summary>The parents of every node, as far as they are given: nodes left out have none.</summary>
/// <param name="Parents">Parents by node, in the order written.</param>
internal sealed record NetworkStructure(IReadOnlyList<(string Node, IReadOnlyList<string> Parents)> Parents)
{
    /// <summary>No node has parents.</summary>
    public static NetworkStructure None { get; } = new([]);

    /// <summary>The parents of a node.</summary>
    public IReadOnlyList<string> Of(string node) => Parents.FirstOrDefault(entry => entry.Node == node).Parents ?? [];

    /// <inheritdoc/>
    public bool Equals(NetworkStructure? other) => other is not null && Parents.Count == other.Parents.Count
        && Parents.Zip(other.Parents, (a, b) => a.Node == b.Node && a.Parents.SequenceEqual(b.Parents)).All(isSame => isSame);

    /// <inheritdoc/>
    public override int GetHashCode() => Parents.Aggregate(0, (hash, entry) => HashCode.Combine(hash, entry.Node));
}

/// <summary>A mapping of nodes to lists of their parents, <c>{alarm: [burglary, earthquake]}</c>; its text is compact JSON.</summary>
internal sealed class NetworkStructureKind : ValueKind<NetworkStructure>
{
    /// <inheritdoc/>
    public override string Expected => "a mapping of nodes to lists of their parents, such as {alarm: [burglary, earthquake]}";

    /// <inheritdoc/>
    public override ValueForm Form => ValueForm.Structure;

    /// <inheritdoc/>
    public override bool TryParse(string? text, [MaybeNullWhen(false)] out NetworkStructure value)
    {
        value = NetworkStructure.None;
        if (text is null or "null") return true;
        if (MappingText.Read(text) is not { } mapping) return false;
        var parents = new List<(string, IReadOnlyList<string>)>();
        foreach ((string node, JsonNode? given) in mapping)
        {
            if (given is not (null or JsonArray)) return false;
            string[] names = [.. ((JsonArray?)given ?? []).Select(name => MappingText.Scalar(name) ?? "")];
            if (node.Length == 0 || names.Contains("") || names.Distinct().Count() < names.Length) return false;
            parents.Add((node, names));
        }
        value = new NetworkStructure(parents);
        return true;
    }

    /// <inheritdoc/>
    public override string Format(NetworkStructure value) => JsonSerializer.Serialize(
        new JsonObject(value.Parents.Select(entry => KeyValuePair.Create<string, JsonNode?>(
            entry.Node, new JsonArray([.. entry.Parents.Select(parent => (JsonNode)JsonValue.Create(parent))])))));
}

/// <summary>The nodes that no record holds, with the number of their states.</summary>
/// <param name="States">Number of states by node, in the order written.</param>
internal sealed record HiddenNodes(IReadOnlyList<(string Node, int States)> States)
{
    /// <summary>All nodes are in the records.</summary>
    public static HiddenNodes None { get; } = new([]);

    /// <inheritdoc/>
    public bool Equals(HiddenNodes? other) => other is not null && States.SequenceEqual(other.States);

    /// <inheritdoc/>
    public override int GetHashCode() => States.Aggregate(0, HashCode.Combine);
}

/// <summary>A mapping of hidden nodes to the number of their states, <c>{cause: 2}</c>; its text is compact JSON.</summary>
internal sealed class HiddenNodesKind : ValueKind<HiddenNodes>
{
    private const int MostStates = 1024;

    /// <inheritdoc/>
    public override string Expected =>
        FormattableString.Invariant($"a mapping of hidden nodes to the number of their states, in [2, {MostStates}], such as {{cause: 2}}");

    /// <inheritdoc/>
    public override ValueForm Form => ValueForm.Structure;

    /// <inheritdoc/>
    public override bool TryParse(string? text, [MaybeNullWhen(false)] out HiddenNodes value)
    {
        value = HiddenNodes.None;
        if (text is null or "null") return true;
        if (MappingText.Read(text) is not { } mapping) return false;
        var states = new List<(string, int)>();
        foreach ((string node, JsonNode? given) in mapping)
        {
            if (node.Length == 0 || !int.TryParse(MappingText.Scalar(given), CultureInfo.InvariantCulture, out int count)
                || count is < 2 or > MostStates)
                return false;
            states.Add((node, count));
        }
        value = new HiddenNodes(states);
        return true;
    }

    /// <inheritdoc/>
    public override string Format(HiddenNodes value) => JsonSerializer.Serialize(
        new JsonObject(value.States.Select(entry => KeyValuePair.Create<string, JsonNode?>(entry.Node, JsonValue.Create(entry.States)))));
}

/// <summary>Mappings as settings.</summary>
internal static class MappingText
{
    /// <summary>The mapping that a text is; null for another.</summary>
    public static JsonObject? Read(string text)
    {
        try
        {
            // Counting finds a name that occurs twice.
            return JsonNode.Parse(text) is JsonObject mapping && mapping.Count >= 0 ? mapping : null;
        }
        catch (Exception failure) when (failure is JsonException or ArgumentException)
        {
            return null;
        }
    }

    /// <summary>A single value as text; null for another.</summary>
    public static string? Scalar(JsonNode? node) => node is not JsonValue value ? null
        : value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : value.ToJsonString();
}
