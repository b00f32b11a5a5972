using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models.Experts;

/// <summary>
/// p(y given x) = sum_k P(k given x) p(y given x, k), the last column y the target. With a softmax gate (Jordan &amp; Jacobs 1994) P(k
/// given x) = softmax(V [1, x])_k, or two levels of such choices (<see cref="SoftmaxTree"/>): parameters <c>gate_coefficients [K, D +
/// 1]</c> = V, the last row 0, then the experts'; the M-step of V is one Newton step (<see cref="SoftmaxNewton"/>), whose target is
/// averaged as a statistic, so that both recursions take the damped step V + gamma H^-1 G. Else P(k) = <c>weights [K]</c>, a mixture of
/// regressions (DeSarbo &amp; Cron 1988), or, where the experts know the features too, P(k given x) by Bayes' rule (Xu, Jordan &amp; Hinton
/// 1995). Statistics (averages): <c>masses [K]</c>, <c>gate_target</c> and what it is made of, then the experts'.
/// </summary>
internal sealed class MixtureOfExperts : EmissionModel
{
    private readonly double _precision;
    private readonly SoftmaxTree? _tree;

    /// <summary>Experts and what chooses them.</summary>
    /// <param name="type">The name in the catalogue.</param>
    /// <param name="experts">The components, over all columns.</param>
    /// <param name="tree">The softmax of the features that chooses; null where weights do.</param>
    /// <param name="precision">Of the normal prior of a softmax gate's coefficients; 0 for none.</param>
    public MixtureOfExperts(string type, Emission experts, SoftmaxTree? tree, double precision)
        : base(type, experts, OwnLayout(experts, tree), OwnSums(experts, tree))
    {
        (_tree, _precision) = (tree, precision);
        ScoreLayout = new VectorLayout().Add(MembershipBlock, Units.None, Domain.Simplex, Components)
            .Add("gate_probabilities", Units.None, Domain.Simplex, Components).Append(experts.ScoreLayout);
    }

    /// <inheritdoc/>
    public override VectorLayout ScoreLayout { get; }

    /// <inheritdoc/>
    public override string MembershipBlock => "responsibilities";

    /// <summary>The classes of a target that is one of several; else empty.</summary>
    public IReadOnlyList<string> TargetClasses { get; init; } = [];

    /// <inheritdoc/>
    public override IReadOnlyList<string> Classes => TargetClasses;

    /// <inheritdoc/>
    /// <remarks>Every expert knows all classes.</remarks>
    public override IReadOnlyList<string> ClassesOfComponents => [];

    /// <inheritdoc/>
    /// <remarks>Of the target alone, but where the experts know the features too.</remarks>
    public override bool IsDensityOf(int feature) => feature == Dimension - 1 || Emission is GaussianExperts;

    /// <inheritdoc/>
    /// <remarks>Features that are conditioned on cannot be drawn.</remarks>
    public override bool CanSample => Emission is GaussianExperts;

    /// <inheritdoc/>
    public override void Sample(ReadOnlySpan<double> parameters, RandomDraws draws, ref int state, Span<double> row)
    {
        if (!CanSample) throw new NotSupportedException($"Records cannot be drawn from {Type}: it knows no distribution of the features.");
        base.Sample(parameters, draws, ref state, row);
    }

    /// <inheritdoc/>
    public override int FreeParameters =>
        base.FreeParameters - (_tree?.RedundantParameters ?? 0);

    /// <inheritdoc/>
    public override ModelGraph Graph
    {
        get
        {
            var graph = new ModelGraph { Components = "K experts" };
            string[] gate = [.. ParameterLayout.Blocks.Where(block => block.Name.StartsWith("gate.", StringComparison.Ordinal))
                .Select(block => graph.Add(block.Name, isPerComponent: true))];
            string Features(params string[] parents) => graph.Add(new GraphVariable("x", GraphRole.Observed, parents));
            string Expert(params string[] parents) => graph.Add(new GraphVariable("z", GraphRole.Latent, parents));
            string x, z;
            if (_tree is not null)
            {
                x = Features();
                z = Expert([x, .. _tree.Parameters().Blocks.Select(block => graph.Add(block.Name, isPerComponent: true))]);
            }
            else
            {
                z = Expert(graph.Add("weights"));
                x = gate.Length > 0 ? Features([z, .. gate]) : Features();
            }
            string[] own = [.. Emission.ParameterLayout.Blocks.Where(block => !gate.Contains(block.Name))
                .Select(block => graph.Add(block.Name, isPerComponent: true))];
            graph.Add(new GraphVariable("y", GraphRole.Observed, [x, z, .. own]));
            return graph;
        }
    }

    /// <inheritdoc/>
    /// <remarks>A softmax gate goes by Newton steps.</remarks>
    public override EmSteps Steps => _tree is { IsLearned: true } ? base.Steps | EmSteps.Generalized : base.Steps;

    /// <inheritdoc/>
    public override void Hold(BlockNames blocks)
    {
        base.Hold(blocks);
        if (_tree is null) return;
        _tree.IsRootFixed = FixedBlocks.Any(block => block.Name == SoftmaxTree.Root);
        _tree.AreNestedFixed = FixedBlocks.Any(block => block.Name == SoftmaxTree.Nested);
    }

    /// <inheritdoc/>
    public override EStep Prepare(ReadOnlyMemory<double> parameters, EStep? spent = null)
    {
        var result = spent as MixtureEStep ?? new MixtureEStep(
            Components, Dimension, StatisticsLayout.Length, ScoreLayout.Length, SoftResponsibilities.Instance)
        {
            Gate = _tree is null ? null : new SoftmaxGate(_tree),
            Predicts = true,
        };
        Span<double> shares = Components <= 64 ? stackalloc double[Components] : new double[Components];
        Shares(parameters.Span, shares);
        (result.Gate as SoftmaxGate)?.Set(parameters.Span[..OwnParameters]);
        result.Set(shares, Emission.Prepare(parameters[OwnParameters..], result.Emission));
        return result;
    }

    /// <inheritdoc/>
    public override void Summarize(Span<double> averages, ReadOnlySpan<double> parameters)
    {
        _tree?.Summarize(averages[Components..OwnStatistics], parameters[..OwnParameters]);
        base.Summarize(averages, parameters);
    }

    /// <inheritdoc/>
    public override void Maximize(
        ReadOnlySpan<double> statistics, RowsWorth rows, ReadOnlySpan<double> previous, Span<double> result, ModelEvents events)
    {
        ReadOnlySpan<double> masses = statistics[..Components];
        double total = 0;
        foreach (double mass in masses) total += mass;
        if (!(total > 0))
        {
            previous.CopyTo(result);
            return;
        }
        previous[..OwnParameters].CopyTo(result);
        if (_tree is not null)
            _tree.Maximize(masses, statistics[Components..OwnStatistics], _precision, rows, result[..OwnParameters]);
        else for (int k = 0; k < Components; k++) result[k] = masses[k] / total;
        Emission.Maximize(masses, statistics[OwnStatistics..], rows, previous[OwnParameters..], result[OwnParameters..], events);
        KeepFixed(previous, result);
    }

    /// <inheritdoc/>
    /// <remarks>Of a softmax gate, which knows no shares without features, with equal ones.</remarks>
    public override void ImpliedStatistics(ReadOnlySpan<double> parameters, double effectiveRows, Span<double> result)
    {
        Span<double> shares = result[..Components];
        if (_tree is null) Shares(parameters, shares);
        else shares.Fill(1.0 / Components);
        _tree?.Imply(parameters[..OwnParameters], shares, _precision / effectiveRows, result[Components..OwnStatistics]);
        Emission.ImpliedStatistics(shares, parameters[OwnParameters..], effectiveRows, result[OwnStatistics..]);
    }

    /// <inheritdoc/>
    public override void Neutral(Span<double> result)
    {
        if (_tree is not null) result[..OwnParameters].Clear();
        else result[..Components].Fill(1.0 / Components);
        Emission.Neutral(result[OwnParameters..]);
    }

    /// <inheritdoc/>
    public override void Shares(ReadOnlySpan<double> parameters, Span<double> shares)
    {
        if (_tree is null) parameters[..Components].CopyTo(shares);
        else _tree.Shares(parameters[..OwnParameters], shares);
    }

    /// <inheritdoc/>
    protected override ReadOnlySpan<double> Mixing(ReadOnlySpan<double> parameters, int before) => parameters[..Components];

    /// <inheritdoc/>
    /// <remarks>Its share is the same whatever the features are, as before anything is known.</remarks>
    protected override void ReseedOwn(Span<double> parameters, Span<double> statistics, int component, double share, double factor)
    {
        if (_tree is null)
        {
            GiveShare(parameters[..Components], component, share);
            return;
        }
        _tree.Favour(parameters, component, share);
        Span<double> equal = Components <= 256 ? stackalloc double[Components] : new double[Components];
        equal.Fill(1.0 / Components);
        _tree.Imply(parameters, equal, 0, statistics[Components..]);
    }

    private static VectorLayout OwnLayout(Emission experts, SoftmaxTree? tree) =>
        tree?.Parameters() ?? new VectorLayout().Add("weights", Units.None, Domain.Simplex, experts.Components);

    private static VectorLayout OwnSums(Emission experts, SoftmaxTree? tree)
    {
        VectorLayout layout = new VectorLayout().Add("masses", experts.Components);
        tree?.AddStatistics(layout);
        return layout;
    }
}
