using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Regression;

/// <summary>
/// The E-step of a regression: p(y given x) of every row, and the weighted moments of [1, x] and the response. A row that lacks its target
/// or a feature says nothing: its log-density is NaN, and it adds nothing.
/// </summary>
/// <param name="inputs">D, the features without the target.</param>
/// <param name="hasIntercept">Whether the coefficients begin with an intercept.</param>
internal abstract class RegressionEStep(int inputs, bool hasIntercept) : EStep
{
    /// <summary>A log-density below this belongs to no regression: its square would swamp the moments.</summary>
    private const double ImpossibleLogDensity = -1e16;

    private readonly double[] _slopes = new double[inputs], _intercept = new double[1];

    /// <summary>D, the features without the target.</summary>
    protected int Inputs => inputs;

    /// <inheritdoc/>
    public sealed override Workspace CreateWorkspace() => new RegressionWorkspace(inputs);

    /// <inheritdoc/>
    public sealed override Evidence Accumulate(
        Minibatch batch, int first, int count, Span<double> statistics, Span<double> logDensities, Workspace workspace)
    {
        var space = (RegressionWorkspace)workspace;
        Evidence evidence = default;
        for (int at = 0; at < count; at += RowBlock.Capacity)
        {
            int rows = Math.Min(RowBlock.Capacity, count - at);
            Describe(batch, first + at, rows, space);
            evidence += Weigh(space);
            Add(space, statistics);
            space.LogDensities[..rows].CopyTo(logDensities[at..]);
        }
        return evidence;
    }

    /// <inheritdoc/>
    public sealed override void Score(
        Minibatch batch, int first, int count, Span<double> logDensities, Span<double> scores, Workspace workspace)
    {
        var space = (RegressionWorkspace)workspace;
        int width = count == 0 ? 0 : scores.Length / count;
        for (int at = 0; at < count; at += RowBlock.Capacity)
        {
            int rows = Math.Min(RowBlock.Capacity, count - at);
            Describe(batch, first + at, rows, space);
            if (!scores.IsEmpty) BeforePredicting(space);
            for (int i = 0; i < rows; i++)
            {
                double logDensity = space.LogDensities[i];
                logDensities[at + i] = logDensity <= ImpossibleLogDensity ? double.NegativeInfinity : logDensity;
                if (scores.IsEmpty) continue;
                Span<double> of = scores.Slice((at + i) * width, width);
                if (HasInputs(space.Block.Row(i))) Predict(space, i, of);
                else of.Fill(double.NaN);
            }
        }
    }

    /// <summary>Takes the coefficients of [1, x], or of x.</summary>
    protected void SetCoefficients(ReadOnlySpan<double> coefficients)
    {
        _intercept[0] = hasIntercept ? coefficients[0] : 0;
        coefficients[(hasIntercept ? 1 : 0)..].CopyTo(_slopes);
    }

    /// <summary>
    /// Writes log-densities, squares and responses of the block's lanes, whose predictors are at hand, from the targets, which the
    /// responses hold; lanes of rows that lack a value hold zeros and are not looked at.
    /// </summary>
    protected abstract void Describe(RegressionWorkspace space);

    /// <summary>Adds what the weighted lanes say beside the moments of the response.</summary>
    protected virtual void AddOthers(RegressionWorkspace space, Span<double> statistics)
    {
    }

    /// <summary>Prepares what <see cref="Predict"/> takes of all lanes.</summary>
    protected virtual void BeforePredicting(RegressionWorkspace space)
    {
    }

    /// <summary>Writes what is said of a row that has all features, whether it has a target or not.</summary>
    protected abstract void Predict(RegressionWorkspace space, int lane, Span<double> scores);

    private void Describe(Minibatch batch, int first, int rows, RegressionWorkspace space)
    {
        space.Fill(batch, first, rows);
        // Of rows without a target alone the features are at hand all the same.
        foreach (int index in space.Block.Incomplete)
        {
            ReadOnlySpan<double> row = space.Block.Row(index);
            if (!HasInputs(row)) continue;
            for (int d = 0; d < inputs; d++) space.Columns[(d + 1) * RowBlock.Stride + index] = row[d];
        }
        space.Predictors.Clear();
        LinearForms.Add(space.Inputs, inputs, 1, _slopes, _intercept, space.Predictors, rows);
        Describe(space);
        foreach (int index in space.Block.Incomplete)
        {
            space.LogDensities[index] = double.NaN;
            if (space.Pass.Comparable is { } comparable) comparable[first + index] = double.NaN;
        }
    }

    private bool HasInputs(ReadOnlySpan<double> row) => !row[..inputs].Contains(double.NaN);

    /// <summary>Weighs the lanes: 0 for rows that say nothing, cannot be, or are held back.</summary>
    private static Evidence Weigh(RegressionWorkspace space)
    {
        RowBlock block = space.Block;
        InfluenceBound? bound = space.Pass.Bound;
        double total = 0, logLikelihood = 0, far = 0, held = 0, remote = 0;
        space.Weights.Clear();
        for (int i = 0; i < block.Count; i++)
        {
            int row = block.First + i;
            ref double logDensity = ref space.LogDensities[i];
            if (double.IsNaN(logDensity)) continue;
            double weight = block.Batch.Weight(row);
            if (bound is not null)
            {
                bool isHeld = bound.AnyHeldBefore && bound.IsHeld(row);
                double square = isHeld ? double.PositiveInfinity : space.Squares[i] / bound.Limit(1);
                if (square > 1) far += weight;
                if (square > bound.Reach * bound.Reach)
                {
                    if (!isHeld) bound.Hold(row, square);
                    if (bound.IsRemote(square)) remote += weight;
                    held += weight;
                    if (!(logDensity > ImpossibleLogDensity)) logDensity = double.NegativeInfinity;
                    continue;
                }
            }
            if (!(logDensity > ImpossibleLogDensity))
            {
                logDensity = double.NegativeInfinity;
                continue;
            }
            space.Weights[i] = weight;
            total += weight;
            logLikelihood = Math.FusedMultiplyAdd(weight, logDensity, logLikelihood);
        }
        return new Evidence(total, logLikelihood) { Far = far, Held = held, Remote = remote };
    }

    private void Add(RegressionWorkspace space, Span<double> statistics)
    {
        WeightedSums.AddOuterProducts(space.Columns, inputs + 2, space.Weights, 1, statistics[..Packed.Length(inputs + 2)]);
        AddOthers(space, statistics);
    }
}
