using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Mixtures;

/// <summary>
/// The E-step of a mixture: a loop over row blocks. Log-densities of all components, log weights added, labels clamped, normalised in log
/// space, weighted, and the emission's statistics added.
/// </summary>
internal sealed class MixtureEStep : EStep
{
    /// <summary>
    /// A log-density below this belongs to no component: values about 1e8 standard deviations away, whose squares would swamp the
    /// statistics.
    /// </summary>
    internal const double ImpossibleLogDensity = -1e16;

    /// <summary>Up to here rows are scored one by one: a block costs what 32 rows do.</summary>
    private const int FewRows = 8;

    private readonly int _components, _dimension, _statisticsLength, _scoreLength;
    private readonly ResponsibilityRule _rule;
    private readonly double[] _weights, _logWeights;
    private EmissionEStep? _set;

    /// <summary>Memory for <see cref="Set"/>.</summary>
    public MixtureEStep(int components, int dimension, int statisticsLength, int scoreLength, ResponsibilityRule rule)
    {
        (_components, _dimension, _statisticsLength, _scoreLength, _rule) = (components, dimension, statisticsLength, scoreLength, rule);
        _weights = new double[components];
        _logWeights = new double[ComponentLanes.Padded(components)];
    }

    /// <summary>The components' part; null before <see cref="Set"/>.</summary>
    public EmissionEStep? Emission => _set;

    private EmissionEStep Prepared => _set ?? throw new InvalidOperationException("The E-step has no parameters yet.");

    /// <summary>Takes parameters; from here on immutable until it is spent.</summary>
    public void Set(ReadOnlySpan<double> weights, EmissionEStep emission)
    {
        _set = emission;
        for (int k = 0; k < _components; k++)
        {
            _weights[k] = weights[k];
            _logWeights[k] = Math.Log(weights[k]);
        }
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
            Joint(block, joint);
            Compare(block, space);
            Evidence labelled = batch.Labels.IsEmpty ? default : ClampLabels(block, joint, space);
            _rule.Apply(joint, _components, lanes, block.Count, space.Pass);
            evidence += labelled + Weigh(block, space);
            WeightedSums.AddMasses(joint, _components, statistics[.._components], block.Count);
            Prepared.Accumulate(block, joint, statistics[_components..]);
            lanes[..block.Count].CopyTo(logDensities[at..]);
        }
        return evidence;
    }

    public override void Score(
        Minibatch batch, int first, int count, Span<double> logDensities, Span<double> scores, Workspace workspace)
    {
        var space = (BlockWorkspace)workspace;
        bool isPlain = _scoreLength == _components && _rule is SoftResponsibilities;
        if (count <= FewRows && isPlain && TryScoreRows(batch, first, count, logDensities, scores, space)) return;
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
                for (int k = 0; k < _components; k++)
                    scores[(at + i) * _scoreLength + k] = impossible ? _weights[k] : space.LogJoint[k * RowBlock.Stride + i];
            }
            if (_scoreLength > _components)
                Prepared.Score(block, space.LogJoint, scores[(at * _scoreLength + _components)..], _scoreLength);
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

    private void Joint(RowBlock block, Span<double> joint)
    {
        for (int k = 0; k < _components; k++) joint.Slice(k * RowBlock.Stride, RowBlock.Stride).Fill(_logWeights[k]);
        Prepared.LogDensities(block, joint);
    }

    /// <summary>Says how improbable rows with missing values are; see <see cref="Pass.Comparable"/>.</summary>
    private void Compare(RowBlock block, BlockWorkspace space)
    {
        if (space.Pass.Comparable is not { } comparable || block.Incomplete.IsEmpty) return;
        Span<double> logDensities = space.OfRow;
        foreach (int index in block.Incomplete)
        {
            for (int k = 0; k < _components; k++) logDensities[k] = space.LogJoint[k * RowBlock.Stride + index] - _logWeights[k];
            LogDensitySpread.Complete(Prepared, block.Row(index), logDensities);
            comparable[block.First + index] = LogDensitySpread.Mix(_weights, logDensities);
        }
    }

    /// <summary>
    /// Makes the responsibilities of labelled rows one-hot. Their lanes get log p(x) as density like all others; that their log-likelihood
    /// is log p(x, z) is returned as a difference.
    /// </summary>
    private Evidence ClampLabels(RowBlock block, Span<double> joint, BlockWorkspace space)
    {
        double difference = 0;
        ReadOnlySpan<int> labels = block.Batch.Labels;
        ReadOnlySpan<double> weights = block.Batch.Weights;
        for (int i = 0; i < block.Count; i++)
        {
            int label = labels[block.First + i];
            space.Marginals[i] = double.NaN;
            if (label == Minibatch.Unlabelled) continue;
            double max = double.NegativeInfinity, sum = 0;
            for (int k = 0; k < _components; k++) max = Math.Max(max, joint[k * RowBlock.Stride + i]);
            for (int k = 0; k < _components; k++) sum += Math.Exp(joint[k * RowBlock.Stride + i] - max);
            double marginal = space.Marginals[i] = max + Math.Log(sum);
            double labelled = joint[label * RowBlock.Stride + i];
            if (labelled > ImpossibleLogDensity) difference += (labelled - marginal) * (weights.IsEmpty ? 1 : weights[block.First + i]);
            for (int k = 0; k < _components; k++)
                if (k != label) joint[k * RowBlock.Stride + i] = double.NegativeInfinity;
        }
        return new Evidence(0, difference);
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
            if (block.Row(index).ContainsAnyExcept(double.NaN)) continue;
            lanes[index] = double.NaN;
            Multiply(joint, index, 0);
        }
        ReadOnlySpan<double> weights = block.Batch.Weights;
        if (weights.IsEmpty && block.Batch.Labels.IsEmpty && block.Incomplete.IsEmpty
            && LaneSums.TrySumAbove(lanes[..block.Count], ImpossibleLogDensity, out double sum))
            return new Evidence(block.Count, sum);
        bool hasLabels = !block.Batch.Labels.IsEmpty;
        double total = 0, logLikelihood = 0;
        for (int i = 0; i < block.Count; i++)
        {
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
        return new Evidence(total, logLikelihood);
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
