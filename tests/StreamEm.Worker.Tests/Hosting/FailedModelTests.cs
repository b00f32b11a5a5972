using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using StreamEm.Sources;
using StreamEm.Worker.Api;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Hosting;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Publishing;
using StreamEm.Worker.Rejections;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Hosting;

/// <summary>Two models of one worker, of which one cannot go on.</summary>
public sealed class FailedModelTests
{
    private static readonly SourceException Gone = new(SourceFailure.Missing, "'in/a.csv' is gone.");

    [Fact]
    public async Task Model_WhoseSourceFails_IsFailedAndTheOtherGoesOn()
    {
        using var directory = new TemporaryDirectory();
        await using Run run = await Run.Start(directory, failing => failing);

        await run.Status("bad", "failed");
        JsonElement bad = await run.Model("bad");
        Assert.Equal("'in/a.csv' is gone.", bad.GetProperty("problem").GetString());
        Assert.Equal(8, (await run.Model("good")).GetProperty("version").GetInt64());
        Assert.Equal(8, bad.GetProperty("version").GetInt64());

        HttpResponseMessage ready = await run.Client.GetAsync("/readyz");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        Assert.Contains("model 'bad' failed: 'in/a.csv' is gone.",
            (await ready.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("reasons")[0].GetString(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await run.Client.GetAsync("/readyz?model=good")).StatusCode);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await run.Client.GetAsync("/readyz?model=bad")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await run.Client.GetAsync("/readyz?model=ugly")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await run.Client.GetAsync("/livez")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await run.Client.GetAsync("/startupz")).StatusCode);
        string metrics = await run.Client.GetStringAsync("/metrics");
        Assert.Contains("streamem_model_status{model=\"bad\",status=\"failed\"} 1\n", metrics, StringComparison.Ordinal);
        Assert.Contains("streamem_model_exit_code{model=\"bad\"} 66\n", metrics, StringComparison.Ordinal);
        Assert.Contains("streamem_model_exit_code{model=\"good\"} 0\n", metrics, StringComparison.Ordinal);

        CommandException end = await Assert.ThrowsAsync<CommandException>(run.Stop);
        Assert.Equal(ExitCode.InputMissing, end.ExitCode);
    }

    [Fact]
    public async Task Worker_StartedAgain_TriesTheModelAgain()
    {
        using var directory = new TemporaryDirectory();
        await using (Run run = await Run.Start(directory, failing => failing))
        {
            await run.Status("bad", "failed");
            await Assert.ThrowsAsync<CommandException>(run.Stop);
        }

        await using Run again = await Run.Start(directory, mended => mended, fails: false);

        await again.Status("bad", "learning");
        Assert.Equal(ExitCode.Ok, await again.Stop());
    }

    [Fact]
    public async Task Worker_WhoseModelsHaveAllEnded_EndsWithTheFailedOnesCode()
    {
        using var directory = new TemporaryDirectory();
        await using Run run = await Run.Start(directory, failing => failing, endless: false);

        Assert.Equal(ExitCode.InputMissing, (await Assert.ThrowsAsync<CommandException>(() => run.End)).ExitCode);
    }

    [Fact]
    public async Task Worker_WhoseModelsHaveAllEndedWell_GoesOnServing()
    {
        using var directory = new TemporaryDirectory();
        await using Run run = await Run.Start(directory, model => model, endless: false, fails: false);

        await run.Status("good", "finished");
        await run.Status("bad", "finished");

        Assert.False(run.End.IsCompleted);
        Assert.Equal(ExitCode.Ok, await run.Stop());
    }

    [Fact]
    public async Task StopWorker_OfTheFailedModel_EndsTheWorker()
    {
        using var directory = new TemporaryDirectory();
        await using Run run = await Run.Start(directory, failing => failing with { OnFailure = FailurePolicy.StopWorker });

        Assert.Equal(ExitCode.InputMissing, (await Assert.ThrowsAsync<CommandException>(() => run.End)).ExitCode);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(FailurePolicy.StopModel)]
    [InlineData(FailurePolicy.StopWorker)]
    public async Task OnlyModel_ThatFails_EndsTheWorker(FailurePolicy? policy)
    {
        using var directory = new TemporaryDirectory();
        await using Run run = await Run.Start(directory, failing => failing with { OnFailure = policy }, isAlone: true);

        Assert.Equal(ExitCode.InputMissing, (await Assert.ThrowsAsync<CommandException>(() => run.End)).ExitCode);
    }

    [Fact]
    public async Task Model_WhoseStateIsDamaged_IsFailedAndTheOtherStarts()
    {
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(directory["state/bad"]);
        await File.WriteAllTextAsync(directory["state/bad/checkpoint-00000000000000000001.sem"], "no checkpoint");
        await using Run run = await Run.Start(directory, failing => failing, fails: false);

        await run.Status("bad", "failed");
        await run.Status("good", "learning");
        Assert.Equal(HttpStatusCode.NotFound, (await run.Client.GetAsync("/v1/models/bad")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await run.Client.GetAsync("/startupz")).StatusCode);
        Assert.Equal(ExitCode.DataCorrupt, (await Assert.ThrowsAsync<CommandException>(run.Stop)).ExitCode);
    }

    [Fact]
    public async Task Model_WhoseSnapshotsCannotBePublished_IsFailedAndTheOtherGoesOn()
    {
        using var directory = new TemporaryDirectory();
        await using Run run = await Run.Start(
            directory, failing => failing with { Publish = [new FilePublisherOptions { Path = "/dev/full" }] }, fails: false);

        await run.Status("bad", "failed");
        await run.Status("good", "learning");
        Assert.Equal(ExitCode.InputOutput, (await Assert.ThrowsAsync<CommandException>(run.Stop)).ExitCode);
    }

    [Fact]
    public async Task Model_WhoseRejectedRecordsCannotBeKept_IsFailedAndTheOtherGoesOn()
    {
        using var directory = new TemporaryDirectory();
        await using Run run = await Run.Start(
            directory, failing => failing with { Rejected = new RejectedOptions { File = "/dev/full", StopAboveRatio = 1 } },
            fails: false, badEvery: 10);

        await run.Status("bad", "failed");
        await run.Status("good", "learning");
        Assert.Equal(ExitCode.InputOutput, (await Assert.ThrowsAsync<CommandException>(run.Stop)).ExitCode);
    }

    /// <summary>A worker with the models <c>good</c> and <c>bad</c>.</summary>
    private sealed class Run : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();

        private Run(Func<CancellationToken, Action<string>, Task<int>> run)
        {
            var address = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
            Address = address.Task;
            End = run(_stop.Token, address.SetResult);
        }

        public HttpClient Client { get; } = new();

        public Task<int> End { get; }

        private Task<string> Address { get; }

        public static async Task<Run> Start(
            TemporaryDirectory directory, Func<ModelOptions, ModelOptions> change, bool endless = true, bool fails = true,
            bool isAlone = false, int badEvery = int.MaxValue)
        {
            ModelOptions good = Pipelines.Model(directory) with { Id = "good" };
            ModelOptions bad = change(good with
            {
                Id = "bad",
                Publish = [],
                Rejected = new RejectedOptions { File = directory["out/bad.ndjson"], StopAboveRatio = 1 },
            });
            IReadOnlyList<double[]?> items = Pipelines.Clouds(256, badEvery);
            var options = new WorkerOptions
            {
                Http = new HttpOptions { Address = "127.0.0.1:0" },
                StateDirectory = directory["state"],
                Serve = true,
                Models = isAlone ? [bad] : [good with { Rejected = good.Rejected with { StopAboveRatio = 1 } }, bad],
            };
            var run = new Run((stop, listening) => new WorkerHost(
                options,
                (model, position) => new MemorySource(items, position, endless: endless)
                { FailAtEnd = model.Id == "bad" && fails ? Gone : null },
                TimeProvider.System, NullLoggerProvider.Instance)
            { Listening = listening }.RunAsync(stop));
            await Task.WhenAny(run.Address, run.End);
            if (run.Address.IsCompleted) run.Client.BaseAddress = new Uri(await run.Address);
            return run;
        }

        public async Task<JsonElement> Model(string id) =>
            (await Client.GetFromJsonAsync<JsonElement[]>("/v1/models"))!.First(model => model.GetProperty("id").GetString() == id);

        /// <summary>Waits for a state of a model; of one that learns, for its eighth version, the last.</summary>
        public Task<object> Status(string id, string expected) => Eventually.Get<object>(
            async () =>
            {
                JsonElement model = await Model(id);
                bool isThere = model.GetProperty("status").GetString() == expected
                    && (expected != "learning" || model.GetProperty("version").GetInt64() >= 7);
                return isThere ? model : null;
            },
            $"model {id} is {expected}");

        public Task<int> Stop()
        {
            _stop.Cancel();
            return Eventually.Within(End);
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await Task.WhenAny(End);
            Client.Dispose();
            _stop.Dispose();
        }
    }
}
