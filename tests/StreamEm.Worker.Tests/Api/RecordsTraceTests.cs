using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using Microsoft.Extensions.Logging.Abstractions;
using StreamEm.Sources;
using StreamEm.Sources.Catalog;
using StreamEm.Sources.Http;
using StreamEm.Worker.Api;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Api;

[Collection(ListeningTests.Name)]
public sealed class RecordsTraceTests
{
    private const string Trace = "4bf92f3577b34da6a3ce929d0e0e4736";

    [Fact]
    public async Task Records_PostedWithATrace_AreLearnedInAnUpdateThatLinksToTheRequest()
    {
        using var listening = new Listening("Microsoft.AspNetCore");
        using var directory = new TemporaryDirectory();
        ModelOptions options = Pipelines.Model(directory) with { Source = new HttpSourceOptions() };
        await using ModelPipeline pipeline = Pipelines.Create(directory, options,
            position => SourceCatalog.Create(options.Source, new SourceContext(options.Schema, position, TimeProvider.System)));
        await using var server = new ApiServer(
            new HttpOptions { Address = "127.0.0.1:0" }, new WorkerStatus([pipeline]), TimeProvider.System, NullLoggerProvider.Instance);
        await server.StartAsync(NullLogger.Instance, CancellationToken.None);
        await pipeline.StartAsync(CancellationToken.None);
        using var client = new HttpClient { BaseAddress = new Uri(server.Address) };
        client.DefaultRequestHeaders.Add("traceparent", $"00-{Trace}-00f067aa0ba902b7-01");
        var records = Pipelines.Clouds(128).Select(row => new Dictionary<string, double> { ["x"] = row![0], ["y"] = row[1] });

        HttpResponseMessage answer = await client.PostAsJsonAsync("/v1/models/clouds/records", new { records });

        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        await Eventually.True(() => pipeline.Feed.Latest?.Version == 4, "the records to be learned from");
        await server.StopAsync(CancellationToken.None);
        pipeline.RequestStop();
        await Eventually.Within(pipeline.Completion);
        Activity request = Assert.Single(listening.Spans("Microsoft.AspNetCore.Hosting.HttpRequestIn"));
        Assert.Equal(Trace, request.TraceId.ToHexString());
        Assert.NotEmpty(listening.Spans("update"));
        Assert.All(listening.Spans("update"),
            update => Assert.Equal(request.SpanId, Assert.Single(update.Links).Context.SpanId));
    }
}
