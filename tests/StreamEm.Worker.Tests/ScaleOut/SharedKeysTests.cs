using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.ScaleOut;

/// <summary>Whoever has a partition, and whatever became of what others wrote: each key's state is what its records say.</summary>
public sealed class SharedKeysTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void States_UnderFaults_AreThoseOfOneWorkerThatReadsAlone()
    {
        Dictionary<string, byte[]> expected = SimulatedKeys.Alone();
        Assert.Equal(SimulatedKeys.Keys, expected.Count);
        long again = 0, spared = 0;
        for (int seed = 0; seed < 60; seed++)
        {
            using var keys = new SimulatedKeys(seed, _directory[$"{seed}"]);
            Dictionary<string, byte[]> found = keys.Run();

            Assert.Equal(expected.Keys.Order(), found.Keys.Order());
            foreach ((string key, byte[] state) in expected)
                Assert.True(state.AsSpan().SequenceEqual(found[key]), $"seed {seed}: key '{key}' is another");
            (again, spared) = (again + keys.ReadAgain, spared + keys.Spared);
        }

        // Both do happen: an owner that goes on where another was, and one that reads again what a message that came late put in doubt.
        Assert.True(spared > 0 && again > 0, $"spared {spared}, read again {again}");
    }
}
