using System.Globalization;
using System.Net;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using StreamEm.Core.Alarms;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Worker.Api;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Scores;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Keys;

/// <summary>Machines whose records take turns, each with a model of its own, fewer of which are in memory than there are.</summary>
public sealed class PerKeyRunTests : IDisposable
{
    private const int Machines = 5, Count = 2500;

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Scores_OfAMachineAmongOthers_AreThoseItHasAlone()
    {
        JsonElement[] lines = await Drain(_directory, Options(_directory));

        using var alone = new TemporaryDirectory();
        double[]?[] own = [.. Items().Where((_, at) => at % Machines == 2)];
        ModelOptions options = Options(alone) with { PerKey = false };
        await Pipelines.Drain(alone, options, own);
        double[] expected = [.. Lines(alone).Select(line => line.GetProperty("p_value")).Where(IsNumber).Select(p => p.GetDouble())];
        JsonElement[] ofKey = [.. lines.Where(line => line.GetProperty("key").GetString() == "m2"
            && line.GetProperty("scored_by").GetString() == "key")];

        Assert.Equal(expected[^300..], ofKey[^300..].Select(line => line.GetProperty("p_value").GetDouble()));
        Assert.Equal(Count / Machines - 150, ofKey.Length);
        // Before a machine has 150 records, the model of all says something.
        Assert.Contains(lines, line => line.GetProperty("scored_by").GetString() == "all" && IsNumber(line.GetProperty("p_value")));
    }

    [Fact]
    public async Task Killed_Anywhere_WritesTheBytesOfARunNeverStopped()
    {
        using var whole = new TemporaryDirectory();
        await Drain(whole, Options(whole));
        byte[] expected = await File.ReadAllBytesAsync(whole["out/scores.ndjson"]);

        foreach (int end in (int[])[130, 1501, 2400])
        {
            await LeaveAsKilledAfter(end);
            await Drain(_directory, Options(_directory));
            Assert.Equal(expected, await File.ReadAllBytesAsync(_directory["out/scores.ndjson"]));
            Directory.Delete(_directory["state"], recursive: true);
            Directory.Delete(_directory["out"], recursive: true);
        }
    }

    [Fact]
    public async Task Keys_OfARunningModel_CanBeAskedFor_AndJudged()
    {
        ModelOptions options = Options(_directory) with { FeedbackMemory = 100 };
        await using ModelPipeline pipeline = Pipelines.Create(_directory, options, position => Source(Items(), position, endless: true));
        await using var server = new ApiServer(
            new HttpOptions { Address = "127.0.0.1:0" }, new WorkerStatus([pipeline]), TimeProvider.System, NullLoggerProvider.Instance);
        await server.StartAsync(NullLogger.Instance, CancellationToken.None);
        await pipeline.StartAsync(CancellationToken.None);
        await Eventually.True(() => pipeline.Metrics.Records == Count, "all is taken");
        using var client = new HttpClient { BaseAddress = new Uri(server.Address) };

        JsonElement all = await Json(client, "/v1/models/clouds/keys");
        Assert.Equal((Machines, 2), (all.GetProperty("known").GetInt32(), all.GetProperty("in_memory").GetInt32()));
        JsonElement one = await Json(client, "/v1/models/clouds/keys/m3");
        Assert.Equal(("learning", Count / Machines), (one.GetProperty("status").GetString(), one.GetProperty("records").GetInt32()));
        Assert.Equal(300, one.GetProperty("location")[0].GetDouble(), 2.0);
        Assert.NotEmpty(one.GetProperty("components").EnumerateArray());
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync("/v1/models/clouds/keys/m9")).StatusCode);
        string metrics = await client.GetStringAsync("/metrics");
        Assert.Contains("streamem_keys{model=\"clouds\"} 5", metrics, StringComparison.Ordinal);

        // The last record of m1 is far from what m1 is, and near to what m4 is: the word is to m1.
        using var word = new StringContent($$"""{"record": {{Count - 4}}, "verdict": "abnormal"}""");
        HttpResponseMessage said = await client.PostAsync("/v1/models/clouds/feedback", word);
        Assert.Equal(HttpStatusCode.OK, said.StatusCode);
        JsonElement judged = await Json(client, "/v1/models/clouds/keys/m1");
        Assert.Contains(judged.GetProperty("components").EnumerateArray(), item => item.GetProperty("status").GetString() == "quarantined");

        pipeline.RequestStop();
        await Eventually.Within(pipeline.Completion);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await client.GetAsync("/v1/models/clouds/keys/m3")).StatusCode);
    }

    [Fact]
    public async Task State_WhoseFilesOfKeysAreGone_IsRefused()
    {
        await Drain(_directory, Options(_directory));
        Directory.Delete(_directory["state/clouds/keys"], recursive: true);
        PipelineEnd end = await End(Options(_directory));
        Assert.Equal((ModelState.Failed, 65), (end.State, end.Code));
        Assert.Contains("streamem state reset clouds", end.Failure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Files_OfKeys_AreNotMoreThanCheckpointsName()
    {
        ModelOptions options = Options(_directory) with { Checkpoint = new CheckpointOptions { EveryUpdates = 3, Keep = 2 } };
        for (int run = 0; run < 4; run++)
        {
            await using ModelPipeline pipeline = Pipelines.Create(
                _directory, options, position => Source([.. Items().Take(300 * (run + 1))], position));
            await pipeline.StartAsync(CancellationToken.None);
            await Eventually.Within(pipeline.Completion);
        }

        var named = new HashSet<long>();
        foreach (string file in Directory.EnumerateFiles(_directory["state/clouds"], "checkpoint-*.sem"))
            named.UnionWith(CheckpointFile.HeaderIn(file)!.Keys!.Segments.Select(segment => segment.Number));
        Assert.Equal(named.Order(), Directory.EnumerateFiles(_directory["state/clouds/keys"])
            .Select(file => long.Parse(Path.GetFileNameWithoutExtension(file)[5..], CultureInfo.InvariantCulture)).Order());
    }

    private static bool IsNumber(JsonElement value) => value.ValueKind == JsonValueKind.Number;

    private static double[]?[] Items()
    {
        var random = new Random(4);
        var items = new double[]?[Count];
        for (int at = 0; at < Count; at++)
        {
            int machine = at % Machines;
            // m4 breaks; the last record of m1 is one of m4's.
            double level = at == Count - 4 ? 400 : 100 * machine + (machine == 4 && at > 1500 ? 30 : 0);
            items[at] = [level + random.NextDouble() + random.NextDouble()];
        }

        return items;
    }

    private static MemorySource Source(IReadOnlyList<double[]?> items, Sources.SourcePosition position, bool endless = false) =>
        new(items, position, endless: endless) { Names = offset => ($"m{offset % Machines}", 1000 * offset), MostPerBatch = 70 };

    private static ModelOptions Options(TemporaryDirectory directory)
    {
        ModelOptions options = Pipelines.Model(directory) with
        {
            Schema = new Core.Features.RecordSchema { Features = ["x"], Key = "machine" },
            Scores = [new FileScoreOptions { Path = directory["out/scores.ndjson"] }],
            Alarms = new AlarmOptions(),
            Publish = [],
            Checkpoint = new CheckpointOptions { EveryUpdates = 15 },
            PerKey = true,
            MaxKeys = 2,
        };
        return options with { Model = (MixtureOptions)options.Model with { Growing = new GrowthOptions(), Components = 8 } };
    }

    private static async Task<JsonElement[]> Drain(TemporaryDirectory directory, ModelOptions options)
    {
        await using ModelPipeline pipeline = Pipelines.Create(directory, options, position => Source(Items(), position));
        await pipeline.StartAsync(CancellationToken.None);
        PipelineEnd end = await Eventually.Within(pipeline.Completion);
        Assert.True(end.State == ModelState.Finished, end.Failure);
        return Lines(directory);
    }

    private async Task<PipelineEnd> End(ModelOptions options)
    {
        await using ModelPipeline pipeline = Pipelines.Create(_directory, options, position => Source(Items(), position));
        try
        {
            await pipeline.StartAsync(CancellationToken.None);
        }
        catch (Worker.Failures.CommandException failure)
        {
            pipeline.Fail(failure);
        }

        return await Eventually.Within(pipeline.Completion);
    }

    private static JsonElement[] Lines(TemporaryDirectory directory) =>
        [.. File.ReadAllLines(directory["out/scores.ndjson"]).Select(line => JsonDocument.Parse(line).RootElement)];

    private static async Task<JsonElement> Json(HttpClient client, string path) =>
        JsonDocument.Parse(await client.GetStringAsync(path)).RootElement;

    /// <summary>The files as a kill leaves them: noted while the pipeline runs, and put back once it has stopped.</summary>
    private async Task LeaveAsKilledAfter(int end)
    {
        await using (ModelPipeline pipeline = Pipelines.Create(_directory, Options(_directory),
            position => Source([.. Items().Take(end)], position, endless: true)))
        {
            await pipeline.StartAsync(CancellationToken.None);
            await Eventually.True(() => pipeline.Metrics.Records == end, "all is taken");
            KilledState.Copy(_directory["state"], _directory["kept"]);
            pipeline.RequestStop();
            await Eventually.Within(pipeline.Completion);
        }

        KilledState.PutBack(_directory["kept"], _directory["state"]);
    }
}
