using StreamEm.Sources.Tests.Kafka;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Tests.Configuration;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Kafka;

/// <summary>Workers of one configuration as processes, by name; each with a state directory of its own, which outlives it.</summary>
internal sealed class ScaleOutFleet : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly Dictionary<string, WorkerProcess> _workers = new(StringComparer.Ordinal);

    public ScaleOutFleet(string yaml)
    {
        File.WriteAllText(_directory["streamem.yaml"], yaml);
        Model = Assert.Single(ConfigFile.OptionsOf(yaml).Models);
    }

    public ModelOptions Model { get; }

    public IReadOnlyCollection<string> Names => _workers.Keys;

    public WorkerProcess this[string name] => _workers[name];

    public void Start(params string[] names)
    {
        foreach (string name in names)
            _workers[name] = WorkerProcess.Start(
                _directory.Path, "run", "-c", "streamem.yaml", "-s", $"state_directory={_directory[name]}");
    }

    /// <summary>Starts one that is configured otherwise.</summary>
    public void StartOther(string name, params string[] overrides) => _workers[name] = WorkerProcess.Start(_directory.Path,
        ["run", "-c", "streamem.yaml", "-s", $"state_directory={_directory[name]}", .. overrides.SelectMany(one => (string[])["-s", one])]);

    /// <summary>Waits until one of them folds, and all topics are there.</summary>
    public Task HasReducer() => Eventually.True(
        () => _workers.Values.Any(worker => worker.Output.Contains("reducer_active", StringComparison.Ordinal)), "one that folds");

    /// <summary>Asks a worker that has started to end, which it does in order.</summary>
    public async Task StopAsync(string name)
    {
        _workers.Remove(name, out WorkerProcess? stopped);
        using WorkerProcess worker = stopped!;
        await worker.Address();
        worker.Terminate();
        int code = await worker.Exit();
        Assert.True(
            code == 0 && !worker.Output.Contains("shutdown_deadline", StringComparison.Ordinal),
            $"Worker {name} ended with {code}:\n{worker.Output}\n{worker.Errors}");
    }

    /// <summary>Kills a worker that runs.</summary>
    public async Task KillAsync(string name)
    {
        _workers.Remove(name, out WorkerProcess? killed);
        using WorkerProcess worker = killed!;
        bool hasEnded = worker.HasExited;
        worker.Kill();
        await worker.Exit();
        Assert.False(hasEnded, $"Worker {name} ended by itself:\n{worker.Output}\n{worker.Errors}");
    }

    /// <summary>Who folds; null while nobody says so.</summary>
    public async Task<string?> Reducer()
    {
        foreach ((string name, WorkerProcess worker) in _workers)
        {
            using var client = new HttpClient { BaseAddress = await worker.Address() };
            string metrics = await client.GetStringAsync("/metrics");
            if (metrics.Contains($"streamem_reducer_active{{model=\"{Model.Id}\"}} 1", StringComparison.Ordinal)) return name;
        }

        return null;
    }

    /// <summary>A configuration for <see cref="ClusteredRows"/>, with a group of its own.</summary>
    public static string Clouds(
        KafkaBroker broker, string topic, string session = "15s", string transactions = "off", string? statistics = null) => $$"""
        http: { address: 127.0.0.1:0 }
        models:
          - id: clouds
            source: { kafka: { brokers: ["{{broker.Address}}"], topics: [{{topic}}] } }
            features: [a, b]
            model: { type: gaussian_mixture, components: 3 }
            learning:
              learn: always
              dead_components: keep
              minibatch: { size: {{ClusteredRows.Minibatch}} }
              initialization: { buffer: 256, n_init: 1 }
            scale_out:
              statistics_topic: {{statistics ?? $"{topic}-statistics"}}
              model_topic: {{topic}}-model
              group_id: {{topic}}
              session_timeout: {{session}}
              transactions: {{transactions}}
            rejected: { stop_above_ratio: 0.5 }
        """;

    public void Dispose()
    {
        foreach (WorkerProcess worker in _workers.Values) worker.Dispose();
        _directory.Dispose();
    }
}
