using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.ScaleOut;

/// <summary>Whoever has a partition, and whatever became of what others wrote: each key's state is what its records say.</summary>
public sealed class SharedKeysTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public void States_UnderFaults_AreThoseOfOneWorkerThatReadsAlone(int copies)
    {
        Dictionary<string, byte[]> expected = SimulatedKeys.Alone();
        Assert.Equal(SimulatedKeys.Keys, expected.Count);
        long again = 0, spared = 0, copied = 0;
        for (int seed = 0; seed < 60; seed++)
        {
            using var keys = new SimulatedKeys(seed, _directory[$"{seed}"], copies);
            Dictionary<string, byte[]> found = keys.Run();

            Assert.Equal(expected.Keys.Order(), found.Keys.Order());
            foreach ((string key, byte[] state) in expected)
                Assert.True(state.AsSpan().SequenceEqual(found[key]), $"seed {seed}: key '{key}' is another");
            (again, spared, copied) = (again + keys.ReadAgain, spared + keys.Spared, copied + Math.Min(keys.Took.Copied, keys.Took.Others));
        }

        // Both do happen: an owner that goes on where another was, and one that reads again what a message that came late put in doubt.
        Assert.True(spared > 0 && again > 0, $"spared {spared}, read again {again}");
        Assert.True(copies == 0 || copied > 0, "none began with a copy and what followed it");
    }
}
