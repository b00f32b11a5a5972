using System.Net;
using System.Text;
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

namespace StreamEm.Worker.Tests.Api;

/// <summary>A mixture that grows over two clouds, and records far off in a third place that keep coming.</summary>
public sealed class FeedbackEndpointTests : IDisposable
{
    private const int Calm = 1000, Strange = 40;

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Normal_OfARecordInQuarantine_LetsTheLikeOfItPass()
    {
        JsonElement[] before;
        await using (Running running = await Start(Items()))
        {
            Assert.Equal(HttpStatusCode.OK, (await running.Say($$"""{"record": {{Calm + 10}}, "verdict": "normal"}""")).Status);
            before = Lines();
            await running.Stop();
        }

        await using Running again = await Start([.. Items(), .. Far(50, seed: 9)]);
        await again.Stop();

        Assert.All(before[^Strange..].Where(line => line.GetProperty("record").GetInt32() > Calm + 1),
            line => Assert.True(line.GetProperty("p_value").GetDouble() < 1e-3));
        Assert.All(Lines()[^40..], line => Assert.True(line.GetProperty("p_value").GetDouble() > 1e-3, line.GetRawText()));
    }

    [Fact]
    public async Task Abnormal_OfAStrayThatWasTakenForNormal_IsReportedFromThenOn()
    {
        await using (Running running = await Start(Items()))
        {
            await running.Say($$"""{"record": {{Calm + 10}}, "verdict": "normal"}""");
            (HttpStatusCode status, JsonElement answer) =
                await running.Say($$"""{"record": {{Calm + 10}}, "verdict": "abnormal"}""");
            await running.Stop();
            Assert.Equal(HttpStatusCode.OK, status);
            Assert.True(answer.GetProperty("components").GetInt32() >= 1, answer.GetRawText());
        }

        await using Running again = await Start([.. Items(), .. Far(50, seed: 9)]);
        await again.Stop();
        Assert.All(Lines()[^40..], line => Assert.True(line.GetProperty("p_value").GetDouble() < 1e-3, line.GetRawText()));
    }

    [Fact]
    public async Task Word_OnceAnswered_IsInTheStateOfAKilledWorker_AndAReplayDoesTheSame()
    {
        var rarely = new CheckpointOptions { EveryUpdates = 1000, Every = TimeSpan.FromHours(1) };
        await using (Running running = await Start(Items(), checkpoints: rarely))
        {
            await running.Say($$"""{"record": {{Calm + 10}}, "verdict": "normal", "move_threshold": true}""");
            // As a kill leaves it: what was answered is on disk by then.
            Copy(_directory["state"], _directory["kept"]);
            await running.Stop();
        }

        IReadOnlyList<double[]?> more = [.. Items(), .. Far(50, seed: 9)];
        await using (Running whole = await Start(more)) await whole.Stop();
        byte[] expected = await File.ReadAllBytesAsync(_directory["out/scores.ndjson"]);
        Directory.Delete(_directory["state"], recursive: true);
        Copy(_directory["kept"], _directory["state"]);
        await using (Running replay = await Start(more)) await replay.Stop();

        Assert.Equal(expected, await File.ReadAllBytesAsync(_directory["out/scores.ndjson"]));
    }

    [Fact]
    public async Task Threshold_WhereAsked_MovesByAtMostTwo()
    {
        await using Running running = await Start(Items());
        (_, JsonElement one) = await running.Say($$"""{"record": {{Calm}}, "verdict": "normal", "move_threshold": true}""");
        (_, JsonElement two) = await running.Say($$"""{"record": {{Calm - 1}}, "verdict": "abnormal", "move_threshold": true}""");
        await running.Stop();

        Assert.Equal((true, 0.005), (one.GetProperty("threshold_moved").GetBoolean(), one.GetProperty("threshold").GetDouble()));
        Assert.Equal((true, 0.01), (two.GetProperty("threshold_moved").GetBoolean(), two.GetProperty("threshold").GetDouble()));
    }

    [Theory]
    [InlineData("""{"record": 1, "verdict": "fine"}""", HttpStatusCode.BadRequest, "verdict")]
    [InlineData("""{"record": 1, "verdict": 7}""", HttpStatusCode.BadRequest, "verdict")]
    [InlineData("""{"verdict": "normal"}""", HttpStatusCode.BadRequest, "not named")]
    [InlineData("""{"record": 1, "timestamp": 5, "verdict": "normal"}""", HttpStatusCode.BadRequest, "either 'record'")]
    [InlineData("""{"record": "x", "verdict": "normal"}""", HttpStatusCode.BadRequest, "whole number")]
    [InlineData("""{"record": 1e99, "verdict": "normal"}""", HttpStatusCode.BadRequest, "whole number")]
    [InlineData("""{"record": 1, "record": 2, "verdict": "normal"}""", HttpStatusCode.BadRequest, "twice")]
    [InlineData("""{"record": 1, "verdct": "normal"}""", HttpStatusCode.BadRequest, "move_threshold")]
    [InlineData("""{"record": 1, "verdict": "normal", "move_threshold": "yes"}""", HttpStatusCode.BadRequest, "neither true nor false")]
    [InlineData("""{"key": ["k"], "timestamp": 5, "verdict": "normal"}""", HttpStatusCode.BadRequest, "'key'")]
    [InlineData("""{"timestamp": "yesterday", "verdict": "normal"}""", HttpStatusCode.BadRequest, "ISO 8601")]
    [InlineData("[]", HttpStatusCode.BadRequest, "no JSON object")]
    [InlineData("not json", HttpStatusCode.BadRequest, "not JSON")]
    [InlineData("""{"record": 99999, "verdict": "normal"}""", HttpStatusCode.NotFound, "last 500")]
    [InlineData("""{"record": 5, "verdict": "normal"}""", HttpStatusCode.NotFound, "feedback.memory")]
    [InlineData("""{"key": "k", "timestamp": "2026-11-20T08:00:00Z", "verdict": "normal"}""", HttpStatusCode.NotFound, "last 500")]
    public async Task Word_ThatCannotBeTaken_IsRefusedWithWhatIsExpected(string body, HttpStatusCode expected, string reason)
    {
        await using Running running = await Start(Items());
        (HttpStatusCode status, JsonElement answer) = await running.Say(body);
        Assert.Equal(expected, status);
        Assert.Contains(reason, answer.GetProperty("detail").GetString(), StringComparison.Ordinal);
        await running.Stop();
    }

    [Fact]
    public async Task Word_ToAModelThatHasStopped_IsNotTaken()
    {
        await using Running running = await Start(Items());
        await running.Stop();
        (HttpStatusCode status, _) = await running.Say($$"""{"record": {{Calm + 10}}, "verdict": "normal"}""");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
    }

    [Fact]
    public async Task Record_NamedByKeyAndTime_IsTheNewestOfThatKeyAndTime()
    {
        IReadOnlyList<double[]?> items = Items();
        await using Running running = await Start(items, keyed: true);
        (HttpStatusCode status, JsonElement answer) =
            await running.Say("""{"key": "k1", "timestamp": "1970-01-01T00:00:01.011Z", "verdict": "abnormal"}""");
        await running.Stop();
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(1011, answer.GetProperty("record").GetInt64());
    }

    [Fact]
    public async Task Model_WithoutFeedback_SaysHowToHaveIt()
    {
        await using Running running = await Start(Items(), memory: null);
        (HttpStatusCode status, JsonElement answer) = await running.Say("""{"record": 1, "verdict": "normal"}""");
        Assert.Equal(HttpStatusCode.Conflict, status);
        Assert.Contains("feedback: {}", answer.GetRawText(), StringComparison.Ordinal);
        await running.Stop();
    }

    [Fact]
    public void RecentRecords_AreFoundByNumberOrByKeyAndTime_AndComeBackFromAState()
    {
        var recent = new RecentRecords(1, 3);
        for (int at = 0; at < 5; at++) recent.Add(at, at % 2 == 0 ? "even" : null, 1000 * at, at / 10.0, [at]);
        using var state = new MemoryStream();
        using (var writer = new BinaryWriter(state, Encoding.UTF8, leaveOpen: true)) recent.Save(writer);
        state.Position = 0;
        var later = new RecentRecords(1, 2);
        RecentRecords.Load(new BinaryReader(state), later);

        Assert.Equal(-1, recent.Find(new RecordName(1, null, 0)));
        Assert.Equal(-1, recent.Find(new RecordName(null, "odd", 2000)));
        Assert.Equal(2, recent.Number(recent.Find(new RecordName(null, "even", 2000))));
        Assert.Equal(3, recent.Row(recent.Find(new RecordName(null, null, 3000)))[0]);
        Assert.Equal(-1, later.Find(new RecordName(2, null, 0)));
        Assert.Equal(0.4, later.PValue(later.Find(new RecordName(4, null, 0))));
    }

    private static IReadOnlyList<double[]?> Items() => [.. Pipelines.Clouds(Calm), .. Far(Strange, seed: 5)];

    private static IEnumerable<double[]?> Far(int count, int seed) =>
        Pipelines.Clouds(count, seed: seed).Select(row => new[] { 60 + row![0] / 10, -60 + row[1] / 10 });

    private async Task<Running> Start(
        IReadOnlyList<double[]?> items, int? memory = 500, CheckpointOptions? checkpoints = null, bool keyed = false)
    {
        ModelOptions options = Pipelines.Model(_directory) with
        {
            Scores = [new FileScoreOptions { Path = _directory["out/scores.ndjson"] }],
            Alarms = new AlarmOptions(),
            FeedbackMemory = memory,
            Checkpoint = checkpoints ?? new CheckpointOptions { EveryUpdates = 3 },
        };
        options = options with { Model = (MixtureOptions)options.Model with { Growing = new GrowthOptions(), Components = 32 } };
        ModelPipeline pipeline = Pipelines.Create(_directory, options, position => new MemorySource(items, position, endless: true)
        {
            Names = keyed ? offset => ($"k{offset % 2}", 1000 + offset % 1000) : null,
        });
        var server = new ApiServer(
            new HttpOptions { Address = "127.0.0.1:0" }, new WorkerStatus([pipeline]), TimeProvider.System, NullLoggerProvider.Instance);
        await server.StartAsync(NullLogger.Instance, CancellationToken.None);
        await pipeline.StartAsync(CancellationToken.None);
        await Eventually.True(() => pipeline.Metrics.Records == items.Count, "all is taken");
        return new Running(pipeline, server);
    }

    private JsonElement[] Lines() =>
        [.. File.ReadAllLines(_directory["out/scores.ndjson"]).Select(line => JsonDocument.Parse(line).RootElement)];

    private static void Copy(string from, string to)
    {
        foreach (string file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }

    /// <summary>A model and its API.</summary>
    private sealed class Running(ModelPipeline pipeline, ApiServer server) : IAsyncDisposable
    {
        private readonly HttpClient _client = new() { BaseAddress = new Uri(server.Address) };

        public async Task<(HttpStatusCode Status, JsonElement Answer)> Say(string body)
        {
            using var content = new StringContent(body, Encoding.UTF8, "application/json");
            HttpResponseMessage answer = await _client.PostAsync("/v1/models/clouds/feedback", content);
            return (answer.StatusCode, JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement);
        }

        public async Task Stop()
        {
            pipeline.RequestStop();
            Assert.Equal(ModelState.Stopped, (await Eventually.Within(pipeline.Completion)).State);
        }

        public async ValueTask DisposeAsync()
        {
            _client.Dispose();
            await server.DisposeAsync();
            await pipeline.DisposeAsync();
        }
    }
}
