using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Learning;

/// <summary>Records that are not learned because of their p-value, and models that learn nothing any more.</summary>
public sealed class LearnGateTests
{
    private static readonly LearningOptions Gated = new()
    {
        Learn = LearnMode.Gated,
        MinibatchSize = 250,
        Initialization = new() { Buffer = 500, NInit = 1 },
    };

    /// <summary>
    /// 300 generations of a memory of 5000 records: a calibration that saw no record beyond its own bound would let less and less through.
    /// By chance 1 in 1000 is kept out; the tail of a finite sample is not quite exponential.
    /// </summary>
    [Fact]
    public void Learn_AHealthyStreamForLong_KeepsOutNoMoreThanTheBoundSays()
    {
        var learner = new Learner(Gaussians.Mixture(3), RecordSchema.OfNumbers(2), Gated, threads: 1);

        for (ulong part = 0; part < 30; part++) Streams.Feed(learner, Gaussians.Three.Draw(10_000, part), 0, 10_000);

        Assert.InRange(learner.Bounded / 300_000.0, 0.0002, 0.002);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(5100)]
    public void Load_OfAGatedStream_GoesOnToTheSameBytes(int stop)
    {
        Minibatch rows = Stream();
        Learner whole = new(Gaussians.Mixture(3), RecordSchema.OfNumbers(2), Gated, threads: 1),
            first = new(Gaussians.Mixture(3), RecordSchema.OfNumbers(2), Gated, threads: 1),
            second = new(Gaussians.Mixture(3), RecordSchema.OfNumbers(2), Gated, threads: 1);
        Streams.Feed(whole, rows, 0, rows.Count);
        Streams.Feed(first, rows, 0, stop);

        second.Load(new BinaryReader(new MemoryStream(Streams.State(first))));
        Streams.Feed(second, rows, stop, rows.Count - stop);

        Assert.True(whole.Bounded > 0);
        Assert.Equal(Streams.State(whole), Streams.State(second));
    }

    [Fact]
    public void Load_OfAStateThatWasGated_IsGoneOnWithByALearnerThatIsNot()
    {
        Learner gated = new(Gaussians.Mixture(3), RecordSchema.OfNumbers(2), Gated, threads: 1),
            plain = new(Gaussians.Mixture(3), RecordSchema.OfNumbers(2), Gated with { Learn = LearnMode.Bounded }, threads: 1);
        Streams.Feed(gated, Stream(), 0, 5000);

        plain.Load(new BinaryReader(new MemoryStream(Streams.State(gated))));

        Assert.Equal(gated.Updates, plain.Updates);
    }

    [Fact]
    public void Learn_Frozen_KeepsParametersCalibrationAndVersion()
    {
        Minibatch rows = Stream();
        var options = Gated with { Learn = LearnMode.Frozen, FreezeAfter = 2000 };
        var learner = new Learner(Gaussians.Mixture(3), RecordSchema.OfNumbers(2), options, threads: 1);
        Streams.Feed(learner, rows, 0, 2500);
        LearnedModel then = learner.CreateSnapshot()!;

        Streams.Feed(learner, rows, 2500, rows.Count - 2500);

        LearnedModel now = learner.CreateSnapshot()!;
        Assert.Equal((then.Version, 2000L), (now.Version, now.Training.Records));
        Assert.Equal(then.Parameters, now.Parameters);
        Assert.Equal(then.Calibration!.Records, now.Calibration!.Records);
        Assert.Equal(rows.Count - 2000, learner.Unlearned);
    }

    private static Minibatch Stream()
    {
        Minibatch rows = Gaussians.Three.Draw(8000, 1);
        var all = new Minibatch(2, rows.Count);
        // From the middle on every fifth is elsewhere.
        for (int row = 0; row < rows.Count; row++)
            all.Add(row > 4000 && row % 5 == 0 ? [40 + rows.Row(row)[0], rows.Row(row)[1]] : rows.Row(row));
        return all;
    }
}
