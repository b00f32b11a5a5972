using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.RandomWalks;

/// <summary>The way back, and what it adds to the statistics.</summary>
internal sealed partial class PoissonRandomWalkEStep
{
    /// <summary>Proposals for an ancestor, after which every particle is looked at.</summary>
    private const int Proposals = 64;

    /// <summary>Filters rows of a sequence, draws paths backwards from the last of them, and adds what they say.</summary>
    private Evidence Learn(
        Minibatch batch, int first, int from, int to, ref Walk walk, Span<double> statistics, Span<double> logDensities,
        WalkWorkspace space)
    {
        int rows = to - from;
        space.Reserve(rows + 1);
        bool isPassage = walk.Position > 0;
        var chance = space.Pass.Chance(~_seed, walk.Key, walk.Position);
        if (isPassage) Keep(0, space);
        Evidence evidence = default;
        for (int at = 0; at < rows; at++)
        {
            int row = first + from + at;
            double weight = batch.Weight(row);
            Move(ref walk, space);
            StepCounts step = space.Steps[at] = _places.Of(batch.Row(row));
            evidence += Judge(space.Pass.Bound, row, step, weight, space, out bool isHeld);
            double logDensity = logDensities[from + at] = Take(step, isHeld, space);
            space.Says[at] = double.IsFinite(logDensity) && !isHeld;
            Keep(at + 1, space);
            if (!space.Says[at]) continue;
            evidence += new Evidence(weight, weight * logDensity);
            statistics[0] += weight * step.Sum;
            statistics[6] += weight;
            statistics[7] += weight * EffectiveSize(space.Weights);
        }
        DrawPaths(rows, isPassage, ref chance, space);
        for (int at = 0; at < rows; at++)
        {
            double weight = batch.Weight(first + from + at), level = space.LevelSums[at + 1] / _particles;
            if (space.Says[at]) statistics[1] += weight * space.Steps[at].Exposure * level;
            if (at > 0 || isPassage)
            {
                statistics[2] += weight;
                statistics[3] += weight * space.ChangeSums[at] / _particles;
            }
            else
            {
                statistics[4] += weight;
                statistics[5] += weight * level;
                statistics[8] += weight * space.FirstSquares / _particles;
            }
        }
        return evidence;
    }

    /// <summary>Keeps the particles of a row with the sums of their weights.</summary>
    private static void Keep(int row, WalkWorkspace space)
    {
        space.Levels.CopyTo(space.LevelsOf(row));
        Span<double> cumulative = space.CumulativeOf(row);
        double sum = 0;
        for (int i = 0; i < cumulative.Length; i++) cumulative[i] = sum += space.Weights[i];
    }

    /// <summary>
    /// As many paths as there are particles: the last level by its weight, then each by its weight times the density of the change to the
    /// level after it.
    /// </summary>
    private void DrawPaths(int rows, bool isPassage, ref RowChance chance, WalkWorkspace space)
    {
        Array.Clear(space.LevelSums);
        Array.Clear(space.ChangeSums);
        space.FirstSquares = 0;
        for (int path = 0; path < _particles; path++)
        {
            double level = space.LevelsOf(rows)[Draw(space.CumulativeOf(rows), ref chance)];
            space.LevelSums[rows] += level;
            for (int row = rows - 1; row >= (isPassage ? 0 : 1); row--)
            {
                double before = space.LevelsOf(row)[Ancestor(row, level, ref chance, space)];
                space.LevelSums[row] += before;
                space.ChangeSums[row] += (level - before) * (level - before);
                level = before;
            }
            if (!isPassage) space.FirstSquares += level * level;
        }
    }

    /// <summary>The particle of a row that a level came from.</summary>
    private int Ancestor(int row, double level, ref RowChance chance, WalkWorkspace space)
    {
        ReadOnlySpan<double> levels = space.LevelsOf(row), cumulative = space.CumulativeOf(row);
        double factor = -0.5 / _variance;
        for (int proposal = 0; proposal < Proposals; proposal++)
        {
            int drawn = Draw(cumulative, ref chance);
            double change = level - levels[drawn];
            if (chance.Uniform() < ScalarMath.Exp(factor * change * change)) return drawn;
        }
        double least = double.PositiveInfinity, sum = 0;
        for (int i = 0; i < levels.Length; i++)
            if (cumulative[i] > (i == 0 ? 0 : cumulative[i - 1])) least = Math.Min(least, Math.Abs(level - levels[i]));
        for (int i = 0; i < levels.Length; i++) sum += Mass(i);
        double at = chance.Uniform() * sum;
        int last = 0;
        for (int i = 0; i < space.Levels.Length; i++)
        {
            double mass = Mass(i);
            if (!(mass > 0)) continue;
            last = i;
            if ((at -= mass) < 0) break;
        }
        return last;

        double Mass(int i)
        {
            ReadOnlySpan<double> sums = space.CumulativeOf(row);
            double weight = sums[i] - (i == 0 ? 0 : sums[i - 1]), change = level - space.LevelsOf(row)[i];
            return weight > 0 ? weight * ScalarMath.Exp(factor * (change * change - least * least)) : 0;
        }
    }

    /// <summary>A particle by its weight: the first whose sum is beyond a uniform number.</summary>
    private static int Draw(ReadOnlySpan<double> cumulative, ref RowChance chance)
    {
        double at = chance.Uniform() * cumulative[^1];
        int low = 0, high = cumulative.Length - 1;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (cumulative[middle] > at) high = middle;
            else low = middle + 1;
        }
        return low;
    }

    /// <summary>Whether a row's counts are too far from what was expected: the square of their sum's deviation over its variance.</summary>
    private Evidence Judge(InfluenceBound? bound, int row, StepCounts step, double weight, WalkWorkspace space, out bool isHeld)
    {
        isHeld = false;
        if (bound is null || step.Seen == 0) return default;
        double relative = double.PositiveInfinity;
        if (!(bound.AnyHeldBefore && bound.IsHeld(row)))
        {
            (double mean, double variance) = MomentsOfLevel(space);
            double factor = _rate * step.Exposure, deviation = step.Sum - factor * mean;
            relative = deviation * deviation / (factor * mean + factor * factor * variance) / bound.Limit(1);
            if (relative > bound.Reach * bound.Reach) bound.Hold(row, relative);
        }
        isHeld = bound.IsHeld(row);
        if (!(relative > 1)) return default;
        return new Evidence { Far = weight, Held = isHeld ? weight : 0, Remote = bound.IsRemote(relative) ? weight : 0 };
    }

    /// <summary>Mean and variance of the levels above 0; 0 and 0 where there is none.</summary>
    private static (double Mean, double Variance) MomentsOfLevel(WalkWorkspace space)
    {
        double sum = 0, mean = 0, square = 0;
        for (int i = 0; i < space.Levels.Length; i++)
            if (space.Levels[i] > 0)
            {
                sum += space.Weights[i];
                mean += space.Weights[i] * space.Levels[i];
            }
        if (!(sum > 0)) return (0, 0);
        mean /= sum;
        for (int i = 0; i < space.Levels.Length; i++)
            if (space.Levels[i] > 0) square += space.Weights[i] * (space.Levels[i] - mean) * (space.Levels[i] - mean);
        return (mean, square / sum);
    }
}
