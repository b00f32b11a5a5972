using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Learning;

/// <summary>Minibatches that one learner contributes and another folds.</summary>
public sealed class ContributionTests
{
    private const int Size = 100;

    private static readonly RecordSchema Schema = RecordSchema.OfNumbers(2);
    private static readonly LatentModelOptions Model = Gaussians.Mixture(3);
    private static readonly Minibatch Rows = Gaussians.Three.Draw(1000, 21, missing: 0.1);

    [Theory]
    [InlineData(Recursion.Statistics)]
    [InlineData(Recursion.Parameters)]
    public void Fold_OfContributionsUnderTheNewestState_IsLearningAlone(Recursion recursion)
    {
        LearningOptions options = Options(recursion);
        Learner alone = new(Model, Schema, options, Gaussians.Three.Start(4)), folds = Copy(alone, options);
        for (int first = 0; first < Rows.Count; first += Size)
        {
            Streams.Feed(alone, Rows, first, Size);
            Learner worker = Copy(folds, options);
            worker.Add(Rows, first, Size);
            folds.Fold(Sent(worker.Contribute()));
        }

        LearnedModel expected = Streams.Snapshot(alone), found = Streams.Snapshot(folds);
        Assert.Equal(expected.Parameters, found.Parameters);
        Assert.Equal((expected.Version, expected.Training.Records, expected.Training.MeanLogLikelihood),
            (found.Version, found.Training.Records, found.Training.MeanLogLikelihood));
        foreach (double density in (double[])[-2, -5, -9])
            Assert.Equal(expected.Calibration!.Score(density), found.Calibration!.Score(density), 1e-2);
    }

    [Fact]
    public void Contribute_StateOfTheWorker_StaysAsItIs()
    {
        LearningOptions options = Options(Recursion.Statistics);
        Learner worker = new(Model, Schema, options, Gaussians.Three.Start(4));
        byte[] before = Streams.State(worker);

        worker.Add(Rows, 0, 30);
        Contribution made = worker.Contribute();

        Assert.Equal(30, made.Records);
        Assert.Equal(before, Streams.State(worker));
    }

    [Fact]
    public void Fold_Damped_MovesLess()
    {
        LearningOptions options = Options(Recursion.Statistics);
        Learner worker = new(Model, Schema, options, Gaussians.Three.Start(4));
        Learner full = Copy(worker, options), damped = Copy(worker, options);
        worker.Add(Rows, 0, Size);
        Contribution made = worker.Contribute();

        full.Fold(made);
        damped.Fold(made, 0.5);

        Assert.Equal(0.5 * Streams.Snapshot(full).Training.LastStepSize, Streams.Snapshot(damped).Training.LastStepSize);
    }

    [Fact]
    public void TryBegin_FindsWhatALearnerAloneFinds_AndKeepsNoRecord()
    {
        LearningOptions options = Options(Recursion.Statistics) with { Initialization = new() { Buffer = 300, NInit = 1 } };
        Learner first = new(Model, Schema, options), alone = new(Model, Schema, options);
        first.Add(Rows, 0, 299);
        Assert.False(first.TryBegin(flush: false));
        first.Add(Rows, 299, 1);

        Assert.True(first.TryBegin(flush: false));

        Assert.Equal((0, 0L, 0L), (first.Pending, first.Records, first.Updates));
        first.Add(Rows, 0, Size);
        first.Fold(Copy(first, options, pending: true).Contribute());
        Streams.Feed(alone, Rows, 0, 300);
        Assert.Equal(3, alone.Updates);
        Learner again = new(Model, Schema, options);
        again.Add(Rows, 0, 300);
        again.TryUpdate();
        Assert.Equal(Streams.Snapshot(again).Parameters, Streams.Snapshot(first).Parameters);
    }

    [Fact]
    public void Fold_OfAnotherModel_IsRefused()
    {
        LearningOptions options = Options(Recursion.Statistics);
        Learner worker = new(Gaussians.Mixture(2), Schema, options,
            new InitialParameters(new Dictionary<string, double[]>(StringComparer.Ordinal)
            {
                ["weights"] = [0.5, 0.5],
                ["means"] = [0, 0, 1, 1],
                ["covariances"] = [1, 0, 0, 1, 1, 0, 0, 1],
            }));
        worker.Add(Rows, 0, Size);

        Assert.Throws<InvalidDataException>(() =>
            new Learner(Model, Schema, options, Gaussians.Three.Start(4)).Fold(worker.Contribute()));
    }

    [Theory]
    [InlineData("hidden_markov")]
    [InlineData("linear_gaussian_state_space")]
    [InlineData("poisson_random_walk")]
    public void RefusalToScaleOut_SequencesThatWait_SaysWhy(string type)
    {
        LearningOptions options = Options(Recursion.Statistics);
        string? Refusal(string sequences) => Learner.RefusalToScaleOut(ModelCatalog.Find(type)!.Read(
            new Dictionary<string, string>(StringComparer.Ordinal) { ["sequences"] = sequences }), options);

        Assert.Null(Refusal("endless"));
        Assert.Null(Refusal("{\"max_length\": 10}"));
        Assert.Contains("set sequences: endless", Refusal("whole"), StringComparison.Ordinal);
        Assert.Contains("leave lag out", Refusal("{\"lag\": 10}"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"max_length\": 7}")]
    [InlineData("{\"gap\": \"9s\"}")]
    public void Contribute_SequencesThatEnd_AreLearningAlone(string sequences)
    {
        LatentModelOptions model = ModelCatalog.Find("hidden_markov")!.Read(new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["sequences"] = sequences,
        });
        RecordSchema schema = Schema with { Key = "key", Timestamp = "time" };
        LearningOptions options = Options(Recursion.Statistics) with { Initialization = new() { Buffer = 300, NInit = 1 } };
        var records = new Minibatch(2, Rows.Count, new TextTable());
        for (int row = 0, time = 0; row < Rows.Count; row++)
            records.Add(
                Rows.Row(row), key: records.Texts!.Number($"device {row * 37 % 11 % 9}"), timestamp: 1000 * (time += 1 + row * 7 % 3));
        Learner alone = new(model, schema, options), folds = new(model, schema, options);
        Streams.Feed(alone, records, 0, records.Count);
        folds.Add(records, 0, 300);
        Assert.True(folds.TryBegin(flush: false));
        var states = new KeptStates();
        for (int first = 0; first < records.Count; first += Size)
        {
            var worker = new Learner(model, schema, options);
            worker.Load(new BinaryReader(new MemoryStream(Streams.State(folds))));
            worker.Add(records, first, Size);
            folds.Fold(worker.Contribute(states));
        }

        Assert.Equal(Streams.Snapshot(alone).Parameters, Streams.Snapshot(folds).Parameters);
    }

    [Fact]
    public void Contribute_SequencesWithoutStates_IsRefused()
    {
        var learner = new Learner(
            ModelCatalog.Find("hidden_markov")!.CreateOptions(), Schema with { Key = "key" }, Options(Recursion.Statistics));
        learner.Add(Rows, 0, Rows.Count);
        Assert.True(learner.TryBegin(flush: true));
        learner.Add(Rows, 0, Size);

        Assert.Throws<InvalidOperationException>(() => learner.Contribute());
    }

    [Fact]
    public void RefusalToScaleOut_TheDefaults_SaysWhatToSet()
    {
        Assert.Contains("learn: always", Learner.RefusalToScaleOut(Model, new LearningOptions()), StringComparison.Ordinal);
        Assert.Contains("dead_components: keep",
            Learner.RefusalToScaleOut(Model, new LearningOptions { Learn = LearnMode.Always }), StringComparison.Ordinal);
        Assert.Null(Learner.RefusalToScaleOut(Model, Options(Recursion.Statistics)));
    }

    private static LearningOptions Options(Recursion recursion) => new()
    {
        Recursion = recursion,
        MinibatchSize = Size,
        Learn = LearnMode.Always,
        DeadComponents = DeadComponents.Keep,
    };

    private static Learner Copy(Learner learner, LearningOptions options, bool pending = false)
    {
        var copy = new Learner(Model, Schema, options);
        copy.Load(new BinaryReader(new MemoryStream(Streams.State(learner))));
        Assert.Equal(pending, copy.Pending > 0);
        return copy;
    }

    /// <summary>As it comes out of a log.</summary>
    private static Contribution Sent(Contribution contribution)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        contribution.Save(writer);
        stream.Position = 0;
        return Contribution.Load(new BinaryReader(stream));
    }
}
