using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models.Experts;

/// <summary>
/// The nodes of a softmax gate, each a choice of one of B branches by [1, x]: one node, whose branches are the experts, or a root and a
/// node under each of its branches, P(expert ij given x) = P(i given x) P(j given i, x), as in the hierarchical mixture of experts of
/// Jordan &amp; Jacobs (1994, section 2). Parameters: <c>gate_coefficients [B, D + 1]</c>, and of the second level
/// <c>nested_gate_coefficients [B, B, D + 1]</c>; the last row of every node is 0. Of every node the statistics of
/// <see cref="SoftmaxNewton"/>, its rows weighted by the responsibilities of the experts under it.
/// </summary>
internal sealed class SoftmaxTree
{
    /// <summary>The name of the root's parameters.</summary>
    public const string Root = "gate_coefficients";

    /// <summary>The name of the parameters of the nodes under it.</summary>
    public const string Nested = "nested_gate_coefficients";

    /// <summary>A tree whose every node has as many branches.</summary>
    /// <param name="branches">B.</param>
    /// <param name="depth">1 or 2.</param>
    /// <param name="size">D + 1.</param>
    public SoftmaxTree(int branches, int depth, int size) =>
        (Branches, Depth, Newton) = (branches, depth, new SoftmaxNewton(branches, size));

    /// <summary>B.</summary>
    public int Branches { get; }

    /// <summary>Levels: 1 or 2.</summary>
    public int Depth { get; }

    /// <summary>What a node is learned by.</summary>
    public SoftmaxNewton Newton { get; }

    /// <summary>Nodes: the root, then those under its branches.</summary>
    public int Nodes => Depth == 1 ? 1 : 1 + Branches;

    /// <summary>Experts K.</summary>
    public int Leaves => Depth == 1 ? Branches : Branches * Branches;

    /// <summary>Doubles of the statistics.</summary>
    public int StatisticsLength => Nodes * Newton.Length;

    /// <summary>Whether the root stays what it is.</summary>
    public bool IsRootFixed { get; set; }

    /// <summary>Whether the nodes under it stay what they are.</summary>
    public bool AreNestedFixed { get; set; }

    /// <summary>Whether any node is learned.</summary>
    public bool IsLearned => !IsRootFixed || (Depth > 1 && !AreNestedFixed);

    /// <summary>Coefficients that are 0 by definition of nodes that are learned.</summary>
    public int RedundantParameters => ((IsRootFixed ? 0 : 1) + (AreNestedFixed ? 0 : Nodes - 1)) * Newton.Size;

    private int Each => Branches * Newton.Size;

    /// <summary>Blocks of the parameters.</summary>
    public VectorLayout Parameters()
    {
        VectorLayout layout = new VectorLayout().Add(Root, Units.Logits, Domain.Real, Branches, Newton.Size);
        return Depth == 1 ? layout : layout.Add(Nested, Units.Logits, Domain.Real, Branches, Branches, Newton.Size);
    }

    /// <summary>Adds blocks of the statistics.</summary>
    public void AddStatistics(VectorLayout layout)
    {
        layout.Add("gate_target", Branches - 1, Newton.Size).Add("gate_gradient", Branches - 1, Newton.Size)
            .Add("gate_curvature", Packed.Length(Newton.Free)).Add("gate_design", Packed.Length(Newton.Size));
        if (Depth > 1) layout.Add("nested_gates", Branches, Newton.Length);
    }

    /// <summary>See <see cref="LatentModel.Summarize"/>.</summary>
    public void Summarize(Span<double> averages, ReadOnlySpan<double> parameters)
    {
        for (int node = 0; node < Nodes; node++)
        {
            Span<double> own = averages.Slice(node * Newton.Length, Newton.Length);
            if (node == 0 ? IsRootFixed : AreNestedFixed) Newton.Stay(Of(parameters, node), own);
            else Newton.Aim(Of(parameters, node), own);
        }
    }

    /// <summary>V from averages; a node whose experts have less than a record keeps what it has.</summary>
    /// <param name="masses">Of the experts [K].</param>
    /// <param name="statistics">Averages.</param>
    /// <param name="precision">tau.</param>
    /// <param name="rows">What they are worth.</param>
    /// <param name="result">V; what it was before on entry.</param>
    public void Maximize(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> statistics, double precision, RowsWorth rows, Span<double> result)
    {
        for (int node = 0; node < Nodes; node++)
        {
            if (node > 0 && MassOf(masses, node) * rows.Evidence < ComponentEvidence.OneRow) continue;
            Newton.Take(
                statistics.Slice(node * Newton.Length, Newton.Length), precision / rows.Prior, result.Slice(node * Each, Each));
        }
    }

    /// <summary>Averages that <see cref="Maximize"/> maps to V.</summary>
    /// <param name="parameters">V.</param>
    /// <param name="masses">Of the experts [K].</param>
    /// <param name="ridge">tau / n.</param>
    /// <param name="result">Overwritten.</param>
    public void Imply(ReadOnlySpan<double> parameters, ReadOnlySpan<double> masses, double ridge, Span<double> result)
    {
        for (int node = 0; node < Nodes; node++)
            Newton.Imply(Of(parameters, node), ridge, node == 0 ? 1 : MassOf(masses, node),
                result.Slice(node * Newton.Length, Newton.Length));
    }

    /// <summary>P(k) of a record all of whose features are at the origin [K]; overwritten.</summary>
    public void Shares(ReadOnlySpan<double> parameters, Span<double> shares)
    {
        double total = 0;
        for (int k = 0; k < shares.Length; k++)
            total += shares[k] = Depth == 1
                ? Share(parameters, 0, k)
                : Share(parameters, 0, k / Branches) * Share(parameters, 1 + k / Branches, k % Branches);
        foreach (ref double share in shares) share /= total;
    }

    /// <summary>Gives an expert a share, the same whatever the features are, of its node; the others of the node share out the rest as
    /// before.</summary>
    /// <param name="parameters">V.</param>
    /// <param name="expert">Which.</param>
    /// <param name="share">Of all records; of a node that has less, half of it.</param>
    public void Favour(Span<double> parameters, int expert, double share)
    {
        int node = Depth == 1 ? 0 : 1 + expert / Branches, branch = Depth == 1 ? expert : expert % Branches, size = Newton.Size;
        if (node > 0) share = Math.Min(0.5, share / Share(parameters, 0, node - 1));
        Span<double> own = parameters.Slice(node * Each, Each), row = own.Slice(branch * size, size);
        double others = LogSum(own, branch);
        row.Clear();
        row[0] = others + ScalarMath.Log(share / (1 - share));
        // The last row is 0: the others are relative to it.
        Span<double> last = own.Slice((Branches - 1) * size, size);
        for (int k = 0; k < Branches - 1; k++)
            for (int at = 0; at < size; at++) own[k * size + at] -= last[at];
        last.Clear();
    }

    private ReadOnlySpan<double> Of(ReadOnlySpan<double> parameters, int node) => parameters.Slice(node * Each, Each);

    /// <summary>The mass of the experts under a node that is not the root.</summary>
    private double MassOf(ReadOnlySpan<double> masses, int node)
    {
        double mass = 0;
        foreach (double one in masses.Slice((node - 1) * Branches, Branches)) mass += one;
        return mass;
    }

    private double Share(ReadOnlySpan<double> parameters, int node, int branch)
    {
        ReadOnlySpan<double> own = Of(parameters, node);
        return ScalarMath.Exp(own[branch * Newton.Size] - LogSum(own, -1));
    }

    /// <summary>log of the sum of exp of the intercepts, but for one branch.</summary>
    private double LogSum(ReadOnlySpan<double> node, int without)
    {
        double max = double.NegativeInfinity, sum = 0;
        for (int k = 0; k < Branches; k++)
            if (k != without) max = Math.Max(max, node[k * Newton.Size]);
        for (int k = 0; k < Branches; k++)
            if (k != without) sum += ScalarMath.Exp(node[k * Newton.Size] - max);
        return max + ScalarMath.Log(sum);
    }
}
