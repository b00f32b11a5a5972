namespace StreamEm.Core.Models.Networks;

/// <summary>
/// How the unobserved nodes of a record are summed out, for one set of them: an order of elimination by fewest edges to fill in (Koller
/// &amp; Friedman 2009, section 9.4.3), and for every node eliminated its clique - itself and what it is still connected with - as a node
/// of a tree whose messages give all marginals exactly in one pass up and one down (section 10.2). Immutable, of the structure alone.
/// </summary>
internal sealed class EliminationPlan
{
    /// <summary>The most entries of all cliques' tables together.</summary>
    public const int Limit = 1 << 20;

    private EliminationPlan(IReadOnlyList<Clique> cliques, int[] observed, long entries) =>
        (Cliques, Observed, Entries) = (cliques, observed, entries);

    /// <summary>The cliques, in the order of elimination: a clique's parent comes after it. Empty where they are too large.</summary>
    public IReadOnlyList<Clique> Cliques { get; }

    /// <summary>The nodes whose family - itself and its parents - is observed.</summary>
    public int[] Observed { get; }

    /// <summary>Entries of all cliques' tables together.</summary>
    public long Entries { get; }

    /// <summary>Whether the tables are small enough.</summary>
    public bool IsFeasible => Entries <= Limit;

    /// <summary>Plans for a set of unobserved nodes.</summary>
    public static EliminationPlan For(Network network, bool[] isUnobserved)
    {
        int nodes = network.Nodes.Count;
        int[][] scopes = [.. network.Members.Select(members => members.Where(node => isUnobserved[node]).ToArray())];
        var edges = new HashSet<int>[nodes];
        for (int node = 0; node < nodes; node++) edges[node] = [];
        foreach (int[] scope in scopes)
            foreach (int a in scope)
                foreach (int b in scope)
                    if (a != b) edges[a].Add(b);

        var left = Enumerable.Range(0, nodes).Where(node => isUnobserved[node]).ToList();
        var eliminated = new List<(int Node, int[] Clique)>();
        long entries = 0;
        while (left.Count > 0)
        {
            int next = left.MinBy(node => (Fill(edges, node), node));
            int[] clique = [.. edges[next].Append(next).Order()];
            entries += clique.Aggregate(1L, (product, node) => Math.Min(product * network.Nodes[node].States, 1L << 40));
            eliminated.Add((next, clique));
            foreach (int a in edges[next])
            {
                edges[a].Remove(next);
                foreach (int b in edges[next])
                    if (a != b) edges[a].Add(b);
            }
            left.Remove(next);
        }
        int[] observed = [.. Enumerable.Range(0, nodes).Where(node => scopes[node].Length == 0)];
        return new EliminationPlan(entries > Limit ? [] : Tree(network, scopes, eliminated), observed, entries);
    }

    private static List<Clique> Tree(Network network, int[][] scopes, List<(int Node, int[] Clique)> eliminated)
    {
        int[] place = new int[network.Nodes.Count];
        for (int at = 0; at < eliminated.Count; at++) place[eliminated[at].Node] = at;
        var cliques = new List<Clique>();
        for (int at = 0; at < eliminated.Count; at++)
        {
            (int node, int[] members) = eliminated[at];
            int[] separator = [.. members.Where(other => other != node)];
            int parent = separator.Length == 0 ? -1 : separator.Min(other => place[other]);
            int[] families = [.. Enumerable.Range(0, scopes.Length)
                .Where(family => scopes[family].Length > 0 && scopes[family].Min(other => place[other]) == at)];
            cliques.Add(new Clique(network, node, members, separator, families, parent, parent < 0 ? [] : eliminated[parent].Clique));
        }
        return cliques;
    }

    /// <summary>Edges that eliminating a node would add between its neighbours.</summary>
    private static int Fill(HashSet<int>[] edges, int node)
    {
        int missing = 0;
        foreach (int a in edges[node])
            foreach (int b in edges[node])
                if (a < b && !edges[a].Contains(b)) missing++;
        return missing;
    }
}

/// <summary>A node that is eliminated, with what it is then connected with.</summary>
internal sealed class Clique
{
    /// <summary>A clique of a tree.</summary>
    public Clique(Network network, int node, int[] members, int[] separator, int[] families, int parent, int[] parentMembers)
    {
        (Node, Families, Parent) = (node, families, parent);
        Size = members.Aggregate(1, (product, member) => product * network.Nodes[member].States);
        SeparatorSize = separator.Aggregate(1, (product, member) => product * network.Nodes[member].States);
        Offsets = [.. families.Select(family => Indices(network, members, member =>
            Array.IndexOf(network.Members[family], member) is >= 0 and int axis ? network.Strides[family][axis] : 0))];
        int[] strides = StridesOf(network, separator);
        int StrideOf(int member) => Array.IndexOf(separator, member) is >= 0 and int axis ? strides[axis] : 0;
        Separator = Indices(network, members, StrideOf);
        ParentSeparator = parent < 0 ? [] : Indices(network, parentMembers, StrideOf);
        Own = Indices(network, members, member => member == node ? 1 : 0);
    }

    /// <summary>The node that is eliminated.</summary>
    public int Node { get; }

    /// <summary>Entries of its table.</summary>
    public int Size { get; }

    /// <summary>Entries of the message to its parent.</summary>
    public int SeparatorSize { get; }

    /// <summary>The nodes whose tables are multiplied in here.</summary>
    public int[] Families { get; }

    /// <summary>The place of the clique that the message goes to; -1 for none.</summary>
    public int Parent { get; }

    /// <summary>Of each family, for every entry of the clique's table, where in the family's table it is, beside what is
    /// observed.</summary>
    public int[][] Offsets { get; }

    /// <summary>For every entry of the clique's table, which of the message it adds to.</summary>
    public int[] Separator { get; }

    /// <summary>For every entry of the parent's table, which of the message it is multiplied by.</summary>
    public int[] ParentSeparator { get; }

    /// <summary>For every entry of the clique's table, the state of the node that is eliminated.</summary>
    public int[] Own { get; }

    private static int[] StridesOf(Network network, int[] members)
    {
        int[] strides = new int[members.Length];
        int stride = 1;
        for (int axis = members.Length - 1; axis >= 0; axis--)
        {
            strides[axis] = stride;
            stride *= network.Nodes[members[axis]].States;
        }
        return strides;
    }

    /// <summary>For every entry of a table over members, row-major, the sum of their states times strides.</summary>
    private static int[] Indices(Network network, int[] members, Func<int, int> stride)
    {
        int[] result = [0];
        foreach (int member in members)
        {
            int step = stride(member), states = network.Nodes[member].States;
            int[] longer = new int[result.Length * states];
            for (int at = 0; at < longer.Length; at++) longer[at] = result[at / states] + at % states * step;
            result = longer;
        }
        return result;
    }
}
