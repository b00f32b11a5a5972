using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using StreamEm.Sources;
using StreamEm.Sources.Catalog;
using StreamEm.Sources.Http;
using StreamEm.Worker.Api;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Configuration;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Hosting;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Hosting;

/// <summary>
/// Random configurations, good and bad, read again one after another while records come: none is lost, none is taken twice.
/// <c>STREAMEM_RELOADS=1000</c> reloads as many.
/// </summary>
public sealed class ReloadPropertyTests : IDisposable
{
    private static readonly string[] Ids = ["a", "b", "c", "pushed"];

    private readonly TemporaryDirectory _directory = new();
    private readonly Dictionary<string, GivenSource> _sources = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _given = new(StringComparer.Ordinal);
    private readonly IReadOnlyList<double[]?> _items = Pipelines.Clouds(4000);
    private readonly Random _random = new(18);
    private WorkerHost _host = null!;
    private string _yaml = "";

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Reloads_OfRandomConfigurations_LoseNoRecord()
    {
        int reloads = int.TryParse(
            Environment.GetEnvironmentVariable("STREAMEM_RELOADS"), CultureInfo.InvariantCulture, out int wanted) ? wanted : 30;
        File.WriteAllText(_directory["file"], "");
        foreach (string id in Ids) _given[id] = 0;
        _yaml = Next(isGood: true);
        _host = new WorkerHost(
            Read(), Open, TimeProvider.System, NullLoggerProvider.Instance)
        { Read = Read, AcceptsModelChange = true };
        using var stop = new CancellationTokenSource();
        Task<int> running = _host.RunAsync(stop.Token);
        await Eventually.True(() => _host.Models.Count > 0 && _host.Models.All(model => model.HasStarted), "the models to start");
        int done = 0, refused = 0;
        for (int reload = 0; reload < reloads; reload++)
        {
            foreach (ModelPipeline model in _host.Models) Give(model);
            string before = _yaml;
            _yaml = Next(isGood: _random.Next(3) > 0);
            ReloadReport report = await Eventually.Within(_host.ReloadAsync());
            Assert.False(running.IsCompleted, report.Problem);
            (done, refused) = report.Succeeded ? (done + 1, refused) : (done, refused + 1);
            if (!report.Succeeded) _yaml = before;
        }

        await stop.CancelAsync();
        Assert.Equal(ExitCode.Ok, await Eventually.Within(running));
        Assert.True(done > 0 && refused > 0, $"{done} done, {refused} refused");
        await ExpectAll();
    }

    /// <summary>Starts every model once more, so that what is left is read, and compares what each took with what it was given.</summary>
    private async Task ExpectAll()
    {
        var states = new StateDirectory(_directory["state"]);
        foreach (string id in Ids)
        {
            if (states.NewestOf(id) is not { } state) continue;
            if (id != "pushed")
            {
                _yaml = Yaml([Model(id, "")]);
                await using ModelPipeline model = Pipelines.Create(
                    _directory, Read().Models[0], position => Open(id, position), acceptsModelChange: true);
                await model.StartAsync(CancellationToken.None);
                Assert.Null(model.End?.Failure);
                await Eventually.True(
                    () => model.Metrics.Records == _given[id], $"all records of {id}: {model.Metrics.Records} of {_given[id]}");
                model.RequestStop();
                await Eventually.Within(model.Completion);
                state = states.NewestOf(id)!;
            }

            Assert.Equal(_given[id], state.Rejections.Read);
        }
    }

    /// <summary>More records for a model: where they are posted, what it says it has taken.</summary>
    private void Give(ModelPipeline model)
    {
        string id = model.Options.Id;
        int count = _random.Next(80);
        if (model.Source is HttpPushSource push)
        {
            var lines = new StringBuilder();
            for (int record = 0; record < count; record++)
                lines.Append(CultureInfo.InvariantCulture, $"{{\"x\": {_random.NextDouble():R}, \"y\": {_random.NextDouble():R}}}\n");
            PushResult result = push.TryPush(Encoding.UTF8.GetBytes(lines.ToString()), RequestFormat.Ndjson, false);
            if (result.Status == PushStatus.Taken) _given[id] += result.Accepted;
        }
        else if (_given[id] + count <= _items.Count)
        {
            _given[id] += count;
            lock (_sources) _sources.GetValueOrDefault(id)?.Give(count);
        }
    }

    private RecordSource Open(ModelOptions model, SourcePosition position) => model.Source is HttpSourceOptions
        ? SourceCatalog.Create(model.Source, new SourceContext(model.Schema.Read, position, TimeProvider.System))
        : Open(model.Id, position);

    private GivenSource Open(string id, SourcePosition position)
    {
        lock (_sources) return _sources[id] = new GivenSource(_items, position, _given[id]);
    }

    private string Next(bool isGood)
    {
        string[] ids = [.. Ids.Where(_ => _random.Next(4) > 0)];
        if (ids.Length == 0) ids = ["a"];
        string[] models = [.. ids.Select(id => Model(id, _random.Next(4) switch
        {
            0 => $"checkpoint: {{ every_updates: {1 + _random.Next(9)} }}",
            1 => $"publish: [ {{ file: {{ path: {_directory[id]}.ndjson }} }} ]",
            2 => $"snapshots: {{ keep: {1 + _random.Next(9)} }}",
            _ => "",
        }))];
        if (isGood) return Yaml(models);
        // Before its first version a model may have other features, and what was posted is forgotten then.
        return _random.Next(ids[0] == "pushed" ? 4 : 5) switch
        {
            0 => Yaml([.. models, Model("bad", $"publish: [ {{ file: {{ path: {_directory["file/out.ndjson"]} }} }} ]")]),
            1 => Yaml([.. models, "  - id: nothing"]),
            2 => Yaml(models) + "serve: true\n",
            3 => Yaml([models[0].Replace("kappa: 0.", "kappa: 9.", StringComparison.Ordinal), .. models[1..]]),
            _ => Yaml([models[0].Replace("[x, y]", "[y, x]", StringComparison.Ordinal), .. models[1..]]),
        };
    }

    private string Model(string id, string extra) => string.Create(CultureInfo.InvariantCulture, $$"""
          - id: {{id}}
            source: { {{(id == "pushed" ? "http: {}" : "file: { path: [data.csv], format: csv, follow: true }")}} }
            features: [x, y]
            model: { type: gaussian_mixture, components: {{2 + _random.Next(2)}} }
            learning:
              minibatch: { size: {{16 << _random.Next(3)}}, max_wait: null }
              initialization: { buffer: 96, n_init: 1, max_wait: null }
              step_size: { kappa: 0.{{6 + _random.Next(4)}} }
            {{extra}}
        """);

    private string Yaml(string[] models) =>
        $"http: {{ address: 127.0.0.1:0 }}\nstate_directory: {_directory["state"]}\nmodels:\n{string.Join('\n', models)}\n";

    private WorkerOptions Read()
    {
        LoadedConfiguration loaded = ConfigurationLoader.LoadText(_yaml, [], []);
        return loaded.Options ?? throw new CommandException(ExitCode.Configuration, string.Join('\n', loaded.Problems));
    }
}
