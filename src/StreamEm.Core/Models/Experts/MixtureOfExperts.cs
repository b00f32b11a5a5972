using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models.Experts;

/// <summary>
/// p(y given x) = sum_k P(k given x) p(y given x, k), the last column y the target. With a softmax gate (Jordan &amp; Jacobs 1994) P(k
/// given x) = softmax(V [1, x])_k: parameters <c>gate_coefficients [K, D + 1]</c> = V, the last row 0, then the experts'; the M-step of V
/// is one Newton step (<see cref="SoftmaxNewton"/>), whose target is averaged as a statistic, so that both recursions take the damped step
/// V + gamma H^-1 G. Else P(k) = <c>weights [K]</c>, a mixture of regressions (DeSarbo &amp; Cron 1988), or, where the experts know the
/// features too, P(k given x) by Bayes' rule (Xu, Jordan &amp; Hinton 1995). Statistics (averages): <c>masses [K]</c>,
/// <c>gate_target</c> and what it is made of, then the experts'.
/// </summary>
internal sealed class MixtureOfExperts : EmissionModel
{
    private readonly bool _isSoftmax;
    private readonly double _precision;
    private readonly SoftmaxNewton _newton;
    private bool _gateIsFixed;

    /// <summary>Experts and what chooses them.</summary>
    /// <param name="type">The name in the catalogue.</param>
    /// <param name="experts">The components, over all columns.</param>
    /// <param name="isSoftmax">Whether a softmax of the features chooses, not weights.</param>
    /// <param name="precision">Of the normal prior of a softmax gate's coefficients; 0 for none.</param>
    public MixtureOfExperts(string type, Emission experts, bool isSoftmax, double precision)
        : base(type, experts, OwnLayout(experts, isSoftmax), OwnSums(experts, isSoftmax))
    {
        (_isSoftmax, _precision) = (isSoftmax, precision);
        _newton = new SoftmaxNewton(experts.Components, experts.Dimension);
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
        base.FreeParameters - (_isSoftmax && !_gateIsFixed ? _newton.Size : 0);

    /// <inheritdoc/>
    public override void Hold(BlockNames blocks)
    {
        base.Hold(blocks);
        _gateIsFixed = FixedBlocks.Any(block => block.Name == "gate_coefficients");
    }

    /// <inheritdoc/>
    public override EStep Prepare(ReadOnlyMemory<double> parameters, EStep? spent = null)
    {
        var result = spent as MixtureEStep ?? new MixtureEStep(
            Components, Dimension, StatisticsLayout.Length, ScoreLayout.Length, SoftResponsibilities.Instance)
        {
            Gate = _isSoftmax ? new SoftmaxGate(_newton) : null,
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
        if (_isSoftmax)
        {
            Span<double> gate = averages[Components..OwnStatistics];
            if (_gateIsFixed) _newton.Stay(parameters[..OwnParameters], gate);
            else _newton.Aim(parameters[..OwnParameters], gate);
        }
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
        if (_isSoftmax) _newton.Take(statistics[Components..OwnStatistics], _precision / rows.Prior, result[..OwnParameters]);
        else for (int k = 0; k < Components; k++) result[k] = masses[k] / total;
        Emission.Maximize(masses, statistics[OwnStatistics..], rows, previous[OwnParameters..], result[OwnParameters..], events);
        KeepFixed(previous, result);
    }

    /// <inheritdoc/>
    /// <remarks>Of a softmax gate, which knows no shares without features, with equal ones.</remarks>
    public override void ImpliedStatistics(ReadOnlySpan<double> parameters, double effectiveRows, Span<double> result)
    {
        Span<double> shares = result[..Components];
        if (_isSoftmax) shares.Fill(1.0 / Components);
        else Shares(parameters, shares);
        if (_isSoftmax)
            _newton.Imply(parameters[..OwnParameters], _precision / effectiveRows, 1, result[Components..OwnStatistics]);
        Emission.ImpliedStatistics(shares, parameters[OwnParameters..], effectiveRows, result[OwnStatistics..]);
    }

    /// <inheritdoc/>
    public override void Neutral(Span<double> result)
    {
        if (_isSoftmax) result[..OwnParameters].Clear();
        else result[..Components].Fill(1.0 / Components);
        Emission.Neutral(result[OwnParameters..]);
    }

    /// <inheritdoc/>
    public override void Shares(ReadOnlySpan<double> parameters, Span<double> shares)
    {
        if (!_isSoftmax)
        {
            parameters[..Components].CopyTo(shares);
            return;
        }
        double sum = LogSum(parameters, -1);
        for (int k = 0; k < Components; k++) shares[k] = ScalarMath.Exp(parameters[k * _newton.Size] - sum);
        double total = 0;
        foreach (double share in shares) total += share;
        for (int k = 0; k < Components; k++) shares[k] /= total;
    }

    /// <inheritdoc/>
    protected override ReadOnlySpan<double> Mixing(ReadOnlySpan<double> parameters, int before) => parameters[..Components];

    /// <inheritdoc/>
    /// <remarks>Its share is the same whatever the features are, as before anything is known.</remarks>
    protected override void ReseedOwn(Span<double> parameters, Span<double> statistics, int component, double share, double factor)
    {
        if (!_isSoftmax)
        {
            GiveShare(parameters[..Components], component, share);
            return;
        }
        int size = _newton.Size, last = Components - 1;
        Span<double> row = parameters.Slice(component * size, size);
        double others = LogSum(parameters, component);
        row.Clear();
        row[0] = others + ScalarMath.Log(share / (1 - share));
        // The last row is 0: the others are relative to it.
        for (int k = 0; k < Components; k++)
            for (int at = 0; at < size && k != last; at++) parameters[k * size + at] -= parameters[last * size + at];
        parameters.Slice(last * size, size).Clear();
        Span<double> gate = statistics[Components..];
        _newton.Imply(parameters, 0, 1, gate);
    }

    /// <summary>log of the sum of exp of the intercepts, but for one component.</summary>
    private double LogSum(ReadOnlySpan<double> parameters, int without)
    {
        double max = double.NegativeInfinity, sum = 0;
        for (int k = 0; k < Components; k++)
            if (k != without) max = Math.Max(max, parameters[k * _newton.Size]);
        for (int k = 0; k < Components; k++)
            if (k != without) sum += ScalarMath.Exp(parameters[k * _newton.Size] - max);
        return max + ScalarMath.Log(sum);
    }

    private static VectorLayout OwnLayout(Emission experts, bool isSoftmax) => isSoftmax
        ? new VectorLayout().Add("gate_coefficients", Units.Logits, Domain.Real, experts.Components, experts.Dimension)
        : new VectorLayout().Add("weights", Units.None, Domain.Simplex, experts.Components);

    private static VectorLayout OwnSums(Emission experts, bool isSoftmax)
    {
        var layout = new VectorLayout().Add("masses", experts.Components);
        if (!isSoftmax) return layout;
        var newton = new SoftmaxNewton(experts.Components, experts.Dimension);
        return layout.Add("gate_target", experts.Components - 1, newton.Size).Add("gate_gradient", experts.Components - 1, newton.Size)
            .Add("gate_curvature", Packed.Length(newton.Free)).Add("gate_design", Packed.Length(newton.Size));
    }
}
