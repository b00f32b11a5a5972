using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Growing;

/// <summary>
/// Three sensors in one stream, two features each: one drifts, one breaks after 60 % and stays broken. The broken readings are reported to
/// the end, the others are left alone; a level of the whole stream that changes is followed.
/// </summary>
public sealed class ThreeSensorsTests
{
    private const int Records = 15_000, Broken = 9_000;

    /// <summary>Below this p-value a reading is reported.</summary>
    private const double Reported = 0.001;

    [Theory]
    [InlineData(LearnMode.Bounded, true, 1)]
    [InlineData(LearnMode.Bounded, true, 2)]
    [InlineData(LearnMode.Gated, false, 1)]
    [InlineData(LearnMode.Gated, false, 2)]
    [InlineData(LearnMode.Gated, true, 1)]
    [InlineData(LearnMode.Gated, true, 2)]
    public void PValue_OfASensorThatBreaks_IsLowToTheEnd(LearnMode learn, bool grows, int seed)
    {
        double[] p = PValues(Learner(learn, grows), Rows(seed));

        double[] broken = [.. Enumerable.Range(Broken, Records - Broken).Where(row => row % 3 == 2).Select(row => p[row])];
        Assert.True(Share(broken) >= 0.95, $"{Share(broken):P1} of the broken readings");
        Assert.True(Share(broken[^200..]) >= 0.95, $"{Share(broken[^200..]):P1} of the last ones");
        Assert.Contains(broken[..10], value => value < Reported);
        for (int sensor = 0; sensor < 2; sensor++)
        {
            double[] healthy = [.. Enumerable.Range(2000, Records - 2000).Where(row => row % 3 == sensor).Select(row => p[row])];
            Assert.True(Share(healthy) <= 0.005, $"{Share(healthy):P2} of healthy sensor {sensor}");
        }
    }

    [Theory]
    [InlineData(LearnMode.Bounded, true)]
    [InlineData(LearnMode.Gated, false)]
    [InlineData(LearnMode.Gated, true)]
    public void PValue_AfterALastingChangeOfLevel_IsUsualAgain(LearnMode learn, bool grows)
    {
        Random random = new(3);
        var rows = new Minibatch(1, 20_000);
        for (int row = 0; row < 20_000; row++) rows.Add([(row < 10_000 ? 5 : 13) + Normal(random)]);

        double[] p = PValues(Learner(learn, grows, dimension: 1), rows);

        Assert.True(Share(p[10_000..10_050]) >= 0.9, $"{Share(p[10_000..10_050]):P1} of the first of the new level");
        Assert.True(Share(p[16_000..]) <= 0.005, $"{Share(p[16_000..]):P2} once it is known");
    }

    private static double Share(double[] p) => p.Count(value => value < Reported) / (double)p.Length;

    private static Minibatch Rows(int seed)
    {
        Random random = new(seed);
        var rows = new Minibatch(2, Records);
        for (int row = 0; row < Records; row++)
        {
            double x = Normal(random), y = Normal(random);
            rows.Add((row % 3) switch
            {
                0 => [20 + x, 100 + 3 * y],
                // Drifts by 20 deviations.
                1 => [40 + 20.0 * row / Records + x, 120 + 3 * (0.5 * x + y)],
                _ => row < Broken ? [30 + x, 80 + 3 * y] : [0.1 * x, 10 + 0.3 * y],
            });
        }
        return rows;
    }

    private static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    private static Learner Learner(LearnMode learn, bool grows, int dimension = 2) => new(
        Gaussians.Mixture(grows ? 32 : dimension == 1 ? 2 : 4) with { Growing = grows ? new GrowthOptions() : null },
        RecordSchema.OfNumbers(dimension), new LearningOptions { Learn = learn, MinibatchSize = grows ? 100 : 256 }, threads: 1);

    /// <summary>As a worker scores them: each before it is learned from.</summary>
    internal static double[] PValues(Learner learner, Minibatch rows)
    {
        double[] result = new double[rows.Count];
        Array.Fill(result, double.NaN);
        long version = 0;
        ScoreSession? session = null;
        var part = new Minibatch(rows.Dimension);
        for (int row = 0; row < rows.Count;)
        {
            int count = Math.Min(learner.Room, rows.Count - row);
            if (learner.Updates > 0)
            {
                if (version != learner.Updates) (session, version) = (learner.CreateScoreSession(session), learner.Updates);
                part.Clear();
                part.Append(rows, row, count);
                session!.Score(part, new double[count], [], new double[count], result.AsSpan(row, count));
            }
            learner.Add(rows, row, count);
            while (learner.TryUpdate())
            {
            }
            row += count;
        }
        return result;
    }
}
