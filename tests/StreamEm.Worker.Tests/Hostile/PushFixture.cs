using System.Net.Http.Headers;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using StreamEm.Sources;
using StreamEm.Sources.Catalog;
using StreamEm.Sources.Http;
using StreamEm.Worker.Api;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Hostile;

/// <summary>A real server on a free port in front of one model that takes records by HTTP.</summary>
internal sealed class PushFixture : IAsyncDisposable
{
    public const string Records = "/v1/models/clouds/records";
    public const string Score = "/v1/models/clouds/score";

    private readonly TemporaryDirectory _directory = new();
    private readonly ApiServer _server;

    private PushFixture(HttpSourceOptions source)
    {
        ModelOptions options = Pipelines.Model(_directory) with { Source = source };
        options = options with { Rejected = options.Rejected with { StopAboveRatio = 0.05 } };
        Pipeline = Pipelines.Create(_directory, options,
            position => SourceCatalog.Create(source, new SourceContext(options.Schema, position, TimeProvider.System)));
        _server = new ApiServer(
            new HttpOptions { Address = "127.0.0.1:0" }, new WorkerStatus([Pipeline]), TimeProvider.System, NullLoggerProvider.Instance);
    }

    public ModelPipeline Pipeline { get; }

    public HttpClient Client { get; } = new();

    /// <summary>A server whose model has its first version, from 96 records.</summary>
    public static async Task<PushFixture> Start()
    {
        var fixture = new PushFixture(new HttpSourceOptions());
        await fixture._server.StartAsync(NullLogger.Instance, CancellationToken.None);
        fixture.Client.BaseAddress = new Uri(fixture._server.Address);
        await fixture.Pipeline.StartAsync(CancellationToken.None);
        await fixture.PushGood(96);
        await Eventually.True(() => fixture.Pipeline.Feed.Latest is not null, "the model has a version");
        return fixture;
    }

    /// <summary>Good records, which have to be taken.</summary>
    public async Task PushGood(int count)
    {
        IEnumerable<string> lines = Pipelines.Clouds(count)
            .Select(row => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{{\"x\":{row![0]},\"y\":{row[1]}}}"));
        HttpResponseMessage answer = await Post(Records, string.Join('\n', lines), "application/x-ndjson");
        Assert.Equal(202, (int)answer.StatusCode);
    }

    public Task<HttpResponseMessage> Post(string path, string body, string? type, string? encoding = null) =>
        Post(path, Encoding.UTF8.GetBytes(body), type, encoding);

    public async Task<HttpResponseMessage> Post(string path, byte[] body, string? type, string? encoding = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(body) };
        if (type is not null) request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        if (encoding is not null) request.Content.Headers.TryAddWithoutValidation("Content-Encoding", encoding);
        return await Client.SendAsync(request);
    }

    public Task Taken(long records) => Eventually.True(() => Pipeline.Metrics.Records == records, $"{records} records are taken");

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        Pipeline.RequestStop();
        await Eventually.Within(Pipeline.Completion);
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        await _server.StopAsync(deadline.Token);
        await _server.DisposeAsync();
        await Pipeline.DisposeAsync();
        _directory.Dispose();
    }
}
