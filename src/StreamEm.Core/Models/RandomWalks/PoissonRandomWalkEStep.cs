using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.RandomWalks;

/// <summary>
/// The bootstrap filter (Gordon, Salmond &amp; Smith 1993), resampled systematically when half of its effective sample size is gone, and
/// paths drawn backwards from it (Godsill, Doucet &amp; West 2004) by rejection (Douc, Garivier, Moulines &amp; Olsson 2011, section 4), so
/// that a path costs no look at every particle. Chance is a function of the seed, the update, the key's slot and the row's number in its
/// sequence.
/// </summary>
internal sealed partial class PoissonRandomWalkEStep : EStep
{
    private readonly PlaceCounts _places;
    private readonly int _particles, _forecast, _scoreLength;
    private readonly ulong _seed;
    private double _rate, _variance, _deviation, _mean0, _deviation0;

    /// <summary>An E-step without parameters.</summary>
    public PoissonRandomWalkEStep(PlaceCounts places, int particles, ulong seed, int forecast, int scoreLength) =>
        (_places, _particles, _seed, _forecast, _scoreLength) = (places, particles, seed, forecast, scoreLength);

    /// <summary>Takes parameters; from here on immutable until it is spent.</summary>
    public void Set(double rate, double variance, double mean0, double variance0)
    {
        if (!(rate > 0 && variance > 0 && variance0 > 0))
            throw new ArithmeticException(FormattableString.Invariant(
                $"rate {rate:R}, variance {variance:R} and initial_variance {variance0:R} must be above 0."));
        (_rate, _variance, _deviation, _mean0, _deviation0) = (rate, variance, Math.Sqrt(variance), mean0, Math.Sqrt(variance0));
    }

    /// <inheritdoc/>
    public override Workspace CreateWorkspace() => new WalkWorkspace(_particles);

    /// <inheritdoc/>
    public override Evidence Accumulate(
        Minibatch batch, int first, int count, Span<double> statistics, Span<double> logDensities, Workspace workspace)
    {
        var space = (WalkWorkspace)workspace;
        Evidence evidence = default;
        ReadOnlySpan<int> starts = batch.SequenceStarts;
        for (int at = 0, next = 0; at < count; at = next)
        {
            next = SequenceRows.EndOf(starts, first + at, first + count) - first;
            Walk walk = Begin(batch, first + at, space);
            // Looking back ends where the memory does; what lies before is a state the sequence came with.
            for (int from = at; from < next; from += WalkWorkspace.Reach)
            {
                int to = Math.Min(next, from + WalkWorkspace.Reach);
                evidence += Learn(batch, first, from, to, ref walk, statistics, logDensities, space);
            }
            Remember(walk, space);
        }
        CompareAsTheyAre(batch, first, count, logDensities, workspace);
        return evidence;
    }

    /// <inheritdoc/>
    public override void Score(
        Minibatch batch, int first, int count, Span<double> logDensities, Span<double> scores, Workspace workspace)
    {
        var space = (WalkWorkspace)workspace;
        ReadOnlySpan<int> starts = batch.SequenceStarts;
        for (int at = 0, next = 0; at < count; at = next)
        {
            next = SequenceRows.EndOf(starts, first + at, first + count) - first;
            Walk walk = Begin(batch, first + at, space);
            for (int row = at; row < next; row++)
            {
                Span<double> score = scores.IsEmpty ? default : scores.Slice(row * _scoreLength, _scoreLength);
                RowChance chance = Move(ref walk, space);
                if (!score.IsEmpty) SayPrediction(batch.Row(first + row), score, space);
                logDensities[row] = Take(_places.Of(batch.Row(first + row)), isHeld: false, space);
                if (!score.IsEmpty) SayLevel(batch.Row(first + row), score, chance.Seed(), space);
            }
            Remember(walk, space);
        }
        CompareAsTheyAre(batch, first, count, logDensities, workspace);
    }

    /// <summary>Where a sequence stands.</summary>
    private struct Walk
    {
        /// <summary>The slot of its key, where its end is remembered; -1 for none.</summary>
        public int Slot;

        /// <summary>The number that its chance has.</summary>
        public int Key;

        /// <summary>Rows so far.</summary>
        public long Position;
    }

    private Walk Begin(Minibatch batch, int row, WalkWorkspace space)
    {
        var memory = space.Pass.Memory as WalkMemory;
        bool isCarried = SlotMemory.GoesOn(memory, batch, row, out int slot);
        var walk = new Walk { Slot = slot, Key = batch.Key(row) };
        if (!isCarried) return walk;
        memory!.Of(slot)[.._particles].CopyTo(space.Levels);
        space.Weights.AsSpan().Fill(1.0 / _particles);
        walk.Position = (long)memory.Of(slot)[_particles];
        return walk;
    }

    private void Remember(in Walk walk, WalkWorkspace space)
    {
        if (walk.Slot < 0) return;
        var chance = space.Pass.Chance(_seed, walk.Key, -walk.Position);
        Resample(ref chance, space);
        space.Levels.CopyTo(space.Kept, 0);
        space.Kept[_particles] = walk.Position;
        ((WalkMemory)space.Pass.Memory!).Set(walk.Slot, space.Kept);
    }

    /// <summary>Moves the particles to the next row, or lets them begin.</summary>
    private RowChance Move(ref Walk walk, WalkWorkspace space)
    {
        var chance = space.Pass.Chance(_seed, walk.Key, walk.Position);
        double[] levels = space.Levels, weights = space.Weights;
        if (walk.Position == 0)
        {
            weights.AsSpan().Fill(1.0 / _particles);
            for (int i = 0; i < levels.Length; i++) levels[i] = _mean0 + _deviation0 * chance.Normal();
        }
        else
        {
            if (EffectiveSize(weights) < 0.5 * _particles) Resample(ref chance, space);
            for (int i = 0; i < levels.Length; i++) levels[i] += _deviation * chance.Normal();
        }
        walk.Position++;
        return chance;
    }

    /// <summary>
    /// Weighs the particles by a row. One that is held back, or that no level can produce, says nothing but that the level is above 0.
    /// </summary>
    /// <returns>log p(x_t given the rows before); NaN without a count.</returns>
    private double Take(StepCounts step, bool isHeld, WalkWorkspace space)
    {
        double[] levels = space.Levels, weights = space.Weights, logs = space.Scratch;
        double max = double.NegativeInfinity, alive = 0;
        for (int i = 0; i < levels.Length; i++)
        {
            if (!(levels[i] > 0)) weights[i] = 0;
            alive += weights[i];
            logs[i] = weights[i] > 0 ? step.Seen > 0 ? step.LogDensity(levels[i], _rate) : 0 : double.NegativeInfinity;
            max = Math.Max(max, logs[i]);
        }
        if (!(alive > 0)) return Revive(space);
        double sum = 0;
        if (step.Seen > 0 && !isHeld && double.IsFinite(max))
        {
            for (int i = 0; i < levels.Length; i++) sum += weights[i] *= weights[i] > 0 ? ScalarMath.Exp(logs[i] - max) : 0;
        }
        else
        {
            sum = alive;
        }
        for (int i = 0; i < levels.Length; i++) weights[i] /= sum;
        if (step.Seen == 0) return double.NaN;
        return double.IsFinite(max) ? isHeld ? LogMean(logs, max, space, alive) : max + ScalarMath.Log(sum) : double.NegativeInfinity;
    }

    /// <summary>log p of a row that was held back: the particles' mean, whose weights it left alone.</summary>
    private static double LogMean(double[] logs, double max, WalkWorkspace space, double alive)
    {
        double sum = 0;
        for (int i = 0; i < logs.Length; i++)
            if (space.Weights[i] > 0) sum += space.Weights[i] * alive * ScalarMath.Exp(logs[i] - max);
        return max + ScalarMath.Log(sum);
    }

    /// <summary>No particle is above 0: they go on from the least level there is.</summary>
    private double Revive(WalkWorkspace space)
    {
        for (int i = 0; i < _particles; i++) space.Levels[i] = Math.Max(Math.Abs(space.Levels[i]), double.Epsilon);
        space.Weights.AsSpan().Fill(1.0 / _particles);
        return double.NegativeInfinity;
    }

    /// <summary>Draws the particles anew by their weights, systematically: each as often as its weight says, but for one.</summary>
    private void Resample(ref RowChance chance, WalkWorkspace space)
    {
        double[] levels = space.Levels, weights = space.Weights, drawn = space.Scratch;
        double at = chance.Uniform() / _particles, sum = weights[0];
        for (int i = 0, from = 0; i < _particles; i++, at += 1.0 / _particles)
        {
            while (sum <= at && from < _particles - 1) sum += weights[++from];
            // Rounding at the end of the sum.
            int chosen = from;
            while (!(weights[chosen] > 0) && chosen > 0) chosen--;
            drawn[i] = levels[chosen];
        }
        drawn.CopyTo(levels, 0);
        weights.AsSpan().Fill(1.0 / _particles);
    }

    private static double EffectiveSize(double[] weights)
    {
        double sum = 0;
        foreach (double weight in weights) sum += weight * weight;
        return 1 / sum;
    }
}
