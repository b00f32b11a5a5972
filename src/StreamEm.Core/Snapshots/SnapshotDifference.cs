using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Snapshots;

/// <summary>A Monte Carlo estimate.</summary>
/// <param name="Value">The mean of the draws; infinity where one of them has no value.</param>
/// <param name="StandardError">Standard deviation over the root of their number; of sequences, of the means of each.</param>
/// <param name="Impossible">Draws that the other model gives no probability.</param>
public readonly record struct Estimate(double Value, double StandardError, int Impossible);

/// <summary>What became of a component that both snapshots have.</summary>
/// <param name="Id">Its id.</param>
/// <param name="ShareBefore">Its share of the stream in the first.</param>
/// <param name="ShareAfter">In the second.</param>
/// <param name="Divergence">KL(first || second) of the component, exact, nats; NaN where there is no closed form.</param>
/// <param name="Feature">The feature whose mean moved most, for its spread; null where there are no means.</param>
/// <param name="Shift">By how many standard deviations of the first.</param>
/// <param name="Spread">The standard deviation in the second over that in the first.</param>
public sealed record ComponentDifference(
    string Id, double ShareBefore, double ShareAfter, double Divergence, string? Feature, double Shift, double Spread);

/// <summary>By how much a block of parameters moved, of the components that both snapshots have.</summary>
/// <param name="Block">Its name.</param>
/// <param name="Largest">The largest change of an entry, user units.</param>
/// <param name="RootMeanSquare">The root of the mean square of the changes.</param>
public sealed record BlockDifference(string Block, double Largest, double RootMeanSquare);

/// <summary>
/// How two snapshots of the same kind of model over the same features differ. Components are matched by their ids, which one keeps as long
/// as there is one.
/// </summary>
public sealed class SnapshotDifference
{
    private readonly LearnedModel _before, _after;
    private readonly double[] _to;
    private readonly (int Before, int After)[] _pairs;

    private SnapshotDifference(LearnedModel before, LearnedModel after)
    {
        (_before, _after) = (before, after);
        _to = InLevelsOf(before.Space, after);
        _pairs = [.. before.ComponentIds.Select((id, k) => (k, after.ComponentIds.ToList().IndexOf(id))).Where(pair => pair.Item2 >= 0)];
        OnlyBefore = [.. before.ComponentIds.Except(after.ComponentIds)];
        OnlyAfter = [.. after.ComponentIds.Except(before.ComponentIds)];
        Blocks = [.. before.Layout.Blocks.Select(Compare).OfType<BlockDifference>()];
        Components = before.Model is ComponentModel one && after.Model is ComponentModel other ? Compare(one, other) : [];
    }

    /// <summary>Components of the first that the second has not.</summary>
    public IReadOnlyList<string> OnlyBefore { get; }

    /// <summary>Components of the second that the first has not.</summary>
    public IReadOnlyList<string> OnlyAfter { get; }

    /// <summary>Those that both have.</summary>
    public IReadOnlyList<ComponentDifference> Components { get; }

    /// <summary>The blocks of parameters.</summary>
    public IReadOnlyList<BlockDifference> Blocks { get; }

    /// <summary>KL(first || second) per record, nats.</summary>
    public Estimate Forward { get; private init; }

    /// <summary>KL(second || first) per record, nats.</summary>
    public Estimate Backward { get; private init; }

    /// <summary>Compares.</summary>
    /// <param name="before">The first.</param>
    /// <param name="after">The second.</param>
    /// <param name="draws">Records drawn from either for the divergences of the whole models; a sequence has a hundred.</param>
    /// <param name="seed">Seed of the draws.</param>
    /// <exception cref="ArgumentException">They are of different models, features or levels; the message says which.</exception>
    public static SnapshotDifference Of(LearnedModel before, LearnedModel after, int draws, ulong seed)
    {
        if (before.Options.Type != after.Options.Type)
            throw new ArgumentException($"one is of type {before.Options.Type}, the other of {after.Options.Type}");
        if (!before.Features.SequenceEqual(after.Features))
            throw new ArgumentException(
                $"one is over {string.Join(", ", before.Features)}, the other over {string.Join(", ", after.Features)}");
        return new SnapshotDifference(before, after)
        {
            Forward = Draw(before, after, draws, seed),
            Backward = Draw(after, before, draws, seed + 1),
        };
    }

    /// <summary>
    /// E_p[log p - log q] by records drawn from p; of independent ones with q / p as control variate, whose expectation is 1, so that small
    /// divergences have small errors (Owen 2013, section 8.9).
    /// </summary>
    private static Estimate Draw(LearnedModel from, LearnedModel to, int draws, ulong seed)
    {
        if (!from.Model.CanSample) return new Estimate(double.NaN, double.NaN, 0);
        int length = from.Model.Order == RowOrder.Any ? 1 : Math.Min(100, draws);
        draws = draws / length * length;
        Minibatch rows = new Sampler(from, seed).Draw(draws, length == 1 ? 0 : length);
        double[] own = LogDensities(from, rows), other = LogDensities(to, rows);
        double[] means = new double[draws / length];
        for (int row = 0; row < draws; row++) means[row / length] += (own[row] - other[row]) / length;
        int impossible = other.Count(double.IsNegativeInfinity);
        if (impossible > 0) return new Estimate(double.PositiveInfinity, double.NaN, impossible);
        if (length == 1) Control(means);
        double mean = means.Average(), squares = means.Sum(value => (value - mean) * (value - mean));
        return new Estimate(mean, Math.Sqrt(squares / Math.Max(1, means.Length - 1) / means.Length), 0);
    }

    /// <summary>Takes off every draw of log p - log q what q / p - 1 explains of it.</summary>
    private static void Control(double[] logRatios)
    {
        double[] ratios = [.. logRatios.Select(log => ScalarMath.Exp(-log) - 1)];
        double mean = logRatios.Average(), ratio = ratios.Average(), product = 0, square = 0;
        for (int at = 0; at < ratios.Length; at++)
        {
            product += (logRatios[at] - mean) * (ratios[at] - ratio);
            square += (ratios[at] - ratio) * (ratios[at] - ratio);
        }
        double slope = square > 0 && double.IsFinite(square) ? product / square : 0;
        for (int at = 0; at < ratios.Length && slope != 0; at++) logRatios[at] -= slope * ratios[at];
    }

    private static double[] LogDensities(LearnedModel learned, Minibatch rows)
    {
        double[] logDensities = new double[rows.Count];
        new Scorer(learned).Score(
            rows, logDensities, new double[rows.Count * learned.Model.ScoreLayout.Length], new double[rows.Count]);
        return logDensities;
    }

    private ComponentDifference[] Compare(ComponentModel one, ComponentModel other)
    {
        double[] from = new double[_before.Parameters.Length], to = new double[_to.Length];
        one.FromUserUnits(_before.Parameters, _before.Space, from);
        bool isComparable = TryInside(other, to);
        double[] shares = new double[one.Components], others = new double[other.Components];
        one.Shares(from, shares);
        other.Shares(to, others);
        int dimension = one.Dimension;
        double[] means = new double[one.Components * dimension], variances = new double[means.Length];
        double[] means2 = new double[other.Components * dimension], variances2 = new double[means2.Length];
        bool hasMoments = isComparable && one.TryComponentMoments(from, means, variances)
            && other.TryComponentMoments(to, means2, variances2);
        return [.. _pairs.Select(pair =>
        {
            (int k, int l) = pair;
            string? feature = null;
            double shift = 0, spread = 1;
            for (int d = 0; d < dimension && hasMoments; d++)
            {
                if (_before.Space.Features[d].HasLevels) continue;
                double deviation = Math.Sqrt(variances[k * dimension + d]);
                double moved = (means2[l * dimension + d] - means[k * dimension + d]) / deviation;
                if (feature is not null && Math.Abs(moved) <= Math.Abs(shift)) continue;
                (feature, shift) = (_before.Features[d], moved);
                spread = Math.Sqrt(variances2[l * dimension + d]) / deviation;
            }
            return new ComponentDifference(
                _before.ComponentIds[k], shares[k], others[l], isComparable ? one.Divergence(from, k, other, to, l) : double.NaN, feature,
                shift, spread);
        })];
    }

    /// <summary>The second's parameters in the units of the first; false where the model cannot be told in them: spheres of other
    /// scales.</summary>
    private bool TryInside(ComponentModel other, double[] result)
    {
        try
        {
            other.FromUserUnits(_to, _before.Space, result);
            return true;
        }
        catch (ArgumentException)
        {
            other.FromUserUnits(_to, _after.Space, result);
            return false;
        }
    }

    private BlockDifference? Compare(VectorBlock block)
    {
        if (!_after.Layout.Contains(block.Name)) return null;
        VectorBlock there = _after.Layout[block.Name];
        double[] before = block.Of((ReadOnlySpan<double>)_before.Parameters).ToArray();
        double[] after = there.Of((ReadOnlySpan<double>)_to).ToArray();
        int count = _before.ComponentIds.Count, others = _after.ComponentIds.Count;
        bool isOfComponents = count > 0 && block.Shape.Count > 0 && block.Shape[0] == count && there.Shape[0] == others;
        bool isSquare = isOfComponents && block.Shape.Count == 2 && _before.Model is ComponentModel model
            && model.MixingBlocks.Contains(block);
        IEnumerable<(double From, double To)> entries = isSquare
            ? _pairs.SelectMany(row => _pairs.Select(column =>
                (before[row.Before * count + column.Before], after[row.After * others + column.After])))
            : isOfComponents
                ? _pairs.SelectMany(pair => Enumerable.Range(0, before.Length / count).Select(at =>
                    (before[pair.Before * (before.Length / count) + at], after[pair.After * (after.Length / others) + at])))
                : before.Length == after.Length ? before.Zip(after) : [];
        double[] changes = [.. entries.Select(entry => entry.To - entry.From)];
        return changes.Length == 0
            ? null
            : new BlockDifference(block.Name, changes.Max(Math.Abs), Math.Sqrt(changes.Sum(change => change * change) / changes.Length));
    }

    /// <summary>A snapshot's parameters with the levels in the order of another's.</summary>
    /// <exception cref="ArgumentException">They have other levels.</exception>
    private static double[] InLevelsOf(FeatureSpace space, LearnedModel learned)
    {
        double[] result = [.. learned.Parameters];
        for (int d = 0; d < space.Dimension; d++)
        {
            IReadOnlyList<string> levels = space.Features[d].Levels, own = learned.Space.Features[d].Levels;
            if (levels.SequenceEqual(own)) continue;
            if (levels.Count != own.Count || levels.Except(own).Any())
                throw new ArgumentException($"feature '{space.Features[d].Name}' has other levels in one than in the other");
            string ending = $"probabilities.{space.Features[d].Name}";
            foreach (VectorBlock block in learned.Layout.Blocks)
            {
                if (block.Name != ending && !block.Name.EndsWith($".{ending}", StringComparison.Ordinal)) continue;
                double[] values = block.Of((ReadOnlySpan<double>)learned.Parameters).ToArray();
                for (int at = 0; at < values.Length; at++)
                {
                    int row = at / own.Count * own.Count, level = own.ToList().IndexOf(levels[at % own.Count]);
                    result[block.Offset + at] = values[row + level];
                }
            }
        }
        return result;
    }
}
