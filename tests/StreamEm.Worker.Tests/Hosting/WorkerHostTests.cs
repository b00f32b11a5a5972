using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using StreamEm.Sources.Files;
using StreamEm.Worker.Api;
using StreamEm.Worker.Commands;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Hosting;
using StreamEm.Worker.Tests.Commands;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Hosting;

/// <summary>How the process ends, and what it says when there is nothing left to learn.</summary>
public sealed class WorkerHostTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task StandardInput_AtItsEnd_EndsTheProcessWith0AndAllIsKept()
    {
        var host = Host(Options());

        Assert.Equal(ExitCode.Ok, await Eventually.Within(host.RunAsync(CancellationToken.None)));
        Assert.Equal(11, PublishedLog.Versions(_directory["out/snapshots.ndjson"])[^1]);
    }

    [Fact]
    public Task StandardInput_AtItsEndWithServe_GoesOnAnsweringAndSaysFinished() => ExpectFinished(Options() with { Serve = true });

    [Fact]
    public Task Files_AtTheirEnd_GoOnAnsweringAndSayFinished()
    {
        WorkerOptions options = Options();
        return ExpectFinished(options with { Models = [options.Models[0] with { Source = new FileSourceOptions { Path = ["x.csv"] } }] });
    }

    private async Task ExpectFinished(WorkerOptions options)
    {
        using var stop = new CancellationTokenSource();
        var listening = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<int> running = Host(options, listening.SetResult).RunAsync(stop.Token);
        string address = await Eventually.Within(listening.Task);
        using var client = new HttpClient { BaseAddress = new Uri(address) };
        await Eventually.Get(async () =>
            (await client.GetFromJsonAsync<JsonElement>("/v1/models"))[0].GetProperty("status").GetString() == "finished" ? "yes" : null,
            "the model to finish");

        Assert.Equal("finished", (await client.GetFromJsonAsync<JsonElement>("/readyz")).GetProperty("status").GetString());
        CommandRun health = await CommandRun.Of(HealthcheckCommand.Create(), "--url", address);
        Assert.Equal((ExitCode.Ok, $"finished: {address}/livez"), (health.ExitCode, health.Output.Trim()));
        Assert.False(running.IsCompleted);
        await stop.CancelAsync();
        Assert.Equal(ExitCode.Ok, await Eventually.Within(running));
    }

    private WorkerOptions Options() => new()
    {
        Http = new HttpOptions { Address = "127.0.0.1:0" },
        StateDirectory = _directory["state"],
        Models = [Pipelines.Model(_directory)],
    };

    private static WorkerHost Host(WorkerOptions options, Action<string>? listening = null) =>
        new(options, (_, position) => new MemorySource(Pipelines.Clouds(330), position), TimeProvider.System, NullLoggerProvider.Instance)
        {
            Listening = listening,
        };
}
