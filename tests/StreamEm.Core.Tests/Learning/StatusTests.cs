using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Learning;

/// <summary>A model that learns nothing says so.</summary>
public sealed class StatusTests
{
    private static readonly LearningOptions Options = new() { MinibatchSize = 100, Recursion = Recursion.Statistics };

    [Fact]
    public void Status_NoRecordOfTheLastMinibatchesUsable_IsDegenerateUntilOneIs()
    {
        var learner = new Learner(Gaussians.Mixture(3), RecordSchema.OfNumbers(2), Options, Gaussians.Three.Exact());
        Minibatch good = Gaussians.Three.Draw(200, 1), bad = new(2);
        for (int row = 0; row < 200; row++) bad.Add(row % 3 == 0 ? [double.NaN, double.NaN] : [1e80, -1e80]);

        Streams.Feed(learner, good, 0, 100);
        AssertOk(Streams.Snapshot(learner));

        Streams.Feed(learner, bad, 0, 200);
        LearnedModel nothing = Streams.Snapshot(learner);
        Assert.Equal(TrainingReport.Degenerate, nothing.Training.Status);
        Assert.True(double.IsNaN(nothing.Training.MeanLogLikelihood));
        Assert.Equal([ModelWarningKind.ImpossibleRecords, ModelWarningKind.NothingLearned],
            nothing.Training.Warnings.Select(warning => warning.Kind));
        Assert.Equal(
            "no record of the last 2 minibatch(es) could be learned from: the parameters are not moving. Look at the records' units, or "
                + "start anew.",
            nothing.Training.Warnings[1].Text);

        var resumed = new Learner(Gaussians.Mixture(3), RecordSchema.OfNumbers(2), Options, Gaussians.Three.Exact());
        resumed.Load(new BinaryReader(new MemoryStream(Streams.State(learner))));
        Assert.Equal(nothing.Training.Warnings, Streams.Snapshot(resumed).Training.Warnings);
        Assert.Equal(TrainingReport.Degenerate, Streams.Snapshot(resumed).Training.Status);

        Streams.Feed(resumed, good, 100, 100);
        LearnedModel again = Streams.Snapshot(resumed);
        Assert.Equal(TrainingReport.Ok, again.Training.Status);
        Assert.Equal(ModelWarningKind.ImpossibleRecords, Assert.Single(again.Training.Warnings).Kind);
        Assert.Equal("133 record(s) were too far from every component to be learned from.", again.Training.Warnings[0].ToString());
    }

    [Fact]
    public void Status_NoRecordEverUsable_IsDegenerateFromTheStart()
    {
        var rows = new Minibatch(2);
        for (int row = 0; row < 300; row++) rows.Add([double.NaN, double.NaN]);
        LearnedModel learned =
            Streams.Snapshot(Streams.Learn(Gaussians.Mixture(2), Options with { Initialization = new() { Buffer = 100 } }, rows));
        Assert.Equal(TrainingReport.Degenerate, learned.Training.Status);
        Assert.Contains(learned.Training.Warnings, warning => warning.Kind == ModelWarningKind.AbsentFeature);
        Assert.Contains(learned.Training.Warnings, warning => warning.Kind == ModelWarningKind.NothingLearned);
    }

    private static void AssertOk(LearnedModel learned)
    {
        Assert.Equal(TrainingReport.Ok, learned.Training.Status);
        Assert.Empty(learned.Training.Warnings);
    }
}
