using System.Collections.Concurrent;
using System.Net.Http.Headers;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using StreamEm.Worker.Api;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Api;

/// <summary>A real server on a free port in front of one pipeline over records in memory.</summary>
internal sealed class ApiFixture : IAsyncDisposable
{
    private readonly TemporaryDirectory _directory;
    private readonly bool _ownsDirectory;
    private readonly ApiServer _server;

    private ApiFixture(int records, HttpOptions options, TemporaryDirectory? directory)
    {
        (_directory, _ownsDirectory) = (directory ?? new TemporaryDirectory(), directory is null);
        Records = [.. Pipelines.Clouds(records)];
        Pipeline = Pipelines.Create(
            _directory, Pipelines.Model(_directory), position => Source = new MemorySource(Records, position, endless: true));
        Status = new WorkerStatus([Pipeline]);
        _server = new ApiServer(options, Status, TimeProvider.System, Log);
        Client = new HttpClient();
    }

    public List<double[]?> Records { get; }

    public ModelPipeline Pipeline { get; }

    public MemorySource? Source { get; private set; }

    public WorkerStatus Status { get; }

    public HttpClient Client { get; }

    /// <summary>What the server answers.</summary>
    public IEnumerable<Endpoint> Endpoints => _server.Endpoints;

    /// <summary>What the server says that is a warning or worse.</summary>
    public ServerLog Log { get; } = new();

    /// <summary>A server whose model has learned from 330 records: version 10 with 10 records pending.</summary>
    public static Task<ApiFixture> Start(int records = 330) => Start(records, new HttpOptions());

    /// <summary>The same; with a directory of the test's own it goes on where another one stopped.</summary>
    public static async Task<ApiFixture> Start(
        int records, HttpOptions options, TemporaryDirectory? directory = null, string address = "127.0.0.1:0")
    {
        var fixture = new ApiFixture(records, options with { Address = address }, directory);
        await fixture._server.StartAsync(NullLogger.Instance, CancellationToken.None);
        fixture.Client.BaseAddress = new Uri(fixture._server.Address);
        await fixture.Pipeline.StartAsync(CancellationToken.None);
        await Eventually.Within(fixture.Source!.Drained);
        await Eventually.True(() => fixture.Pipeline.Metrics.Records == records, "all records are taken");
        return fixture;
    }

    public HttpRequestMessage Request(HttpMethod method, string path, string? body = null, string type = "application/json")
    {
        var request = new HttpRequestMessage(method, path);
        if (body is not null) request.Content = new StringContent(body) { Headers = { ContentType = new MediaTypeHeaderValue(type) } };
        return request;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        Pipeline.RequestStop();
        await Eventually.Within(Pipeline.Completion);
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        await _server.StopAsync(deadline.Token);
        await _server.DisposeAsync();
        await Pipeline.DisposeAsync();
        if (_ownsDirectory) _directory.Dispose();
    }
}

/// <summary>What a server logs, as lines.</summary>
internal sealed class ServerLog : ILoggerProvider, ILogger
{
    public ConcurrentQueue<string> Lines { get; } = new();

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Lines.Enqueue($"{logLevel} {eventId.Name}: {formatter(state, exception)} {exception}");

    public void Dispose()
    {
    }
}
