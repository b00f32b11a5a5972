using StreamEm.Core.Data;
using StreamEm.Core.Models;

namespace StreamEm.Core.Estimation;

/// <summary>
/// SPIDER-EM (Fort, Moulines &amp; Wai 2020): between two passes over all n rows, statistics are moved on by differences over the same few
/// rows, S(k+1) = S(k) + s_B(Theta(k+1)) - s_B(Theta(k)), each followed by an M-step. The differences, and with them their variance, vanish
/// at the fixed point, so that steps of EM cost a few times sqrt(n) rows in place of n and end where EM does. How many are taken between
/// two passes doubles as long as the likelihood rises; a pass that finds it lower goes back to where the one before was, takes one step of
/// EM, and a quarter as many.
/// </summary>
internal static class SpiderEm
{
    private const int LeastRows = 256, FirstSteps = 4;

    /// <summary>Iterates to convergence.</summary>
    /// <exception cref="NotSupportedException">Rows belong to sequences, which cannot be drawn one by one.</exception>
    public static BatchEmResult Run(LatentModel model, WholeData data, Minibatch batch, double[] theta, BatchEmOptions options)
    {
        if (model.Order != RowOrder.Any)
            throw new NotSupportedException($"The engine 'spider' draws rows one by one, which {model.Type} knows in sequences alone; use "
                + "incremental, over_relaxed or batch.");
        int drawn = Math.Max(LeastRows, (int)Math.Ceiling(4 * Math.Sqrt(batch.Count)));
        // So many that they cost four passes over all rows; none of few rows, where a step costs as much as a pass.
        int most = drawn > batch.Count / 4 ? 0 : 2 * batch.Count / drawn, steps = Math.Min(FirstSteps, most);
        var chance = new SplitMix64(options.Seed);
        var trace = new FitTrace(options);
        double[] best = [.. theta], next = new double[theta.Length], statistics = new double[model.StatisticsLayout.Length];
        double[] after = new double[statistics.Length], before = new double[statistics.Length];
        var rows = new Minibatch(batch.Dimension, drawn);
        int[] numbers = new int[drawn];
        while (true)
        {
            double logLikelihood = data.Expect(theta);
            // By more than rounding.
            bool isWorse = steps > 0 && logLikelihood < trace.Last - 1e-12 * Math.Abs(trace.Last);
            if (isWorse)
            {
                best.CopyTo(theta, 0);
                data.Expect(theta);
            }
            else if (trace.Ends(logLikelihood))
            {
                return trace.Result(theta, data);
            }
            theta.CopyTo(best, 0);
            data.Averages.CopyTo(statistics, 0);
            data.Maximize(statistics, theta, next);
            int step = 0;
            for (; step < steps && !isWorse; step++)
            {
                Draw(batch, chance, numbers, rows);
                if (!TryMove(data, theta, next, rows, statistics, after, before)) break;
                (theta, next) = (next, theta);
                if (!IsInDomain(model, statistics)) break;
                data.Maximize(statistics, theta, next);
            }
            // The first M-step is EM's own; a later one that could not be is not taken.
            if (isWorse || step == steps || step == 0) (theta, next) = (next, theta);
            steps = isWorse ? steps / 4 : Math.Min(most, Math.Max(1, 2 * steps));
        }
    }

    /// <summary>Moves statistics on by what rows say of another step; false where the parameters cannot be, or no row says anything.
    /// </summary>
    private static bool TryMove(
        WholeData data, double[] theta, double[] next, Minibatch rows, double[] statistics, double[] after, double[] before)
    {
        try
        {
            if (!(data.Expect(next, rows, after).Weight > 0) || !(data.Expect(theta, rows, before).Weight > 0)) return false;
        }
        catch (ArithmeticException)
        {
            return false;
        }
        for (int at = 0; at < statistics.Length; at++) statistics[at] += after[at] - before[at];
        return true;
    }

    /// <summary>Whether chance has left the statistics what statistics can be: every component has some mass.</summary>
    private static bool IsInDomain(LatentModel model, double[] statistics)
    {
        if (model is not ComponentModel components) return true;
        double[] masses = new double[components.Components];
        components.Masses(statistics, masses);
        return Array.TrueForAll(masses, mass => mass > 0);
    }

    private static void Draw(Minibatch batch, SplitMix64 chance, int[] numbers, Minibatch rows)
    {
        for (int at = 0; at < numbers.Length; at++) numbers[at] = chance.NextInt32(batch.Count);
        rows.Clear();
        rows.Append(batch, numbers);
    }
}
