using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Crash;

/// <summary>The real executable from start to a proper end.</summary>
public sealed class StoppedWorkerTests
{
    [Fact]
    public async Task Terminated_WhileFollowing_EndsInOrderWithinFiveSecondsAndGoesOnLater()
    {
        using var whole = new CrashRun(20_000);
        using var stopped = new CrashRun(20_000, follow: true);
        await whole.Finish();
        using (WorkerProcess process = stopped.Start())
        {
            using var client = new HttpClient { BaseAddress = await process.Address() };
            await Eventually.Get(async () =>
                (await client.GetFromJsonAsync<JsonElement>("/v1/models"))[0].GetProperty("version").GetInt64() > 100 ? "yes" : null,
                "version 100");
            Task<HttpResponseMessage> stream = client.GetAsync("/v1/models/clouds/stream", HttpCompletionOption.ResponseHeadersRead);
            Assert.Equal(HttpStatusCode.OK, (await stream).StatusCode);

            var watch = Stopwatch.StartNew();
            process.Terminate();
            Assert.Equal(ExitCode.Ok, await process.Exit());
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5), $"took {watch.Elapsed}");
        }

        await stopped.Finish();
        Assert.Equal(PublishedLog.Contents(whole.Snapshots), PublishedLog.Contents(stopped.Snapshots));
    }

    [Fact]
    public async Task Terminated_WhileStarting_EndsInOrder()
    {
        using var run = new CrashRun(1000, follow: true);
        using WorkerProcess process = run.Start();
        await process.Event("http_listening");

        process.Terminate();

        Assert.Equal(ExitCode.Ok, await process.Exit());
    }

    [Fact]
    public async Task Started_Twice_TheSecondIsRefusedWith73()
    {
        using var run = new CrashRun(1000, follow: true);
        using WorkerProcess first = run.Start();
        await first.Address();

        (int code, _, string errors) = await WorkerProcess.Run(run.Path, "run", "-c", "streamem.yaml");

        Assert.Equal(ExitCode.CannotCreate, code);
        Assert.Contains("in use by another streamem", errors, StringComparison.Ordinal);
        Assert.False(first.HasExited);
    }

    [Fact]
    public async Task Started_AllCheckpointsDamaged_StopsWith65()
    {
        using var run = new CrashRun(1000);
        await run.Finish();
        foreach (string file in Directory.GetFiles(run.State, "*.sem")) await File.WriteAllBytesAsync(file, [0]);

        (int code, _, string errors) = await WorkerProcess.Run(run.Path, "run", "-c", "streamem.yaml", "--once");

        Assert.Equal(ExitCode.DataCorrupt, code);
        Assert.Contains("checkpoints in", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Started_NewestCheckpointDamaged_GoesOnFromTheOneBeforeToTheSameEnd()
    {
        using var whole = new CrashRun(20_000);
        using var damaged = new CrashRun(20_000);
        await whole.Finish();
        await damaged.Finish();
        string[] files = [.. Directory.GetFiles(damaged.State, "*.sem").Order(StringComparer.Ordinal)];
        await File.WriteAllBytesAsync(files[^1], (await File.ReadAllBytesAsync(files[^1]))[..100]);

        await damaged.Finish();

        Assert.Equal(PublishedLog.Contents(whole.Snapshots), PublishedLog.Contents(damaged.Snapshots));
    }

    [Fact]
    public async Task Started_OtherModelOnTheState_StopsWith78()
    {
        using var run = new CrashRun(1000);
        await run.Finish();

        (int code, _, string errors) =
            await WorkerProcess.Run(run.Path, "run", "-c", "streamem.yaml", "--once", "-s", "models.0.model.components=2");

        Assert.Equal(ExitCode.Configuration, code);
        Assert.Contains("learned with another configuration:\n  model.components: 3 -> 2\n", errors, StringComparison.Ordinal);
        Assert.Contains("--accept-model-change", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Started_WithoutItsData_StopsWith66()
    {
        using var run = new CrashRun(10);
        File.Delete(Path.Combine(run.Path, "data.csv"));

        (int code, _, string errors) = await WorkerProcess.Run(run.Path, "run", "-c", "streamem.yaml", "--once");

        Assert.Equal(ExitCode.InputMissing, code);
        Assert.Contains("data.csv", errors, StringComparison.Ordinal);
    }
}
