using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using StreamEm.Sources;
using StreamEm.Worker.Api;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Configuration;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Hosting;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Hosting;

/// <summary>A worker that runs by another configuration without being started again.</summary>
public sealed class ReloadTests : IAsyncDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly Dictionary<string, GivenSource> _sources = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _stop = new();
    private WorkerHost _host = null!;
    private Task<int> _running = null!;
    private string _yaml = "";

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        if (_running is not null) await Task.WhenAny(_running);
        _stop.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task Reload_OfAnotherStepSize_GoesOnWithTheModelAndLeavesTheOtherAlone()
    {
        await Start(Yaml(Model("a"), Model("b")), 330);
        GivenSource other = _sources["b"];
        _yaml = Yaml(Model("a", "learning: { step_size: { kappa: 0.6 } }"), Model("b"));

        ReloadReport report = await Reload();

        Assert.True(report.Succeeded, report.Problem);
        Assert.Equal(["a"], report.Changed);
        Assert.Equal(["b"], report.Unchanged);
        Assert.Same(other, _sources["b"]);
        _sources["a"].Give(320);
        await Eventually.True(() => Read("a") == 650, "all records of a are taken");
        await Stop();
        Checkpoint kept = Newest("a");
        Assert.Equal("0.6", kept.Configuration!["learning.step_size.kappa"]);
        Assert.Contains("learning.step_size.kappa: 0.7 -> 0.6", kept.History![^1].Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reload_OfModelsThatComeAndGo_StartsAndStopsThemWithTheirState()
    {
        await Start(Yaml(Model("a"), Model("b")), 330);
        _yaml = Yaml(Model("c"), Model("a"));

        ReloadReport report = await Reload();

        Assert.Equal(["c"], report.Added);
        Assert.Equal(["b"], report.Removed);
        Assert.Equal(["a"], report.Unchanged);
        Assert.Equal((330, true), (ReadOf(Newest("b")), Newest("b").IsFinal));
        await Eventually.True(() => Read("c") == 330, "the new model to learn");
    }

    [Theory]
    [InlineData("state_directory: elsewhere", "state_directory")]
    [InlineData("serve: true", "serve")]
    [InlineData("http: { address: 127.0.0.1:1 }", "http.address")]
    [InlineData("http: { address: 127.0.0.1:0, auth_token: t }", "http.auth_token")]
    public async Task Reload_OfWhatNeedsAnotherStart_SaysSoByNameAndChangesNothing(string line, string key)
    {
        await Start(Yaml(Model("a")), 330);
        string[] lines = [.. Yaml(Model("a", "learning: { step_size: { kappa: 0.6 } }")).Split('\n')
            .Where(kept => kept.Length == 0 || !line.StartsWith(kept.Split(':')[0] + ":", StringComparison.Ordinal))];
        _yaml = $"{line}\n{string.Join('\n', lines)}";

        ReloadReport report = await Reload();

        Assert.False(report.Succeeded);
        Assert.Contains($"another start of the worker: {key}.", report.Problem, StringComparison.Ordinal);
        await ExpectAllGoesOn();
    }

    [Fact]
    public async Task Reload_OfAConfigurationWithErrors_NamesThemAndChangesNothing()
    {
        await Start(Yaml(Model("a")), 330);
        _yaml = Yaml(Model("a", "learning: { step_size: { kappa: 3 } }"), Model("B"));

        ReloadReport report = await Reload();

        Assert.Contains("kappa", report.Problem, StringComparison.Ordinal);
        Assert.Contains("'B'", report.Problem, StringComparison.Ordinal);
        await ExpectAllGoesOn();
    }

    [Fact]
    public async Task Reload_OfWhatAStateIsBoundBy_IsRefusedAndChangesNothing()
    {
        await Start(Yaml(Model("a")), 330);
        // Before the first version no state binds anything.
        await Eventually.True(
            () => Directory.GetFiles(_directory["state/a"], "*.sem").Any(file => CheckpointFile.HeaderIn(file)?.Updates > 0),
            "a state that binds");
        _yaml = Yaml(Model("a").Replace("[x, y]", "[x]", StringComparison.Ordinal), Model("b"));

        ReloadReport report = await Reload();

        Assert.Contains("features: [x, y] -> [x]", report.Problem, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_directory["state/b"]));
        await ExpectAllGoesOn();
    }

    [Fact]
    public async Task Reload_WithAModelThatCannotStart_GoesBackToHowItWas()
    {
        await Start(Yaml(Model("a")), 330);
        File.WriteAllText(_directory["file"], "");
        _yaml = Yaml(
            Model("a", "learning: { step_size: { kappa: 0.6 } }"),
            Model("b", $"publish: [ {{ file: {{ path: {_directory["file/out"]} }} }} ]"));

        ReloadReport report = await Reload();

        Assert.Contains("Model 'b'", report.Problem, StringComparison.Ordinal);
        Assert.EndsWith("Everything runs as before.", report.Problem, StringComparison.Ordinal);
        await ExpectAllGoesOn();
        Assert.Equal("0.7", Newest("a").Configuration!["learning.step_size.kappa"]);
    }

    [Fact]
    public async Task Reload_OfWhatDoesNotLearn_ChangesNoByteOfWhatIsLearned()
    {
        await Start(Yaml(Model("a")), 330);
        foreach (string extra in (string[])["checkpoint: { every: 1s }", "snapshots: { keep: 3 }", "checkpoint: { keep: 5 }"])
        {
            _yaml = Yaml(Model("a", extra));
            Assert.True((await Reload()).HasChanged);
            _sources["a"].Give(77);
        }

        await Eventually.True(() => Read("a") == 561, "all records are taken");
        await Stop();

        using var whole = new TemporaryDirectory();
        await using (ModelPipeline plain = Pipelines.Create(
            whole, ConfigurationLoader.LoadText(Yaml(Model("a")), [], []).Options!.Models[0],
            position => new GivenSource(Pipelines.Clouds(1000), position, 561)))
        {
            await plain.StartAsync(CancellationToken.None);
            await Eventually.True(() => plain.Metrics.Records == 561, "all records are taken");
            plain.RequestStop();
            await Eventually.Within(plain.Completion);
        }

        Checkpoint drained = new StateDirectory(whole["state"]).NewestOf("a")!, kept = Newest("a");
        Assert.Equal(Parameters(drained, 17), Parameters(kept, 17));
    }

    [Fact]
    public async Task Watch_OfAFile_TellsOfAChangeOnceItStandsStill()
    {
        int changes = 0;
        await File.WriteAllTextAsync(_directory["a.yaml"], "one");
        var watch = new ConfigurationWatch([_directory["a.yaml"]], TimeProvider.System, () => changes++);
        watch.Look();
        Assert.Equal(0, changes);

        await File.WriteAllTextAsync(_directory["a.yaml"], "tw");
        watch.Look();
        await File.WriteAllTextAsync(_directory["a.yaml"], "two");
        watch.Look();
        Assert.Equal(0, changes);
        watch.Look();
        watch.Look();
        Assert.Equal(1, changes);

        File.Delete(_directory["a.yaml"]);
        watch.Look();
        watch.Look();
        Assert.Equal(2, changes);
    }

    private static string Model(string id, string extra = "") => $$"""
          - id: {{id}}
            source: { file: { path: [data.csv], format: csv, follow: true } }
            features: [x, y]
            model: { type: gaussian_mixture, components: 2 }
            {{(extra.StartsWith("learning", StringComparison.Ordinal)
                ? extra.Replace("{ step_size", Small + ", step_size", StringComparison.Ordinal)
                : $"learning: {Small} }}\n    {extra}")}}
        """;

    private const string Small = "{ minibatch: { size: 32, max_wait: null }, initialization: { buffer: 96, n_init: 1, max_wait: null }";

    private string Yaml(params string[] models) =>
        $"http: {{ address: 127.0.0.1:0 }}\nstate_directory: {_directory["state"]}\nmodels:\n{string.Join('\n', models)}\n";

    private async Task Start(string yaml, int records)
    {
        _yaml = yaml;
        _host = new WorkerHost(
            Options(), (model, position) => Open(model.Id, position, records), TimeProvider.System, NullLoggerProvider.Instance)
        { Read = Options };
        _running = _host.RunAsync(_stop.Token);
        await Eventually.True(() => _running.IsCompleted || (_sources.Count > 0 && _sources.Keys.All(id => Read(id) == records)),
            "all records are taken");
        Assert.False(_running.IsCompleted);
    }

    private GivenSource Open(string id, SourcePosition position, int records)
    {
        lock (_sources)
            return _sources[id] = new GivenSource(
                Pipelines.Clouds(1000), position, _sources.GetValueOrDefault(id) is { } before ? before.Limit : records);
    }

    private Task<ReloadReport> Reload() => Eventually.Within(_host.ReloadAsync());

    private WorkerOptions Options()
    {
        LoadedConfiguration loaded = ConfigurationLoader.LoadText(_yaml, [], []);
        return loaded.Options ?? throw new CommandException(ExitCode.Configuration, string.Join('\n', loaded.Problems));
    }

    private async Task ExpectAllGoesOn()
    {
        Assert.False(_running.IsCompleted);
        _sources["a"].Give(64);
        await Eventually.True(() => Read("a") == 394, "the model to go on");
        await Stop();
        Assert.Equal(394, ReadOf(Newest("a")));
    }

    private async Task Stop()
    {
        await _stop.CancelAsync();
        Assert.Equal(ExitCode.Ok, await Eventually.Within(_running));
    }

    private long Read(string id) => _host.Models.FirstOrDefault(model => model.Options.Id == id)?.Metrics.Records ?? 0;

    private static long ReadOf(Checkpoint checkpoint) => checkpoint.Rejections.Read;

    private Checkpoint Newest(string id) => new StateDirectory(_directory["state"]).NewestOf(id)!;

    private static string Parameters(Checkpoint checkpoint, long version)
    {
        Assert.Equal(version, checkpoint.Updates);
        return string.Join(' ', checkpoint.Latest!.Snapshot.Parameters.ToArray()
            .Select(value => value.ToString("R", CultureInfo.InvariantCulture)));
    }
}
