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
/// One metric watched by a growing mixture as samples/anomaly-metric.yaml has it: every record scored by all there was before it, judged
/// for an alarm and learned, a version every 50 records.
/// </summary>
internal sealed class MetricRate(Report report, Goals goals, bool quick)
{
    private const int Samples = 5, Minibatch = 50;

    /// <summary>Records a second per core: some thirty times what a Random Cut Forest takes.</summary>
    private const double GoalRate = 1e6;

    private readonly int _records = quick ? 50_000 : 500_000;

    /// <summary>Writes the table.</summary>
    public void Run()
    {
        report.Table(
            "One metric, growing mixture",
            $"{_records} records, at most 32 components, a version every {Minibatch} records, one thread, its CPU time, medians of "
                + $"{Samples}. Learned: into versions alone. Watched: scored before it is learned and judged for an alarm, too.",
            "stream", "components", "learned, records/s", "watched, records/s", "us a record");
        foreach (string kind in (string[])["normal", "daily", "levels"])
        {
            Minibatch rows = Rows(kind);
            double learned = _records / Median(() => Learn(rows, isWatched: false), out _),
                watched = _records / Median(() => Learn(rows, isWatched: true), out int components);
            report.Row(kind, $"{components}", Report.Rate(learned), Report.Rate(watched), $"{1e6 / watched:F2}");
            goals.AtLeast($"one metric, {kind}, records/s", watched, GoalRate);
        }
    }

    private static double Median(Func<int> run, out int result)
    {
        double[] seconds = new double[Samples];
        result = 0;
        for (int sample = 0; sample < Samples; sample++)
        {
            double start = Clock.Thread();
            result = run();
            seconds[sample] = Clock.Thread() - start;
        }
        return seconds.Order().ElementAt(Samples / 2);
    }

    /// <returns>How many components there are in the end.</returns>
    private static int Learn(Minibatch rows, bool isWatched)
    {
        MixtureOptions model = ModelCatalog.MixtureOf(new GaussianOptions(), components: 32);
        var learner = new Learner(model with { Growing = new GrowthOptions() }, RecordSchema.OfNumbers(1),
            new LearningOptions { MinibatchSize = Minibatch }, threads: 1);
        var watch = new AlarmWatch(new AlarmOptions(), ["x0"]);
        double[] densities = new double[rows.Count], scores = new double[rows.Count], p = new double[rows.Count];
        var part = new Minibatch(1);
        ScoreSession? session = null;
        LearnedModel? latest = null;
        for (int row = 0, count; row < rows.Count; row += count)
        {
            count = Math.Min(learner.Room, rows.Count - row);
            if (session is not null)
            {
                part.Clear();
                part.Append(rows, row, count);
                session.Score(part, densities.AsSpan(0, count), [], scores.AsSpan(0, count), p.AsSpan(0, count));
                for (int at = 0; at < count; at++) watch.Take(null, Core.Data.Minibatch.NoTimestamp, p[at], p[at], -1, part.Row(at));
            }
            learner.Add(rows, row, count);
            while (learner.TryUpdate()) latest = learner.CreateSnapshot();
            if (!isWatched || latest is null) continue;
            session = learner.CreateScoreSession(session);
            watch.Begin(session!.Scorer.Learned, session.TellsNovelty);
        }
        return latest!.ComponentIds.Count;
    }

    /// <summary>Noise about one level; about a daily course; about a hundred levels, of which no more than 32 have a component.</summary>
    private Minibatch Rows(string kind)
    {
        var random = new Random(1);
        var rows = new Minibatch(1, _records);
        for (int row = 0; row < _records; row++)
        {
            double centre = kind switch
            {
                "daily" => 10 * Math.Sin(2 * Math.PI * row / 1440),
                "levels" => 4 * random.Next(100),
                _ => 0,
            };
            rows.Add([centre + Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())]);
        }
        return rows;
    }
}
