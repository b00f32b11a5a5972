using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using StreamEm.Core.Settings;

namespace StreamEm.Core.Models.Networks;

/// <summary>A node as it is described.</summary>
/// <param name="Name">Its name: that of a feature, or of a hidden node.</param>
/// <param name="Levels">The names of its states in their order; none where they are learned from the stream.</param>
/// <param name="Parents">The names of its parents, in the order of its table's axes.</param>
internal sealed record DescribedNode(string Name, IReadOnlyList<string> Levels, IReadOnlyList<string> Parents)
{
    /// <summary>The states of a node that are only counted: 0, 1, ...</summary>
    public static IReadOnlyList<string> Numbered(int states) =>
        [.. Enumerable.Range(0, states).Select(state => state.ToString(CultureInfo.InvariantCulture))];

    /// <inheritdoc/>
    public bool Equals(DescribedNode? other) =>
        other is not null && Name == other.Name && Levels.SequenceEqual(other.Levels) && Parents.SequenceEqual(other.Parents);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Name, Levels.Count, Parents.Count);
}

/// <summary>What is said of the nodes: those of features that are not described have no parents, and their levels are learned.</summary>
/// <param name="Nodes">In the order written.</param>
internal sealed record NetworkNodes(IReadOnlyList<DescribedNode> Nodes)
{
    /// <summary>No node is described.</summary>
    public static NetworkNodes None { get; } = new([]);

    /// <summary>The parents of a node.</summary>
    public IReadOnlyList<string> ParentsOf(string node) => Nodes.FirstOrDefault(entry => entry.Name == node)?.Parents ?? [];

    /// <summary>The states of a node that are given; none where they are learned.</summary>
    public IReadOnlyList<string> LevelsOf(string node) => Nodes.FirstOrDefault(entry => entry.Name == node)?.Levels ?? [];

    /// <summary>The nodes that no record holds: those that are no features.</summary>
    public IReadOnlyList<DescribedNode> Hidden(IReadOnlyList<string> features) => [.. Nodes.Where(node => !features.Contains(node.Name))];

    /// <inheritdoc/>
    public bool Equals(NetworkNodes? other) => other is not null && Nodes.SequenceEqual(other.Nodes);

    /// <inheritdoc/>
    public override int GetHashCode() => Nodes.Aggregate(0, HashCode.Combine);
}

/// <summary>
/// A mapping of nodes to what they are, <c>{cause: {levels: 3}, alarm: {levels: [no, yes], parents: [cause]}}</c>; its text is compact
/// JSON. A number of levels stands for 0, 1, ...
/// </summary>
internal sealed class NetworkNodesKind : ValueKind<NetworkNodes>
{
    private const int MostStates = 1024;
    private const string Levels = "levels", Parents = "parents";

    /// <inheritdoc/>
    public override string Expected =>
        "a mapping of nodes to levels (a list, or a number) and parents, such as {cause: {levels: 2}, alarm: {parents: [cause]}}";

    /// <inheritdoc/>
    public override ValueForm Form => ValueForm.Structure;

    /// <inheritdoc/>
    public override bool TryParse(string? text, [MaybeNullWhen(false)] out NetworkNodes value)
    {
        value = NetworkNodes.None;
        if (text is null or "null") return true;
        if (Mapping(text) is not { } mapping) return false;
        var nodes = new List<DescribedNode>();
        foreach ((string name, JsonNode? given) in mapping)
        {
            if (name.Length == 0 || given is not (null or JsonObject)) return false;
            var node = (JsonObject?)given ?? [];
            if (node.Any(entry => entry.Key is not (Levels or Parents))) return false;
            if (!TryNames(node[Parents], out IReadOnlyList<string> parents) || !TryLevels(node[Levels], out IReadOnlyList<string> levels))
                return false;
            nodes.Add(new DescribedNode(name, levels, parents));
        }
        value = new NetworkNodes(nodes);
        return true;
    }

    /// <inheritdoc/>
    public override string Format(NetworkNodes value)
    {
        var mapping = new JsonObject();
        foreach (DescribedNode node in value.Nodes)
        {
            var described = new JsonObject();
            if (node.Levels.SequenceEqual(DescribedNode.Numbered(node.Levels.Count)) && node.Levels.Count > 0)
                described[Levels] = node.Levels.Count;
            else if (node.Levels.Count > 0) described[Levels] = List(node.Levels);
            if (node.Parents.Count > 0) described[Parents] = List(node.Parents);
            mapping[node.Name] = described;
        }
        return JsonSerializer.Serialize(mapping);
    }

    private static JsonArray List(IEnumerable<string> names) => new([.. names.Select(name => (JsonNode)JsonValue.Create(name))]);

    /// <summary>The mapping that a text is; null for another.</summary>
    private static JsonObject? Mapping(string text)
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

    private static bool TryLevels(JsonNode? given, out IReadOnlyList<string> levels)
    {
        levels = [];
        if (given is null) return true;
        if (given is JsonArray) return TryNames(given, out levels) && levels.Count is >= 2 and <= MostStates;
        if (!int.TryParse(Scalar(given), CultureInfo.InvariantCulture, out int count) || count is < 2 or > MostStates) return false;
        levels = DescribedNode.Numbered(count);
        return true;
    }

    private static bool TryNames(JsonNode? given, out IReadOnlyList<string> names)
    {
        names = [];
        if (given is null) return true;
        if (given is not JsonArray list) return false;
        names = [.. list.Select(name => Scalar(name) ?? "")];
        return !names.Contains("") && names.Distinct().Count() == names.Count;
    }

    /// <summary>A single value as text; null for another.</summary>
    private static string? Scalar(JsonNode? node) => node is not JsonValue value ? null
        : value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : value.ToJsonString();
}
