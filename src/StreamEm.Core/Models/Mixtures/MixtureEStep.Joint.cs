using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Mixtures;

/// <summary>
/// What is known of a row before its responsibilities: how probable each component is of it, and how probable each makes it. Where
/// components predict a target, the probabilities given the other features alone are what a prediction is mixed by.
/// </summary>
internal sealed partial class MixtureEStep
{
    /// <summary>What makes the components' probabilities depend on the row; null where they are the weights.</summary>
    public GateEStep? Gate { get; init; }

    /// <summary>Whether scores say what the target of a row is expected to be.</summary>
    public bool Predicts { get; init; }

    /// <summary>Where the components' statistics begin.</summary>
    private int OfEmission => _own + (Gate?.StatisticsLength ?? 0);

    private void Joint(RowBlock block, Span<double> joint)
    {
        LogWeights(block, joint);
        Prepared.LogDensities(block, joint);
    }

    private void LogWeights(RowBlock block, Span<double> joint)
    {
        if (Gate is not null) Gate.LogWeights(block, joint);
        else for (int k = 0; k < _components; k++) joint.Slice(k * RowBlock.Stride, RowBlock.Stride).Fill(_logWeights[k]);
    }

    /// <summary>Says how improbable rows with missing values are; see <see cref="Pass.Comparable"/>.</summary>
    private void Compare(RowBlock block, BlockWorkspace space)
    {
        if (space.Pass.Comparable is not { } comparable || block.Incomplete.IsEmpty) return;
        Span<double> logDensities = space.OfRow;
        foreach (int index in block.Incomplete)
        {
            if (Prepared.SaysNothing(block.Row(index))) continue;
            for (int k = 0; k < _components; k++) logDensities[k] = space.LogJoint[k * RowBlock.Stride + index] - _logWeights[k];
            LogDensitySpread.Complete(Prepared, block.Row(index), logDensities);
            comparable[block.First + index] = LogDensitySpread.Mix(_weights, logDensities);
        }
    }

    /// <summary>Gives rows with some value that say nothing all the same, of a target they lack, no log-density.</summary>
    private void MarkSilent(RowBlock block, Span<double> logDensities)
    {
        foreach (int index in block.Incomplete)
        {
            ReadOnlySpan<double> row = block.Row(index);
            if (row.ContainsAnyExcept(double.NaN) && Prepared.SaysNothing(row)) logDensities[index] = double.NaN;
        }
    }

    /// <summary>
    /// Writes the components' probabilities given all but the target, after those given all, and what is expected of the target by them.
    /// </summary>
    private void Predict(RowBlock block, BlockWorkspace space, Span<double> scores)
    {
        Span<double> before = space.LogJointBefore;
        LogWeights(block, before);
        Prepared.InputLogDensities(block, before);
        LogSumExp.Normalize(before, _components, space.LogDensities, block.Count);
        for (int i = 0; i < block.Count; i++)
            for (int k = 0; k < _components; k++) scores[i * _scoreLength + _components + k] = before[k * RowBlock.Stride + i];
        Prepared.Score(block, before, scores[(2 * _components)..], _scoreLength);
    }
}
