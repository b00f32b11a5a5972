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
        RowBlock block = space.Block;
        for (int at = 0; at < count; at += block.Count)
        {
            Fill(block, batch, first + at, count - at);
            ResponsibilityRule rule = space.Pass.Rule ?? _rule;
            bool isNarrow = batch.Labels.IsEmpty && rule.IsNarrow(_components, space.Pass)
                && ActiveComponents.TryJoint(Prepared, block, _logWeights, space) >= 0;
            if (!isNarrow) Joint(block, joint);
            Compare(block, space);
            Evidence labelled = batch.Labels.IsEmpty ? default : TakeLabels(block, joint, space);
            evidence += batch.Labels.IsEmpty && !isNarrow && rule is SoftResponsibilities
                ? Normalize(block, space) : Normalize(block, space, rule, labelled);
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
        RowBlock block = space.Block;
        for (int at = 0; at < count; at += block.Count)
        {
            Fill(block, batch, first + at, count - at);
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

    /// <summary>Fills a block with as many of the rows left as the family takes at once.</summary>
    private void Fill(RowBlock block, Minibatch batch, int first, int left) =>
        block.Fill(batch, first, Math.Min(Prepared.BlockRows, left), Prepared.ReadsColumns);

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
}
