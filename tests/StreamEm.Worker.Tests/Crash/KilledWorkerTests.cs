using System.Globalization;
using System.Text.Json;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Crash;

/// <summary>Resume equals never stopped, to the byte: the real executable, killed by SIGKILL at random moments.</summary>
public sealed class KilledWorkerTests(ITestOutputHelper report)
{
    private const string KillsVariable = "STREAMEM_CHAOS_KILLS";
    // Enough that what is learned between two kills, a quarter of its share or what fits in 300 ms, never reaches the end.
    private const int RowsPerKill = 8000;

    // Fewer: a minibatch is sixteen times as large, so that little is learned in 300 ms.
    private const int RowsPerKillOfSequences = 20_000;

    [Fact]
    public async Task Killed_AtRandomMoments_EqualsNeverStopped()
    {
        int kills = Kills(8);
        using var whole = new CrashRun(kills * RowsPerKill);
        using var killed = new CrashRun(kills * RowsPerKill);
        await KillAndCompare(whole, killed, kills);
    }

    /// <summary>A worker that is moved from node to node publishes what it would have published on one.</summary>
    [Fact]
    public async Task Killed_AndResumedWithOtherVectors_EqualsNeverStopped()
    {
        int kills = Math.Min(20, Kills(3));
        using CrashRun whole = new(kills * RowsPerKill), killed = new(kills * RowsPerKill);
        string[] kernels = ["portable", "avx512", "avx2"];
        await KillAndCompare(whole, killed, kills, kill => killed.StartWith(kernels[kill % kernels.Length]));
    }

    [Fact]
    public async Task Killed_WithMoreKeysThanAreRemembered_EqualsNeverStopped()
    {
        const int Keys = 10_000, MaxKeys = 4000;
        int kills = Math.Min(20, Kills(6));
        using CrashRun whole = CrashRun.OfSequences(kills * RowsPerKillOfSequences, Keys, MaxKeys),
            killed = CrashRun.OfSequences(kills * RowsPerKillOfSequences, Keys, MaxKeys);
        await KillAndCompare(whole, killed, kills);

        IEnumerable<string?> warnings = PublishedLog.Read(killed.Snapshots)[^1].GetProperty("training").GetProperty("warnings")
            .EnumerateArray().Select(warning => warning.GetString());
        Assert.Contains(warnings,
            warning => warning!.EndsWith("key(s) were forgotten to make room for others; max_keys is 4000.", StringComparison.Ordinal));
    }

    /// <summary>Thousands of sequences under way, each with records that wait for those behind them.</summary>
    [Fact]
    public async Task Killed_WithALagBehindManyKeys_EqualsNeverStopped()
    {
        const int Keys = 10_000, Lag = 3;
        int kills = Math.Max(4, Kills(4) / 10);
        using CrashRun whole = CrashRun.OfSequences(kills * RowsPerKillOfSequences, Keys, Keys, Lag),
            killed = CrashRun.OfSequences(kills * RowsPerKillOfSequences, Keys, Keys, Lag);
        await KillAndCompare(whole, killed, kills);

        // Each record once; some have no values, and teach nothing.
        JsonElement training = PublishedLog.Read(killed.Snapshots)[^1].GetProperty("training");
        long unlearned = training.TryGetProperty("unlearned", out JsonElement count) ? count.GetInt64() : 0;
        long taken = kills * RowsPerKillOfSequences - File.ReadLines(killed.Rejected).Count();
        Assert.Equal(taken, training.GetProperty("records").GetInt64() + unlearned);
    }

    [Fact]
    public async Task Killed_WhileComponentsComeAndGo_EqualsNeverStopped()
    {
        const int Killings = 5, Rows = Killings * RowsPerKillOfSequences;
        using CrashRun whole = CrashRun.OfGrowth(Rows), killed = CrashRun.OfGrowth(Rows);
        await KillAndCompare(whole, killed, Killings);
    }

    /// <summary>As many as are asked for, or so many that the suite stays short.</summary>
    private static int Kills(int few) =>
        Environment.GetEnvironmentVariable(KillsVariable) is { } many ? int.Parse(many, CultureInfo.InvariantCulture) : few;

    private async Task KillAndCompare(CrashRun whole, CrashRun killed, int kills, Func<int, WorkerProcess>? start = null)
    {
        await whole.Finish();

        var random = new Random(kills);
        for (int kill = 0; kill < kills; kill++)
        {
            using WorkerProcess process = start?.Invoke(kill) ?? killed.Start("--once");
            await killed.KillSomewhere(process, random, whole.PublishedBytes() / (4 * kills));
            Assert.True(await process.Exit() != 0, $"The run ended before kill {kill}.");
        }

        await killed.Finish();

        Assert.Equal(PublishedLog.Contents(whole.Snapshots), PublishedLog.Contents(killed.Snapshots));
        Assert.Equal(await File.ReadAllTextAsync(whole.Rejected), await File.ReadAllTextAsync(killed.Rejected));
        Assert.Equal(await File.ReadAllBytesAsync(whole.Scores), await File.ReadAllBytesAsync(killed.Scores));
        Assert.Equal(await File.ReadAllBytesAsync(whole.Alarms), await File.ReadAllBytesAsync(killed.Alarms));
        Assert.Single(
            PublishedLog.Read(killed.Snapshots).Select(line => line.GetProperty("model").GetProperty("run_id").GetString()).Distinct());
        report.WriteLine($"{kills} kills, {PublishedLog.Versions(killed.Snapshots)[^1]} versions.");
    }
}
