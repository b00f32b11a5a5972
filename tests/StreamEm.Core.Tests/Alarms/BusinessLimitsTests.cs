using StreamEm.Core.Alarms;
using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Initialization;
using StreamEm.Core.Learning;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Snapshots;

namespace StreamEm.Core.Tests.Alarms;

/// <summary>Two components, about 0 and about 100; a record is off what its own component expects.</summary>
public sealed class BusinessLimitsTests
{
    [Theory]
    [InlineData(0, 4, false)]
    [InlineData(0, 6, true)]
    [InlineData(0, -6, true)]
    [InlineData(100, 96, false)]
    [InlineData(100, 94, true)]
    public void Take_OffByLessThanMatters_RaisesNone(double centre, double value, bool isRaised) =>
        Assert.Equal(isRaised, Raises(new AlarmOptions { MinDeviation = Of("*", 5.0) }, centre, value));

    [Theory]
    [InlineData(Direction.Up, 6, true)]
    [InlineData(Direction.Up, -6, false)]
    [InlineData(Direction.Down, -6, true)]
    public void Take_OffToTheOtherSide_RaisesNone(Direction direction, double value, bool isRaised) =>
        Assert.Equal(isRaised, Raises(new AlarmOptions { MinDeviation = Of("x", 5.0), Direction = Of("x", direction) }, 0, value));

    private static Dictionary<string, T> Of<T>(string name, T value) => new(StringComparer.Ordinal) { [name] = value };

    private static bool Raises(AlarmOptions options, double centre, double value)
    {
        LearnedModel learned = Learned();
        double[] means = new double[2], variances = new double[2];
        Assert.True(((Core.Models.ComponentModel)learned.Model).TryComponentMoments(learned.Parameters, means, variances));
        var watch = new AlarmWatch(options, ["x"]);
        watch.Begin(learned);
        int component = Math.Abs(means[0] - centre) < 10 ? 0 : 1;
        return watch.Take(null, Minibatch.NoTimestamp, 1e-9, 1e-9, component, [value]) == AlarmMark.Raised;
    }

    private static LearnedModel Learned()
    {
        var random = new Random(1);
        var rows = new Minibatch(1);
        for (int row = 0; row < 400; row++) rows.Add([100 * (row % 2) + random.NextDouble() - 0.5]);
        var learner = new Learner(
            ModelCatalog.MixtureOf(new GaussianOptions(), components: 2), new RecordSchema { Features = ["x"] },
            new LearningOptions { MinibatchSize = 100, Initialization = new InitializationOptions { Buffer = 200, NInit = 1 } });
        learner.Add(rows, 0, rows.Count);
        while (learner.TryUpdate()) { }
        return learner.CreateSnapshot()!;
    }
}
