using System.Globalization;
using System.Text;
using StreamEm.Core.Snapshots;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Commands;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Commands;

/// <summary>Workers that learn apart, through the command line as a user has it.</summary>
public sealed class MergeAndAuditTests : IDisposable
{
    private const int Size = 20;

    private readonly TemporaryDirectory _directory = new();

    public MergeAndAuditTests() => File.WriteAllText(_directory["start.json"], """
        {"parameters": {"weights": [0.5, 0.5], "means": [[-2, -2], [2, 2]], "covariances": [[[2, 0], [0, 2]], [[2, 0], [0, 2]]]}}
        """);

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Merge_OfTwoWorkers_IsWhatOneWorkerLearns()
    {
        // Labelled, so that nothing depends on the parameters an E-step is under.
        string[] rows = [.. Rows(200)];
        await Learn("all", rows);
        await Learn("a", Share(rows, 0));
        await Learn("b", Share(rows, 1));

        CommandRun run = await Run("merge", _directory["a"], _directory["b"], "-o", _directory["c.sem"]);

        Assert.True(run.ExitCode == 0, run.Error);
        Checkpoint one = Newest("all"), merged = CheckpointFile.Decode(await File.ReadAllBytesAsync(_directory["c.sem"]));
        Assert.Equal((one.Updates, one.Records, one.ConfigHash), (merged.Updates, merged.Records, merged.ConfigHash));
        double[] expected = one.Latest!.Snapshot.Parameters, found = merged.Latest!.Snapshot.Parameters;
        for (int at = 0; at < expected.Length; at++) Assert.Equal(expected[at], found[at], 1e-11);
        Assert.Equal(["a", "b"], merged.Position.Partitions.Keys.Select(Path.GetFileNameWithoutExtension));
        Assert.Equal([Parent(Newest("a")), Parent(Newest("b"))], merged.Latest.Snapshot.Ancestry!.Parents);
        Assert.Contains("merged from version 5 of run", Assert.Single(merged.History!).Text, StringComparison.Ordinal);
        Assert.Contains(" 10 ", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Merge_ToJson_WritesASnapshotThatInspectAndAuditRead()
    {
        string[] rows = [.. Rows(200)];
        await Learn("a", Share(rows, 0));
        await Learn("b", Share(rows, 1));

        CommandRun run = await Run("merge", _directory["a/clouds"], _directory["b/clouds"], "-o", _directory["c.json"], "--id", "sky");
        Assert.True(run.ExitCode == 0, run.Error);
        CommandRun inspected = await Run("inspect", _directory["c.json"]), audited = await Run("audit", _directory["c.json"]);

        Assert.Contains("sky", inspected.Output, StringComparison.Ordinal);
        Assert.True(audited.ExitCode == 0, audited.Error);
        Assert.Contains($"from version 5 of run {Newest("a").RunId}", audited.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_FromTheMergedCheckpoint_GoesOn()
    {
        string[] rows = [.. Rows(200)];
        await Learn("a", Share(rows, 0));
        await Learn("b", Share(rows, 1));
        Directory.CreateDirectory(_directory["all/clouds"]);
        await Run("merge", _directory["a"], _directory["b"], "-o", _directory["all/clouds/checkpoint-00000000000000000001.sem"]);

        // The files that were read are known; one is new.
        string files = string.Join(',', new[] { "a.csv", "b.csv", "all.csv" }.Select(name => _directory[name]));
        await Learn("all", [.. Rows(100, seed: 2)], $"models.clouds.source.file.path=[{files}]");

        Assert.Equal((15L, 300L), (Newest("all").Updates, Newest("all").Records));
    }

    [Fact]
    public async Task Merge_OneRunTwice_IsRefused()
    {
        await Learn("a", Share([.. Rows(200)], 0));

        CommandRun run = await Run("merge", _directory["a"], _directory["a/clouds"], "-o", _directory["c.sem"]);

        Assert.Equal(ExitCode.DataCorrupt, run.ExitCode);
        Assert.Contains("states of one run", run.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(_directory["c.sem"]));
    }

    [Fact]
    public async Task Merge_AStateWithOneThatHoldsIt_IsRefused()
    {
        string[] rows = [.. Rows(200)];
        await Learn("a", Share(rows, 0));
        await Learn("b", Share(rows, 1));
        await Run("merge", _directory["a"], _directory["b"], "-o", _directory["c.sem"]);

        CommandRun run = await Run("merge", _directory["c.sem"], _directory["b"], "-o", _directory["d.sem"]);

        Assert.Equal(ExitCode.DataCorrupt, run.ExitCode);
        Assert.Contains("was merged from", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Merge_WorkersThatReadTheSameFile_IsRefused()
    {
        string[] rows = [.. Rows(200)];
        await Learn("a", rows);
        await Learn("b", rows, $"models.clouds.source.file.path=[{_directory["a.csv"]}]");

        CommandRun run = await Run("merge", _directory["a"], _directory["b"], "-o", _directory["c.sem"]);

        Assert.Equal(ExitCode.DataCorrupt, run.ExitCode);
        Assert.Contains("would count twice", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Merge_OtherConfiguration_IsRefusedAndSaysWhere()
    {
        string[] rows = [.. Rows(200)];
        await Learn("a", Share(rows, 0));
        await Learn("b", Share(rows, 1), "models.clouds.learning.step_size.kappa=0.8");

        CommandRun run = await Run("merge", _directory["a"], _directory["b"], "-o", _directory["c.sem"]);

        Assert.Equal(ExitCode.DataCorrupt, run.ExitCode);
        Assert.Contains("learning.step_size.kappa: 1, 0.8", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Merge_ASnapshot_IsRefusedAndSaysWhatToTake()
    {
        await Learn("a", Share([.. Rows(200)], 0));

        CommandRun run = await Run("merge", _directory["a"], _directory["start.json"], "-o", _directory["c.sem"]);

        Assert.Equal(ExitCode.DataCorrupt, run.ExitCode);
        Assert.Contains("(.sem)", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Audit_OfAPublishedLog_IsWholeAfterARestart()
    {
        string[] rows = [.. Rows(200)];
        await Learn("a", rows[..100]);
        await Learn("a", rows);

        CommandRun run = await Run("audit", _directory["a.ndjson"], "--json");

        Assert.True(run.ExitCode == 0, run.Error);
        Assert.Contains("\"whole\":true", run.Output, StringComparison.Ordinal);
        Assert.Contains("\"missing\":0", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Audit_OfALogThatWasChanged_Is65WithTheFirstBreak()
    {
        await Learn("a", [.. Rows(200)]);
        string[] lines = await File.ReadAllLinesAsync(_directory["a.ndjson"]);
        await File.WriteAllLinesAsync(_directory["a.ndjson"], lines.Where((_, at) => at != 4));

        CommandRun run = await Run("audit", _directory["a.ndjson"], "--json");

        Assert.Equal(ExitCode.DataCorrupt, run.ExitCode);
        Assert.Contains("\"kind\":\"gap\",\"place\":\"line 5\"", run.Output, StringComparison.Ordinal);
        Assert.Contains("line 5: version 6", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Audit_LineBeingWritten_IsLeftOutAndSaid()
    {
        await Learn("a", [.. Rows(200)]);
        byte[] log = await File.ReadAllBytesAsync(_directory["a.ndjson"]);
        await File.WriteAllBytesAsync(_directory["a.ndjson"], log[..^30]);

        CommandRun run = await Run("audit", _directory["a.ndjson"]);

        Assert.True(run.ExitCode == 0, run.Error);
        Assert.Contains("its last line has no end", run.Error, StringComparison.Ordinal);
    }

    private static SnapshotParent Parent(Checkpoint checkpoint) =>
        new(checkpoint.RunId, checkpoint.Updates, checkpoint.Latest!.Snapshot.Ancestry!.Hash);

    /// <summary>Every second minibatch.</summary>
    private static string[] Share(string[] rows, int part) => [.. rows.Where((_, at) => at / Size % 2 == part)];

    private static IEnumerable<string> Rows(int count, int seed = 1) => Pipelines.Clouds(count, seed: seed).Select(row =>
        string.Create(CultureInfo.InvariantCulture, $"{row![0]:R},{row[1]:R},{(row[0] < 0 ? 0 : 1)}"));

    private Checkpoint Newest(string worker) => new StateDirectory(_directory[worker]).NewestOf("clouds")!;

    private async Task Learn(string worker, string[] rows, params string[] settings)
    {
        await File.WriteAllTextAsync(_directory[$"{worker}.csv"], "x,y,cloud\n" + string.Join('\n', rows) + "\n", Encoding.UTF8);
        await File.WriteAllTextAsync(_directory[$"{worker}.yaml"], $$"""
            http: { address: 127.0.0.1:0 }
            state_directory: {{_directory[worker]}}
            models:
              - id: clouds
                source: { file: { path: ["{{_directory[$"{worker}.csv"]}}"] } }
                features: [x, y]
                label: cloud
                model: { type: gaussian_mixture, components: 2, prior: none, reg_covar: 0 }
                learning:
                  learn: always
                  standardize: false
                  step_size: { kappa: 1, t0: 1 }
                  minibatch: { size: {{Size}} }
                  initialization: { from: "{{_directory["start.json"]}}" }
                publish: [ { file: { path: "{{_directory[$"{worker}.ndjson"]}}" } } ]
            """);
        CommandRun run = await Run(["run", "--once", "-c", _directory[$"{worker}.yaml"], .. settings.SelectMany(s => (string[])["-s", s])]);
        Assert.True(run.ExitCode == 0, run.Error);
    }

    private static Task<CommandRun> Run(params string[] arguments) => CommandRun.Of(Verbs.CreateRoot(), arguments);
}
