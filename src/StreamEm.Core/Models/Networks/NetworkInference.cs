using System.Runtime.InteropServices;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Networks;

/// <summary>
/// The posterior of a record's unobserved nodes by variable elimination. Plans are kept for the sets of unobserved nodes met; which are
/// kept changes no result. Memory of one thread.
/// </summary>
internal sealed class NetworkInference
{
    private const int MaxPlans = 512;

    private readonly Network _network;
    private readonly int[] _starts, _states, _bases;
    private readonly bool[] _isUnobserved;
    private readonly char[] _key;
    private readonly Dictionary<string, EliminationPlan> _plans = new(StringComparer.Ordinal);
    private readonly Dictionary<string, EliminationPlan>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    private readonly List<double[]> _tables = [], _messages = [], _ratios = [];
    private EliminationPlan? _plan;

    /// <summary>For networks of this structure.</summary>
    /// <param name="network">The nodes.</param>
    /// <param name="starts">Where the table of each begins.</param>
    public NetworkInference(Network network, int[] starts)
    {
        (_network, _starts) = (network, starts);
        int nodes = network.Nodes.Count;
        (_states, _bases, _isUnobserved, _key) = (new int[nodes], new int[nodes], new bool[nodes], new char[nodes]);
        _lookup = _plans.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>Whether any node of the record last seen is unobserved.</summary>
    public bool HasUnobserved { get; private set; }

    /// <summary>Takes a record's codes; NaN is unobserved, as are all nodes after the features.</summary>
    /// <returns>False, and nothing may be asked, where the tables would be too large.</returns>
    public bool See(ReadOnlySpan<double> row)
    {
        HasUnobserved = false;
        for (int node = 0; node < _states.Length; node++)
        {
            bool isUnobserved = node >= row.Length || double.IsNaN(row[node]);
            HasUnobserved |= _isUnobserved[node] = isUnobserved;
            _states[node] = isUnobserved ? 0 : Math.Clamp((int)row[node], 0, _network.Nodes[node].States - 1);
            _key[node] = isUnobserved ? '1' : '0';
        }
        if (!_lookup.TryGetValue(_key, out _plan))
        {
            if (_plans.Count == MaxPlans) _plans.Clear();
            _plans.Add(new string(_key), _plan = EliminationPlan.For(_network, _isUnobserved));
        }
        for (int node = 0; node < _bases.Length; node++)
        {
            int[] members = _network.Members[node], strides = _network.Strides[node];
            int at = _starts[node];
            for (int axis = 0; axis < members.Length; axis++) at += _states[members[axis]] * strides[axis];
            _bases[node] = at;
        }
        return _plan.IsFeasible;
    }

    /// <summary>log p of what is observed, nats; negative infinity where it cannot be. Afterwards every table is a posterior.</summary>
    /// <param name="tables">The nodes' tables.</param>
    public double Infer(ReadOnlySpan<double> tables)
    {
        double logDensity = 0;
        foreach (int family in _plan!.Observed) logDensity += ScalarMath.Log(tables[_bases[family]]);
        for (int at = 0; at < _plan.Cliques.Count; at++)
        {
            Clique clique = _plan.Cliques[at];
            Span<double> table = Room(_tables, at, clique.Size);
            table.Fill(1);
            for (int family = 0; family < clique.Families.Length; family++)
            {
                int[] offsets = clique.Offsets[family];
                ReadOnlySpan<double> factor = tables[_bases[clique.Families[family]]..];
                for (int entry = 0; entry < table.Length; entry++) table[entry] *= factor[offsets[entry]];
            }
            for (int child = 0; child < at; child++)
                if (_plan.Cliques[child].Parent == at) Multiply(table, _plan.Cliques[child].ParentSeparator, _messages[child]);
            logDensity += Send(clique, table, Room(_messages, at, clique.SeparatorSize));
        }
        if (double.IsNegativeInfinity(logDensity) || double.IsNaN(logDensity)) return double.NegativeInfinity;
        for (int at = _plan.Cliques.Count - 1; at >= 0; at--) Receive(at);
        return logDensity;
    }

    /// <summary>Adds a weight times the posterior of every family to statistics of the tables' layout.</summary>
    /// <param name="logs">Logarithms of the tables.</param>
    /// <param name="weight">The record's weight.</param>
    /// <param name="statistics">Added to.</param>
    /// <returns>E[log p(x, hidden)] of the families that are not observed.</returns>
    public double AddFamilies(ReadOnlySpan<double> logs, double weight, Span<double> statistics)
    {
        double energy = 0;
        foreach (int family in _plan!.Observed) statistics[_bases[family]] += weight;
        for (int at = 0; at < _plan.Cliques.Count; at++)
        {
            Clique clique = _plan.Cliques[at];
            ReadOnlySpan<double> table = _tables[at].AsSpan(0, clique.Size);
            for (int family = 0; family < clique.Families.Length; family++)
            {
                int[] offsets = clique.Offsets[family];
                int first = _bases[clique.Families[family]];
                for (int entry = 0; entry < table.Length; entry++)
                {
                    if (table[entry] == 0) continue;
                    ref double sum = ref statistics[first + offsets[entry]];
                    sum = Math.FusedMultiplyAdd(weight, table[entry], sum);
                    energy = Math.FusedMultiplyAdd(table[entry], logs[first + offsets[entry]], energy);
                }
            }
        }
        return energy;
    }

    /// <summary>log p of the families that are observed.</summary>
    public double LogObserved(ReadOnlySpan<double> logs)
    {
        double sum = 0;
        foreach (int family in _plan!.Observed) sum += logs[_bases[family]];
        return sum;
    }

    /// <summary>The posterior of every node, one after another; of one that is observed, its state.</summary>
    public void Marginals(Span<double> result)
    {
        result.Clear();
        int first = 0;
        int[] places = new int[_states.Length];
        for (int node = 0; node < _states.Length; node++)
        {
            places[node] = first;
            if (!_isUnobserved[node]) result[first + _states[node]] = 1;
            first += _network.Nodes[node].States;
        }
        for (int at = 0; at < _plan!.Cliques.Count; at++)
        {
            Clique clique = _plan.Cliques[at];
            for (int entry = 0; entry < clique.Size; entry++) result[places[clique.Node] + clique.Own[entry]] += _tables[at][entry];
        }
    }

    /// <summary>Sums a node out; the message sums to 1, and what it summed to before is told as a logarithm.</summary>
    private static double Send(Clique clique, Span<double> table, Span<double> message)
    {
        message.Clear();
        double total = 0;
        for (int entry = 0; entry < table.Length; entry++)
        {
            message[clique.Separator[entry]] += table[entry];
            total += table[entry];
        }
        if (!(total > 0)) return double.NegativeInfinity;
        for (int entry = 0; entry < table.Length; entry++) table[entry] /= total;
        for (int entry = 0; entry < message.Length; entry++) message[entry] /= total;
        return ScalarMath.Log(total);
    }

    /// <summary>Makes a clique's table the posterior, its parent's being one.</summary>
    private void Receive(int at)
    {
        Clique clique = _plan!.Cliques[at];
        if (clique.Parent < 0) return;
        Span<double> ratio = Room(_ratios, at, clique.SeparatorSize);
        ratio.Clear();
        ReadOnlySpan<double> parent = _tables[clique.Parent].AsSpan(0, _plan.Cliques[clique.Parent].Size);
        for (int entry = 0; entry < parent.Length; entry++) ratio[clique.ParentSeparator[entry]] += parent[entry];
        for (int entry = 0; entry < ratio.Length; entry++) ratio[entry] = ratio[entry] > 0 ? ratio[entry] / _messages[at][entry] : 0;
        Multiply(_tables[at].AsSpan(0, clique.Size), clique.Separator, ratio);
    }

    private static void Multiply(Span<double> table, int[] indices, ReadOnlySpan<double> factor)
    {
        for (int entry = 0; entry < table.Length; entry++) table[entry] *= factor[indices[entry]];
    }

    private static Span<double> Room(List<double[]> of, int at, int size)
    {
        while (of.Count <= at) of.Add([]);
        if (of[at].Length < size) CollectionsMarshal.AsSpan(of)[at] = new double[Math.Max(size, 2 * of[at].Length)];
        return of[at].AsSpan(0, size);
    }
}
