namespace StreamEm.Core.Models.RandomWalks;

/// <summary>What is said of a row: what was expected, the level, and what is to come.</summary>
internal sealed partial class PoissonRandomWalkEStep
{
    /// <summary>The counts that a row was expected to have, before it is looked at.</summary>
    private void SayPrediction(ReadOnlySpan<double> row, Span<double> score, WalkWorkspace space)
    {
        (double mean, double variance) = MomentsOfLevel(space);
        for (int place = 0; place < _places.Places; place++)
        {
            double factor = _rate * _places.Exposure(row, place);
            score[4 + place] = factor * mean;
            score[4 + _places.Places + place] = factor * mean + factor * factor * variance;
        }
    }

    /// <summary>The filtered level with its interval of 95 %, how many particles carry it, and what is to come from there.</summary>
    private void SayLevel(ReadOnlySpan<double> row, Span<double> score, ulong seed, WalkWorkspace space)
    {
        (score[0], score[1]) = MomentsOfLevel(space);
        (score[2], score[3]) = Interval(space.Levels, space);
        score[4 + 2 * _places.Places] = EffectiveSize(space.Weights);
        if (_forecast > 0) SayForecast(row, score[(5 + 2 * _places.Places)..], seed, space);
    }

    /// <summary>Moves copies of the particles on, and draws a count of each.</summary>
    private void SayForecast(ReadOnlySpan<double> row, Span<double> score, ulong seed, WalkWorkspace space)
    {
        int places = _places.Places, block = _forecast * places;
        Span<double> levels = score[.._forecast], variances = score.Slice(_forecast, _forecast), rest = score[(2 * _forecast)..];
        double[] kept = [.. space.Levels], weights = [.. space.Weights], counts = new double[_particles];
        var draws = new RandomDraws(seed);
        for (int step = 0; step < _forecast; step++)
        {
            for (int i = 0; i < _particles; i++)
            {
                if (space.Levels[i] > 0) space.Levels[i] += _deviation * draws.Normal();
                if (!(space.Levels[i] > 0)) space.Weights[i] = 0;
            }
            (levels[step], variances[step]) = MomentsOfLevel(space);
            for (int place = 0; place < places; place++)
            {
                int at = step * places + place;
                double factor = _rate * _places.Exposure(row, place);
                rest[at] = factor * levels[step];
                rest[block + at] = factor * levels[step] + factor * factor * variances[step];
                for (int i = 0; i < _particles; i++)
                    counts[i] = space.Weights[i] > 0 && factor >= 0 ? draws.Poisson(factor * space.Levels[i]) : 0;
                (rest[2 * block + at], rest[3 * block + at]) = factor >= 0 ? Interval(counts, space) : (double.NaN, double.NaN);
            }
        }
        kept.CopyTo(space.Levels, 0);
        weights.CopyTo(space.Weights, 0);
    }

    /// <summary>The values between which 95 % of the particles' weight lies.</summary>
    private static (double Lower, double Upper) Interval(double[] values, WalkWorkspace space)
    {
        double[] sorted = space.Scratch;
        values.CopyTo(sorted, 0);
        for (int i = 0; i < sorted.Length; i++) space.Order[i] = i;
        Array.Sort(sorted, space.Order);
        double total = 0, sum = 0, lower = double.NaN;
        foreach (double weight in space.Weights) total += weight;
        for (int i = 0; i < sorted.Length; i++)
        {
            sum += space.Weights[space.Order[i]];
            if (double.IsNaN(lower) && sum > Forecasts.Tail * total) lower = sorted[i];
            if (sum >= (1 - Forecasts.Tail) * total) return (lower, sorted[i]);
        }
        return (lower, sorted[^1]);
    }
}
