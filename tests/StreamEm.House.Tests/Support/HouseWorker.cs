using Microsoft.Extensions.Logging.Abstractions;
using StreamEm.Sources;
using StreamEm.Sources.Catalog;
using StreamEm.Worker.Configuration;
using StreamEm.Worker.Hosting;

namespace StreamEm.House.Tests.Support;

/// <summary>A worker in this process, as its configuration says.</summary>
internal sealed class HouseWorker : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly CancellationTokenSource _stop;

    private HouseWorker(Task<int> running, string address, CancellationTokenSource stop) =>
        (Running, Address, _stop) = (running, address, stop);

    /// <summary>Where it listens.</summary>
    public string Address { get; }

    /// <summary>Its run, with the code it ends with.</summary>
    public Task<int> Running { get; }

    /// <summary>Starts it and waits until it answers.</summary>
    public static async Task<HouseWorker> StartAsync(string yaml)
    {
        LoadedConfiguration loaded = ConfigurationLoader.LoadText(yaml, [], []);
        Assert.True(loaded.Options is not null, string.Join('\n', loaded.Problems));
        var listening = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var stop = new CancellationTokenSource();
        var host = new WorkerHost(loaded.Options!, (model, position) => SourceCatalog.Create(model.Source,
            new SourceContext(model.Schema.Read, position, TimeProvider.System)), TimeProvider.System, NullLoggerProvider.Instance)
        {
            Listening = listening.SetResult,
        };
        Task<int> running = host.RunAsync(stop.Token);
        await await Task.WhenAny(listening.Task, running).WaitAsync(Patience);
        return new HouseWorker(running, await listening.Task.WaitAsync(Patience), stop);
    }

    /// <summary>Ends it.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Running.WaitAsync(Patience);
        _stop.Dispose();
    }
}
