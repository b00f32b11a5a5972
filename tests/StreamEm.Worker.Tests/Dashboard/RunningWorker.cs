using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using StreamEm.Sources;
using StreamEm.Sources.Catalog;
using StreamEm.Worker.Configuration;
using StreamEm.Worker.Hosting;

namespace StreamEm.Worker.Tests.Dashboard;

/// <summary>A worker in this process, as its configuration says; it can be stopped and started again.</summary>
internal sealed class RunningWorker : IAsyncDisposable
{
    private CancellationTokenSource? _stop;
    private Task<int> _running = Task.FromResult(0);

    /// <summary>Where it listens.</summary>
    public Uri Address { get; private set; } = new("http://127.0.0.1:0");

    /// <summary>A client of it.</summary>
    public HttpClient Client { get; } = new();

    /// <summary>Starts it.</summary>
    public async Task StartAsync(string yaml)
    {
        _stop = new CancellationTokenSource();
        var listening = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        LoadedConfiguration loaded = ConfigurationLoader.LoadText(yaml, [], []);
        Assert.True(loaded.Options is not null, string.Join('\n', loaded.Problems));
        var host = new WorkerHost(loaded.Options!, (model, position) => SourceCatalog.Create(model.Source,
            new SourceContext(model.Schema.Read, position, TimeProvider.System)), TimeProvider.System, NullLoggerProvider.Instance)
        {
            Listening = listening.SetResult,
        };
        _running = host.RunAsync(_stop.Token);
        await await Eventually.Within(Task.WhenAny(listening.Task, _running));
        Address = new Uri(await listening.Task);
    }

    /// <summary>Stops it; nobody listens on its port then.</summary>
    public async Task StopAsync()
    {
        if (_stop is null) return;
        await _stop.CancelAsync();
        try
        {
            await Eventually.Within(_running);
        }
        catch (Failures.CommandException)
        {
            // A model failed, as it may be to.
        }

        _stop.Dispose();
        _stop = null;
    }

    /// <summary>The version that a model has when it is at least this one.</summary>
    public async Task<long> VersionOf(string id, long atLeast)
    {
        long version = 0;
        await Eventually.Get(async () =>
        {
            JsonElement models = await Client.GetFromJsonAsync<JsonElement>(new Uri(Address, "/v1/models"));
            version = models.EnumerateArray().Single(model => model.GetProperty("id").GetString() == id).GetProperty("version").GetInt64();
            return version >= atLeast ? "yes" : null;
        }, $"version {atLeast} of {id}");
        return version;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Client.Dispose();
    }
}
