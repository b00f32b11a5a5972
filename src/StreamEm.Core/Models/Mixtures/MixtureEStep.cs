using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Mixtures;

/// <summary>
/// The E-step of a mixture: a loop over row blocks. Log-densities of all components, log weights added, labels clamped, normalised in log
/// space, weighted, and the emission's statistics added.
/// </summary>
internal sealed partial class MixtureEStep : EStep
{
    /// <summary>
    /// A log-density below this belongs to no component: values about 1e8 standard deviations away, whose squares would swamp the
    /// statistics.
    /// </summary>
    internal const double ImpossibleLogDensity = -1e16;

    /// <summary>Up to here rows are scored one by one: a block costs what 32 rows do.</summary>
    private const int FewRows = 8;

    private readonly int _components, _dimension, _statisticsLength, _scoreLength, _own;
    private readonly ResponsibilityRule _rule;
    private readonly double[] _weights, _logWeights, _peaks;
    private double _peak;
    private EmissionEStep? _set;

    /// <summary>Memory for <see cref="Set"/>.</summary>
    /// <param name="components">K.</param>
    /// <param name="dimension">D.</param>
    /// <param name="statisticsLength">Length of the statistics.</param>
    /// <param name="scoreLength">Length of a row's scores.</param>
    /// <param name="rule">How responsibilities are made where a pass does not say.</param>
    /// <param name="hasNoisyLabels">Whether labels are noisy observations of the component.</param>
    /// <param name="classes">Classes, each of as many components one after another, where labels name classes; else 0.</param>
    public MixtureEStep(
        int components, int dimension, int statisticsLength, int scoreLength, ResponsibilityRule rule, bool hasNoisyLabels = false,
        int classes = 0)
    {
        (_classes, _ofClass) = (classes, classes == 0 ? 1 : components / classes);
        (_components, _dimension, _statisticsLength, _scoreLength, _rule) = (components, dimension, statisticsLength, scoreLength, rule);
        _weights = new double[components];
        _logWeights = new double[ComponentLanes.Padded(components)];
        _peaks = new double[components];
        _logConfusion = hasNoisyLabels ? new double[components * components] : [];
        _own = components + _logConfusion.Length;
    }

    /// <summary>The components' part; null before <see cref="Set"/>.</summary>
    public EmissionEStep? Emission => _set;

    /// <summary>What is said of a record by its component alone; null where that is not said.</summary>
    public Quantization? Quantization { get; init; }

    private EmissionEStep Prepared => _set ?? throw new InvalidOperationException("The E-step has no parameters yet.");

    /// <summary>Takes parameters; from here on immutable until it is spent.</summary>
    /// <param name="own">The weights [K], and with noisy labels the confusion matrix [K, K].</param>
    /// <param name="emission">The components' part.</param>
    /// <param name="logWeights">What is added to the components' log-densities [K]; empty for the logarithms of the weights.</param>
    public void Set(ReadOnlySpan<double> own, EmissionEStep emission, ReadOnlySpan<double> logWeights = default)
    {
        _set = emission;
        for (int at = 0; at < _logConfusion.Length; at++) _logConfusion[at] = ScalarMath.Log(Math.Max(own[_components + at], LeastTrust));
        for (int k = 0; k < _components; k++)
        {
            _weights[k] = own[k];
            _logWeights[k] = logWeights.IsEmpty ? ScalarMath.Log(own[k]) : logWeights[k];
        }
        Array.Clear(_peaks);
        emission.AddPeaks(_peaks);
        _peak = double.NegativeInfinity;
        foreach (double peak in _peaks) _peak = Math.Max(_peak, peak);
    }

    public override Workspace CreateWorkspace() => new BlockWorkspace(_dimension, _components);

    public override Evidence Accumulate(
        Minibatch batch, int first, int count, Span<double> statistics, Span<double> logDensities, Workspace workspace)
    {
        if (statistics.Length != _statisticsLength)
            throw new ArgumentException(
                $"Statistics have {statistics.Length} values; this model has {_statisticsLength}.", nameof(statistics));
        var space = (BlockWorkspace)workspace;
        Span<double> joint = space.LogJoint, lanes = space.LogDensities;
        Evidence evidence = default;
        for (int at = 0; at < count; at += RowBlock.Capacity)
        {
            RowBlock block = space.Block;
            block.Fill(batch, first + at, Math.Min(RowBlock.Capacity, count - at));
            ResponsibilityRule rule = space.Pass.Rule ?? _rule;
            bool isNarrow = batch.Labels.IsEmpty && rule.IsNarrow(_components, space.Pass)
                && ActiveComponents.TryJoint(Prepared, block, _logWeights, space) >= 0;
            if (!isNarrow) Joint(block, joint);
            Compare(block, space);
            Evidence labelled = batch.Labels.IsEmpty ? default : TakeLabels(block, joint, space);
            joint.CopyTo(space.LogJointBefore);
            rule.Apply(joint, _components, lanes, block.Count, space.Pass);
            evidence += FreeEnergy.Split(labelled + Weigh(block, space), block.Count, space, _components, rule is SoftResponsibilities);
            WeightedSums.AddMasses(joint, _components, statistics[.._components], block.Count);
            if (_logConfusion.Length > 0 && !batch.Labels.IsEmpty) CountLabels(block, space, statistics[_components.._own]);
            Gate?.Accumulate(block, joint, statistics[_own..OfEmission]);
            Prepared.Accumulate(block, joint, statistics[OfEmission..]);
            lanes[..block.Count].CopyTo(logDensities[at..]);
        }
        return evidence;
    }

    public override void Score(
        Minibatch batch, int first, int count, Span<double> logDensities, Span<double> scores, Workspace workspace)
    {
        var space = (BlockWorkspace)workspace;
        bool isPlain = _scoreLength == _components && _rule is SoftResponsibilities && !space.Pass.IsOfStream;
        if (count <= FewRows && isPlain && !scores.IsEmpty && TryScoreRows(batch, first, count, logDensities, scores, space)) return;
        for (int at = 0; at < count; at += RowBlock.Capacity)
        {
            RowBlock block = space.Block;
            block.Fill(batch, first + at, Math.Min(RowBlock.Capacity, count - at));
            Joint(block, space.LogJoint);
            Compare(block, space);
            _rule.Apply(space.LogJoint, _components, space.LogDensities, block.Count, space.Pass);
            for (int i = 0; i < block.Count; i++)
            {
                bool impossible = !(space.LogDensities[i] > ImpossibleLogDensity);
                logDensities[at + i] = impossible ? double.NegativeInfinity : space.LogDensities[i];
                for (int k = 0; k < _components && !scores.IsEmpty; k++)
                    scores[(at + i) * _scoreLength + k] = impossible ? _weights[k] : space.LogJoint[k * RowBlock.Stride + i];
                if (_classes > 0 && !scores.IsEmpty) SumByClass(scores.Slice((at + i) * _scoreLength, _scoreLength));
                if (!scores.IsEmpty)
                    Quantization?.Write(block.Row(i), scores.Slice((at + i) * _scoreLength, _components),
                        scores[((at + i) * _scoreLength + _components)..]);
            }
            MarkSilent(block, logDensities[at..]);
            int own = _components + _classes + (Quantization?.Length ?? 0);
            if (scores.IsEmpty) continue;
            if (Predicts) Predict(block, space, scores[(at * _scoreLength)..]);
            else if (_scoreLength > own)
                Prepared.Score(block, space.LogJoint, scores[(at * _scoreLength + own)..], _scoreLength);
        }
    }

    /// <summary>Scores rows one by one, components in lanes; false if a row is incomplete or the family only knows blocks.</summary>
    private bool TryScoreRows(
        Minibatch batch, int first, int count, Span<double> logDensities, Span<double> responsibilities, BlockWorkspace space)
    {
        EmissionEStep emission = Prepared;
        Span<double> joint = space.LogJoint[.._logWeights.Length];
        for (int row = 0; row < count; row++)
        {
            ReadOnlySpan<double> values = batch.Row(first + row);
            if (!emission.TryLogJoint(values, _logWeights, joint)) return false;
            double density = SoftMax.Normalize(joint);
            if (double.IsNaN(density)) return false;
            bool impossible = !(density > ImpossibleLogDensity);
            logDensities[row] = impossible ? double.NegativeInfinity : density;
            ReadOnlySpan<double> result = impossible ? _weights : joint[.._components];
            result.CopyTo(responsibilities[(row * _components)..]);
        }
        return true;
    }

    /// <summary>
    /// Takes out rows that say nothing or cannot be, multiplies responsibilities by the rows' weights, and sums the evidence.
    /// </summary>
    private Evidence Weigh(RowBlock block, BlockWorkspace space)
    {
        Span<double> joint = space.LogJoint, lanes = space.LogDensities;
        for (int k = 0; k < _components && block.Count < RowBlock.Capacity; k++)
            joint.Slice(k * RowBlock.Stride + block.Count, RowBlock.Capacity - block.Count).Clear();
        foreach (int index in block.Incomplete)
        {
            if (!Prepared.SaysNothing(block.Row(index))) continue;
            lanes[index] = double.NaN;
            Multiply(joint, index, 0);
        }
        ReadOnlySpan<double> weights = block.Batch.Weights;
        InfluenceBound? bound = Prepared.MeasuredValues > 0 ? space.Pass.Bound : null;
        double far = 0, held = 0, remote = 0;
        bool anyHeld = bound is not null && HoldBack(block, space, bound, out far, out remote);
        if (!anyHeld && weights.IsEmpty && block.Batch.Labels.IsEmpty && block.Incomplete.IsEmpty
            && LaneSums.TrySumAbove(lanes[..block.Count], ImpossibleLogDensity, out double sum))
            return new Evidence(block.Count, sum) { Far = far };
        bool hasLabels = !block.Batch.Labels.IsEmpty;
        double total = 0, logLikelihood = 0;
        for (int i = 0; i < block.Count; i++)
        {
            if (anyHeld && bound!.IsHeld(block.First + i))
            {
                held += Drop(block, space, i, ref logLikelihood);
                continue;
            }
            if (hasLabels && !double.IsNaN(space.Marginals[i]) && !double.IsNaN(lanes[i]) && lanes[i] > ImpossibleLogDensity)
                lanes[i] = space.Marginals[i];
            if (double.IsNaN(lanes[i])) continue;
            if (!(lanes[i] > ImpossibleLogDensity))
            {
                lanes[i] = double.NegativeInfinity;
                Multiply(joint, i, 0);
                continue;
            }
            double weight = weights.IsEmpty ? 1 : weights[block.First + i];
            if (weight != 1) Multiply(joint, i, weight);
            total += weight;
            logLikelihood = Math.FusedMultiplyAdd(weight, lanes[i], logLikelihood);
        }
        return new Evidence(total, logLikelihood) { Held = held, Far = far, Remote = remote };
    }

    /// <summary>Takes a row out that is held back: it keeps its log-density, and what its label added to the log-likelihood goes.</summary>
    /// <returns>Its weight.</returns>
    private double Drop(RowBlock block, BlockWorkspace space, int lane, ref double logLikelihood)
    {
        double weight = block.Batch.Weight(block.First + lane);
        ref double density = ref space.LogDensities[lane];
        if (!block.Batch.Labels.IsEmpty && !double.IsNaN(space.Marginals[lane]) && !double.IsNaN(density))
        {
            if (density > ImpossibleLogDensity) logLikelihood -= weight * (density - space.Marginals[lane]);
            density = space.Marginals[lane];
        }
        if (!(density > ImpossibleLogDensity)) density = double.NegativeInfinity;
        Multiply(space.LogJoint, lane, 0);
        return weight;
    }

    /// <summary>
    /// Marks the rows that are too far from every component. Nearly every row is near by its log-density alone: log p = log sum_k w_k p_k
    /// cannot be below the highest peak less c^2 / 2 unless the row is that far from each component or belongs to a wide one.
    /// </summary>
    /// <param name="block">The rows.</param>
    /// <param name="space">Responsibilities and log-densities.</param>
    /// <param name="bound">What is far.</param>
    /// <param name="far">Weight of the rows that are far, held back or not.</param>
    /// <param name="remote">Weight of those ten times as far.</param>
    /// <returns>Whether any is held back.</returns>
    private bool HoldBack(RowBlock block, BlockWorkspace space, InfluenceBound bound, out double far, out double remote)
    {
        far = remote = 0;
        Span<double> lanes = space.LogDensities;
        double complete = _peak - 0.5 * bound.Limit(Prepared.MeasuredValues);
        bool isComplete = block.Incomplete.IsEmpty;
        if (!bound.AnyHeldBefore && isComplete && LaneSums.TrySumAbove(lanes[..block.Count], complete, out _)) return false;
        bool any = false;
        int next = 0;
        for (int i = 0; i < block.Count; i++)
        {
            bool isWhole = next == block.Incomplete.Length || block.Incomplete[next] != i;
            if (!isWhole) next++;
            if (double.IsNaN(lanes[i])) continue;
            bool held = bound.AnyHeldBefore && bound.IsHeld(block.First + i);
            double square = held ? double.PositiveInfinity
                : isWhole && lanes[i] >= complete ? 0 : RelativeSquare(block, space, bound, i, isWhole);
            if (!(square > 1)) continue;
            double weight = block.Batch.Weight(block.First + i);
            far += weight;
            if (!(square > bound.Reach * bound.Reach)) continue;
            if (!held) bound.Hold(block.First + i, square);
            if (bound.IsRemote(square)) remote += weight;
            any = true;
        }
        return any;
    }

    /// <summary>d^2 / c^2 of a row from the nearest component, or any number up to 1.</summary>
    private double RelativeSquare(RowBlock block, BlockWorkspace space, InfluenceBound bound, int lane, bool isWhole)
    {
        int best = 0;
        for (int k = 1; k < _components; k++)
            if (space.LogJoint[k * RowBlock.Stride + lane] > space.LogJoint[best * RowBlock.Stride + lane]) best = k;
        if (isWhole && Gate is null)
        {
            double joint = space.LogDensities[lane] + ScalarMath.Log(space.LogJoint[best * RowBlock.Stride + lane]);
            double square = 2 * (_peaks[best] + _logWeights[best] - joint) / bound.Limit(Prepared.MeasuredValues);
            if (square <= 1) return square;
        }
        return bound.RelativeSquare(Prepared, _components, block, lane, best);
    }

    private void Multiply(Span<double> joint, int lane, double factor)
    {
        for (int k = 0; k < _components; k++)
        {
            ref double r = ref joint[k * RowBlock.Stride + lane];
            r = factor == 0 ? 0 : r * factor;
        }
    }
}
