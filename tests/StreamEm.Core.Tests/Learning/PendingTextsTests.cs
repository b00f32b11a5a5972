using System.Globalization;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Learning;

/// <summary>Keys that never come again: what is kept of their texts is bounded, and taken from no row that still waits.</summary>
public sealed class PendingTextsTests
{
    private const int Bound = 1 << 16, Minibatch = 40;

    private static readonly RecordSchema Schema = new() { Features = ["x"], Key = "device" };

    [Fact]
    public void Add_KeysThatNeverComeAgain_KeepsABoundedNumberOfTexts()
    {
        Learner learner = Start();
        int most = 0;
        for (int first = 0; first < 3 * Bound; first += Minibatch)
        {
            Streams.Feed(learner, Rows(first, Minibatch), 0, Minibatch);
            most = Math.Max(most, learner.PendingTexts);
        }

        Assert.InRange(most, Bound - Minibatch, Bound + Minibatch);
    }

    [Fact]
    public void Add_MoreThanAMinibatchWhenTheBoundIsPassed_KeepsTheKeysOfTheRest()
    {
        const int Chunk = 150;
        Learner chunks = Start(), single = Start();
        for (int first = 0; first < Bound + 20 * Chunk; first += Chunk)
        {
            Minibatch rows = Rows(first, Chunk);
            chunks.Add(rows, 0, Chunk);
            while (chunks.TryUpdate()) { }
            Streams.Feed(single, rows, 0, Chunk);
        }

        // From here on every device comes again, as many of them as there is room for.
        Minibatch again = Rows(Bound + 20 * Chunk - 120, 120);
        foreach (Learner learner in (Learner[])[chunks, single])
        {
            Streams.Feed(learner, again, 0, 120);
            while (learner.TryUpdate(flush: true)) { }
        }

        Assert.Equal(Streams.Snapshot(single).Parameters, Streams.Snapshot(chunks).Parameters);
        Assert.Equal(Streams.Snapshot(single).Training.MeanLogLikelihood, Streams.Snapshot(chunks).Training.MeanLogLikelihood);
    }

    private static Learner Start() => new(
        RandomWalkOptions.Of(200), Schema,
        new LearningOptions { MinibatchSize = Minibatch, Standardize = false, Initialization = new() { Buffer = 100, NInit = 1 } });

    /// <summary>Rows, each of a device of its own.</summary>
    private static Minibatch Rows(int first, int count)
    {
        var rows = new Minibatch(1, count, new TextTable());
        for (int row = first; row < first + count; row++)
            rows.Add([Math.Sin(row)], key: rows.Texts!.Number(string.Create(CultureInfo.InvariantCulture, $"device{row}")));
        return rows;
    }
}
