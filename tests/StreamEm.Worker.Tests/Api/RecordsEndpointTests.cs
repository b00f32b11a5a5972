using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using StreamEm.Sources;
using StreamEm.Sources.Catalog;
using StreamEm.Sources.Http;
using StreamEm.Worker.Api;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Api;

public sealed class RecordsEndpointTests
{
    [Fact]
    public async Task Records_Posted_AreTakenAndNoneIsLostByAStop()
    {
        using var directory = new TemporaryDirectory();
        ModelOptions options = Pipelines.Model(directory) with { Source = new HttpSourceOptions() };
        await using (ModelPipeline pipeline = Pipelines.Create(directory, options,
            position => SourceCatalog.Create(options.Source, new SourceContext(options.Schema, position, TimeProvider.System))))
        await using (var server = new ApiServer(
            new HttpOptions { Address = "127.0.0.1:0" }, new WorkerStatus([pipeline]), TimeProvider.System, NullLoggerProvider.Instance))
        {
            await server.StartAsync(NullLogger.Instance, CancellationToken.None);
            await pipeline.StartAsync(CancellationToken.None);
            using var client = new HttpClient { BaseAddress = new Uri(server.Address) };
            IReadOnlyList<double[]?> items = Pipelines.Clouds(1000);
            for (int request = 0; request < 10; request++)
            {
                var records = items.Skip(100 * request).Take(100)
                    .Select(row => new Dictionary<string, double> { ["x"] = row![0], ["y"] = row[1] });
                HttpResponseMessage answer = await client.PostAsJsonAsync("/v1/models/clouds/records", new { records });
                Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
                Assert.Equal(100, (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("accepted").GetInt32());
            }

            pipeline.RequestStop();
            Assert.Equal(ModelState.Stopped, (await Eventually.Within(pipeline.Completion)).State);
            using var late = new StringContent("""{"x": 1, "y": 1}""", null, "application/x-ndjson");
            Assert.Equal(HttpStatusCode.ServiceUnavailable, (await client.PostAsync("/v1/models/clouds/records", late)).StatusCode);
            Assert.Equal(1000, pipeline.Metrics.Records);
            await server.StopAsync(CancellationToken.None);
        }

        Assert.Equal(1000 / 32, PublishedLog.Versions(directory["out/snapshots.ndjson"])[^1]);
    }

    [Fact]
    public async Task Records_MoreThanFit_Are429AndWhatWasTakenIsLearned()
    {
        using var directory = new TemporaryDirectory();
        ModelOptions options = Pipelines.Model(directory) with { Source = new HttpSourceOptions { CapacityRecords = 200 } };
        using var time = new GatedTime();
        await using ModelPipeline pipeline = Pipelines.Create(directory, options,
            position => SourceCatalog.Create(options.Source, new SourceContext(options.Schema, position, TimeProvider.System)), time);
        await using var server = new ApiServer(
            new HttpOptions { Address = "127.0.0.1:0" }, new WorkerStatus([pipeline]), TimeProvider.System, NullLoggerProvider.Instance);
        await server.StartAsync(NullLogger.Instance, CancellationToken.None);
        await pipeline.StartAsync(CancellationToken.None);
        using var client = new HttpClient { BaseAddress = new Uri(server.Address) };
        var records = Pipelines.Clouds(100).Select(row => new Dictionary<string, double> { ["x"] = row![0], ["y"] = row[1] }).ToArray();
        await Eventually.True(() => pipeline.HasStarted, "the model has started");

        // The learner stands still at its first version.
        time.Close();
        int taken = 0;
        HttpResponseMessage answer;
        while ((answer = await client.PostAsJsonAsync("/v1/models/clouds/records", new { records })).StatusCode == HttpStatusCode.Accepted)
            Assert.True((taken += records.Length) < 1_000_000, "the source takes records without end");

        Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(1), answer.Headers.RetryAfter!.Delta);
        Assert.Contains("do not fit in 200", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        time.Open();
        pipeline.RequestStop();
        await Eventually.Within(pipeline.Completion);
        Assert.Equal(taken, pipeline.Metrics.Records);
        await server.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task Records_ForAModelWithAnotherSource_AreAConflict()
    {
        await using ApiFixture api = await ApiFixture.Start();

        HttpResponseMessage answer = await api.Client
            .SendAsync(api.Request(HttpMethod.Post, "/v1/models/clouds/records", """{"records": []}"""));

        Assert.Equal(HttpStatusCode.Conflict, answer.StatusCode);
    }

    /// <summary>The fake clock, which keeps whoever asks it the time of day waiting while it is closed.</summary>
    private sealed class GatedTime : FakeTimeProvider, IDisposable
    {
        private readonly ManualResetEventSlim _open = new(initialState: true);

        public void Close() => _open.Reset();

        public void Open() => _open.Set();

        public override DateTimeOffset GetUtcNow()
        {
            _open.Wait();
            return base.GetUtcNow();
        }

        public void Dispose()
        {
            Open();
            _open.Dispose();
        }
    }
}
