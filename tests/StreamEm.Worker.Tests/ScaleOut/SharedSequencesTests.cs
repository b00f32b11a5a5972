using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.ScaleOut;

/// <summary>Whoever dies, lags or goes on without knowing: what counts was made of keys that had seen what they should have.</summary>
public sealed class SharedSequencesTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Contributions_ThatCount_HadSeenEveryRecordBeforeOnceAndInOrder()
    {
        long remembered = 0, waited = 0, counted = 0;
        for (int seed = 0; seed < 40; seed++)
        {
            using var cluster = new SimulatedSequences(seed, _directory[$"{seed}"]);

            cluster.Run();

            Assert.All(cluster.Counted, one => Assert.True(one.Had == one.Should, $"seed {seed}: {one}"));
            (remembered, waited, counted) =
                (remembered + cluster.Remembered, waited + cluster.Waited, counted + cluster.Counted.Count);
            for (int partition = 0; partition < SequencedRecords.Partitions; partition++)
                Assert.Equal(SequencedRecords.Below(partition, SequencedRecords.Records).OrderBy(one => one.Key, StringComparer.Ordinal),
                    cluster.Known(partition).OrderBy(one => one.Key, StringComparer.Ordinal));
        }

        // All of it does happen: records read again for the keys alone, and keys that are known further than a state of the model is.
        Assert.True(remembered > 1000 && waited > 10 && counted > 1000, $"{remembered} read again, waited {waited}, {counted} counted");
    }
}
