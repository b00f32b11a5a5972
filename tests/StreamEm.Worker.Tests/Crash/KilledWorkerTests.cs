using System.Globalization;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Crash;

/// <summary>Resume equals never stopped, to the byte: the real executable, killed by SIGKILL at random moments.</summary>
public sealed class KilledWorkerTests(ITestOutputHelper report)
{
    private const string KillsVariable = "STREAMEM_CHAOS_KILLS";
    // Enough that what is learned between two kills, a quarter of its share or what fits in 300 ms, never reaches the end.
    private const int RowsPerKill = 8000;

    [Fact]
    public async Task Killed_AtRandomMoments_EqualsNeverStopped()
    {
        int kills = int.Parse(Environment.GetEnvironmentVariable(KillsVariable) ?? "20", CultureInfo.InvariantCulture);
        using var whole = new CrashRun(kills * RowsPerKill);
        using var killed = new CrashRun(kills * RowsPerKill);
        await whole.Finish();

        var random = new Random(kills);
        for (int kill = 0; kill < kills; kill++)
        {
            using WorkerProcess process = killed.Start("--once");
            await KillSomewhere(process, killed, random, whole.PublishedBytes() / (4 * kills));
            Assert.True(await process.Exit() != 0, $"The run ended before kill {kill}.");
        }

        await killed.Finish();

        Assert.Equal(PublishedLog.Contents(whole.Snapshots), PublishedLog.Contents(killed.Snapshots));
        Assert.Equal(await File.ReadAllTextAsync(whole.Rejected), await File.ReadAllTextAsync(killed.Rejected));
        Assert.Single(PublishedLog.Read(killed.Snapshots).Select(line => line.GetProperty("model").GetProperty("run_id").GetString()).Distinct());
        report.WriteLine($"{kills} kills, {PublishedLog.Versions(killed.Snapshots)[^1]} versions.");
    }

    /// <summary>A third of the kills comes at any time from the start of the process on, the others a moment after so much was published.</summary>
    private static async Task KillSomewhere(WorkerProcess process, CrashRun run, Random random, long share)
    {
        if (random.Next(3) > 0)
        {
            long target = run.PublishedBytes() + (long)(random.NextDouble() * share);
            await Eventually.True(() => run.PublishedBytes() > target || process.HasExited, "more to be published");
        }
        else
        {
            await Task.Delay(random.Next(300));
        }

        await Task.Delay(random.Next(10));
        process.Kill();
    }
}
