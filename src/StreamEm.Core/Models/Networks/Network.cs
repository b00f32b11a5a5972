namespace StreamEm.Core.Models.Networks;

/// <summary>A node of a network.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Levels">The names of its states.</param>
/// <param name="Parents">The numbers of its parents.</param>
/// <param name="IsHidden">Whether no record holds it.</param>
internal sealed record NetworkNode(string Name, IReadOnlyList<string> Levels, IReadOnlyList<int> Parents, bool IsHidden)
{
    /// <summary>Number of its states.</summary>
    public int States => Levels.Count;
}

/// <summary>
/// The nodes of a directed graph without circles, features first, then those that are hidden. The table of a node, P(node given parents),
/// is row-major with its parents' states outermost and its own innermost.
/// </summary>
internal sealed class Network
{
    /// <summary>The nodes.</summary>
    public Network(IReadOnlyList<NetworkNode> nodes)
    {
        Nodes = nodes;
        Members = [.. nodes.Select((node, at) => (int[])[.. node.Parents, at])];
        Strides = [.. Members.Select(StridesOf)];
        Order = [.. Sorted()];
    }

    /// <summary>The nodes.</summary>
    public IReadOnlyList<NetworkNode> Nodes { get; }

    /// <summary>Of each node its parents and itself, in the order of its table's axes.</summary>
    public IReadOnlyList<int[]> Members { get; }

    /// <summary>Of each node the strides of its table's axes.</summary>
    public IReadOnlyList<int[]> Strides { get; }

    /// <summary>The nodes, parents before children.</summary>
    public IReadOnlyList<int> Order { get; }

    /// <summary>Entries of a node's table.</summary>
    public int Size(int node) => checked(Strides[node][0] * Nodes[Members[node][0]].States);

    /// <summary>A node that is its own ancestor; null where there is none.</summary>
    /// <param name="names">All nodes.</param>
    /// <param name="structure">Their parents.</param>
    public static string? Circle(IReadOnlyList<string> names, NetworkNodes structure)
    {
        var left = names.ToList();
        while (left.Count > 0)
        {
            int free = left.FindIndex(name => !structure.ParentsOf(name).Any(left.Contains));
            if (free < 0) return left[0];
            left.RemoveAt(free);
        }
        return null;
    }

    /// <summary>The states of a node's parents in a row of its table: <c>rain = yes, sprinkler = no</c>.</summary>
    public string NameParents(NetworkNode node, int row)
    {
        var names = new Stack<string>();
        for (int axis = node.Parents.Count - 1; axis >= 0; axis--)
        {
            NetworkNode parent = Nodes[node.Parents[axis]];
            names.Push($"{parent.Name} = {parent.Levels[row % parent.States]}");
            row /= parent.States;
        }
        return string.Join(", ", names);
    }

    private int[] StridesOf(int[] members)
    {
        int[] strides = new int[members.Length];
        int stride = 1;
        for (int axis = members.Length - 1; axis >= 0; axis--)
        {
            strides[axis] = stride;
            stride = checked(stride * Nodes[members[axis]].States);
        }
        return strides;
    }

    private IEnumerable<int> Sorted()
    {
        var left = Enumerable.Range(0, Nodes.Count).ToList();
        while (left.Count > 0)
        {
            int free = left.FindIndex(node => !Nodes[node].Parents.Any(left.Contains));
            if (free < 0) throw new ArgumentException($"Node '{Nodes[left[0]].Name}' is its own ancestor.");
            yield return left[free];
            left.RemoveAt(free);
        }
    }
}
