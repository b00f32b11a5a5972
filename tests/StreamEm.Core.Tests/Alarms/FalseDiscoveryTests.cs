using StreamEm.Core.Alarms;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Alarms;

/// <summary>
/// Alarms at a false discovery rate over streams that are learned: a small form of <c>./build.sh bench discoveries</c>, which has 100
/// streams of 100 000 records.
/// </summary>
public sealed class FalseDiscoveryTests
{
    private const double Rate = 0.05;

    private static readonly string[] Names = ["x0"];

    [Theory]
    [InlineData("normal", false)]
    [InlineData("normal", true)]
    [InlineData("clusters", false)]
    [InlineData("clusters", true)]
    [InlineData("heavy", true)]
    public void Alarms_OnNullStreams_AreRaisedInHardlyAny(string kind, bool grows)
    {
        const int Many = 12, Records = 6000;
        int alarmed = 0;
        Parallel.For(0, Many, stream =>
        {
            var watch = new AlarmWatch(new AlarmOptions { FalseDiscoveryRate = Rate, Rest = 0 }, Names);
            AlarmedStream.Run(LearnerOf(grows), Rows(kind, Records, stream, strange: 0, out _), watch);
            if (watch.Raised > 0) Interlocked.Increment(ref alarmed);
        });
        // At most 5 % of 12, expected; three and more in one stream of 250.
        Assert.InRange(alarmed, 0, 2);
    }

    [Theory]
    [InlineData(false, 0.9)]
    [InlineData(true, 0.75)]
    public void Alarms_OnAStreamWithStrangeRecords_FindMostOfWhatTheBestThresholdInHindsightDoes(bool grows, double share)
    {
        // The first alarms come at strict levels; of a longer stream they are a smaller part.
        int records = grows ? 20_000 : 60_000;
        Minibatch rows = Rows("normal", records, seed: 7, strange: 0.01, out bool[] isStrange);
        (AlarmMark[] marks, double[] pValues) = AlarmedStream.Run(
            LearnerOf(grows, LearnMode.Gated), rows, new AlarmWatch(new AlarmOptions { FalseDiscoveryRate = Rate, Rest = 0 }, Names));

        int found = 0, wrong = 0, best = 0, foundBelow = 0, wrongBelow = 0;
        for (int row = 0; row < records; row++)
        {
            if (marks[row] != AlarmMark.Raised) continue;
            if (isStrange[row]) found++;
            else wrong++;
        }
        foreach (int row in Enumerable.Range(0, records).Where(row => !double.IsNaN(pValues[row])).OrderBy(row => pValues[row]))
        {
            if (isStrange[row]) foundBelow++;
            else wrongBelow++;
            if (wrongBelow <= Rate * (foundBelow + wrongBelow)) best = Math.Max(best, foundBelow);
        }

        Assert.True(found >= share * best && best > 150,
            $"found {found}, the best threshold in hindsight {best} of {isStrange.Count(s => s)}");
        Assert.True(wrong <= Rate * (found + wrong) + 3, $"{wrong} wrong beside {found}");
    }

    private static Learner LearnerOf(bool grows, LearnMode learn = LearnMode.Bounded) => new(
        Gaussians.Mixture(grows ? 32 : 2) with { Growing = grows ? new GrowthOptions() : null }, RecordSchema.OfNumbers(1),
        new LearningOptions { MinibatchSize = grows ? 100 : 256, Learn = grows ? LearnMode.Bounded : learn }, threads: 1);

    private static Minibatch Rows(string kind, int count, int seed, double strange, out bool[] isStrange)
    {
        Random random = new(1000 + seed);
        var rows = new Minibatch(1, count);
        isStrange = new bool[count];
        for (int row = 0; row < count; row++)
        {
            isStrange[row] = row >= 1000 && random.NextDouble() < strange;
            double x = kind switch
            {
                "clusters" => (5 * random.Next(3)) + Normal(random),
                // Student's t with three degrees of freedom.
                "heavy" => Normal(random) / Math.Sqrt((Square(random) + Square(random) + Square(random)) / 3),
                _ => Normal(random),
            };
            rows.Add([isStrange[row] ? (random.Next(2) == 0 ? -1 : 1) * (8 + 8 * random.NextDouble()) : x]);
        }
        return rows;
    }

    private static double Square(Random random)
    {
        double z = Normal(random);
        return z * z;
    }

    private static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
