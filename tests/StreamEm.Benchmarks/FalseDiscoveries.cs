using StreamEm.Core.Alarms;
using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Snapshots;

namespace StreamEm.Benchmarks;

/// <summary>
/// What <c>alarms.false_discovery_rate: 0.05</c> holds and finds: null streams of 100 000 records in which no alarm is right, and streams
/// of which 1 % of the records are strange, against the best fixed threshold on the same p-values, chosen in hindsight.
/// </summary>
internal sealed class FalseDiscoveries(Report report)
{
    private const double Rate = 0.05, Strange = 0.01;
    private const int Streams = 100, Records = 100_000, Settled = 1000;

    private static readonly string[] Kinds = ["normal", "clusters", "heavy"];

    /// <summary>Runs all.</summary>
    /// <returns>The exit code: 1 where a rate is not held, or too little is found.</returns>
    public int Run()
    {
        bool isHeld = true;
        report.Table("False discoveries",
            $"{Streams} null streams of {Records} records each: streams with an alarm, at most {Rate:P0} expected.", "stream", "mixture",
            "with an alarm");
        foreach (string kind in Kinds)
            foreach (bool grows in (bool[])[false, true])
            {
                int alarmed = 0;
                Parallel.For(0, Streams, seed =>
                {
                    if (Alarms(kind, grows, seed, strange: 0).Raised.Count > 0) Interlocked.Increment(ref alarmed);
                });
                report.Row(kind, Shown(grows), $"{alarmed} of {Streams}");
                // Three deviations of a binomial above what is expected.
                isHeld &= alarmed <= Rate * Streams + 3 * Math.Sqrt(Streams * Rate * (1 - Rate));
            }
        report.Table("Power", $"10 streams, {Strange:P0} strange at 6 to 16 deviations: alarms that are right, and wrong, against the best "
            + "fixed threshold in hindsight.", "stream", "mixture", "found", "wrong", "best in hindsight", "share");
        foreach (string kind in (string[])["normal", "clusters"])
            foreach (bool grows in (bool[])[false, true])
            {
                int found = 0, wrong = 0, best = 0;
                Parallel.For(0, 10, seed =>
                {
                    Outcome outcome = Alarms(kind, grows, 5000 + seed, Strange);
                    Interlocked.Add(ref found, outcome.Raised.Count(row => outcome.IsStrange[row]));
                    Interlocked.Add(ref wrong, outcome.Raised.Count(row => !outcome.IsStrange[row]));
                    Interlocked.Add(ref best, BestInHindsight(outcome));
                });
                report.Row(kind, Shown(grows), $"{found}", $"{wrong}", $"{best}", $"{(double)found / best:P1}");
                isHeld &= found >= 0.9 * best;
            }
        return isHeld ? 0 : 1;
    }

    private static string Shown(bool grows) => grows ? "grows, bounded" : "K = 4, gated";

    private static Outcome Alarms(string kind, bool grows, int seed, double strange)
    {
        (Minibatch rows, bool[] isStrange) = Rows(kind, seed, strange);
        MixtureOptions model = ModelCatalog.MixtureOf(new GaussianOptions(), components: grows ? 32 : 4);
        var learner = new Learner(grows ? model with { Growing = new GrowthOptions() } : model, RecordSchema.OfNumbers(1),
            new LearningOptions { Learn = grows ? LearnMode.Bounded : LearnMode.Gated }, threads: 1);
        var watch = new AlarmWatch(new AlarmOptions { FalseDiscoveryRate = Rate, Rest = 0 }, ["x0"]);
        var outcome = new Outcome(isStrange, new double[Records], []);
        Array.Fill(outcome.PValues, double.NaN);
        double[] densities = new double[Records], scores = new double[Records];
        var part = new Minibatch(1);
        (ScoreSession? session, long version) = (null, 0);
        for (int row = 0, count; row < Records; row += count)
        {
            count = Math.Min(learner.Room, Records - row);
            if (learner.Updates > 0)
            {
                if (version != learner.Updates)
                {
                    (session, version) = (learner.CreateScoreSession(session), learner.Updates);
                    watch.Begin(session!.Scorer.Learned, session.TellsNovelty);
                }
                part.Clear();
                part.Append(rows, row, count);
                Span<double> p = outcome.PValues.AsSpan(row, count);
                session!.Score(part, densities.AsSpan(0, count), [], scores.AsSpan(0, count), p);
                for (int at = 0; at < count; at++)
                    if (watch.Take(null, Minibatch.NoTimestamp, p[at], p[at], -1, part.Row(at)) == AlarmMark.Raised)
                        outcome.Raised.Add(row + at);
            }
            learner.Add(rows, row, count);
            while (learner.TryUpdate())
            {
            }
        }
        return outcome;
    }

    /// <summary>The most strange records below a threshold below which at most 5 % are not.</summary>
    private static int BestInHindsight(Outcome outcome)
    {
        int best = 0, found = 0, wrong = 0;
        foreach (int row in Enumerable.Range(0, Records).Where(row => !double.IsNaN(outcome.PValues[row]))
            .OrderBy(row => outcome.PValues[row]))
        {
            if (outcome.IsStrange[row]) found++;
            else wrong++;
            if (wrong <= Rate * (found + wrong)) best = Math.Max(best, found);
        }
        return best;
    }

    private static (Minibatch Rows, bool[] IsStrange) Rows(string kind, int seed, double strange)
    {
        var random = new Random(seed);
        var rows = new Minibatch(1, Records);
        bool[] isStrange = new bool[Records];
        for (int row = 0; row < Records; row++)
        {
            isStrange[row] = row >= Settled && random.NextDouble() < strange;
            double x = kind switch
            {
                "clusters" => 5 * random.Next(3) + Normal(random),
                "heavy" => Normal(random) / Math.Sqrt(Enumerable.Range(0, 3).Sum(_ => Math.Pow(Normal(random), 2)) / 3),
                _ => Normal(random),
            };
            double off = 6 + 10 * random.NextDouble();
            if (isStrange[row]) x = random.Next(2) == 0 ? -off : (kind == "clusters" ? 10 : 0) + off;
            rows.Add([x]);
        }
        return (rows, isStrange);
    }

    private static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    /// <summary>What became of a stream.</summary>
    private sealed record Outcome(bool[] IsStrange, double[] PValues, List<int> Raised);
}
