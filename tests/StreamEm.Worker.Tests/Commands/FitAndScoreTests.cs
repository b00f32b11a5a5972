using System.Globalization;
using System.Text;
using System.Text.Json;
using StreamEm.Worker.Commands;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Commands;

public sealed class FitAndScoreTests : IDisposable
{
    private const int Rows = 2000;

    private readonly TemporaryDirectory _directory = new();

    public FitAndScoreTests()
    {
        var text = new StringBuilder("x,y\n");
        foreach (double[]? row in Pipelines.Clouds(Rows)) text.Append(CultureInfo.InvariantCulture, $"{row![0]:R},{row[1]:R}\n");
        File.WriteAllText(_directory["data.csv"], text.ToString());
        File.WriteAllText(_directory["streamem.yaml"], $$"""
            models:
              - id: clouds
                source: { file: { path: [{{_directory["data.csv"]}}] } }
                features: [x, y]
                model: { type: gaussian_mixture, components: 2 }
                learning: { minibatch: { size: 100 }, initialization: { buffer: 300 } }
                rejected: { file: {{_directory["rejected.ndjson"]}} }
            """);
    }

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Fit_Files_WritesSnapshotTraceAndScores()
    {
        CommandRun run = await Fit("--trace", _directory["trace.ndjson"], "--scores", _directory["scores.ndjson"]);

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        JsonElement[] trace = Lines("trace.ndjson"), scores = Lines("scores.ndjson");
        Assert.Equal(Enumerable.Range(1, 20), trace.Select(line => line.GetProperty("update").GetInt32()));
        Assert.Equal(Enumerable.Range(1, 20).Select(update => 100 * update), trace.Select(line => line.GetProperty("records").GetInt32()));
        Assert.All(trace,
            line => Assert.Equal(Math.Pow(1 + line.GetProperty("update").GetInt32(), -0.7), line.GetProperty("step_size").GetDouble(),
                1e-12));
        Assert.Equal(Enumerable.Range(0, Rows), scores.Select(line => line.GetProperty("record").GetInt32()));

        // Test-then-train: the mean over a minibatch's scores is the log-likelihood its update reports.
        double mean = scores.Skip(1900).Average(line => line.GetProperty("log_density").GetDouble());
        Assert.Equal(trace[^1].GetProperty("mean_log_likelihood").GetDouble(), mean, 1e-9);
        JsonElement snapshot = JsonDocument.Parse(await File.ReadAllTextAsync(_directory["snapshot.json"])).RootElement;
        Assert.Equal(Rows, snapshot.GetProperty("training").GetProperty("records").GetInt32());
        Assert.Equal(2, snapshot.GetProperty("parameters").GetProperty("weights").GetProperty("data").GetArrayLength());
    }

    [Fact]
    public async Task Fit_Batch_IsAtLeastAsLikelyAsTheStream()
    {
        await Fit();
        double stream = await MeanLogDensity();
        CommandRun run = await Fit("--batch");

        Assert.Equal(0, run.ExitCode);
        Assert.True(await MeanLogDensity() >= stream - 1e-9, "Batch EM is worse than one pass of the stream.");
    }

    [Fact]
    public async Task Fit_TooManyBadRecords_StopsWith65()
    {
        await File.AppendAllLinesAsync(_directory["data.csv"], Enumerable.Repeat("a,b", 2000));

        CommandRun run = await Fit();

        Assert.Equal(ExitCode.DataCorrupt, run.ExitCode);
        Assert.Contains("rejected.stop_above_ratio allows 0.05", run.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(_directory["snapshot.json"]));
    }

    [Fact]
    public async Task Fit_MissingFile_StopsWith66()
    {
        CommandRun run = await CommandRun.Of(FitCommand.Create(), _directory["none.csv"], "-c", _directory["streamem.yaml"]);

        Assert.Equal(ExitCode.InputMissing, run.ExitCode);
    }

    [Fact]
    public async Task Score_Csv_OneLineARecordInOrderWithErrorsAtTheirPlace()
    {
        await Fit();
        await File.WriteAllTextAsync(_directory["some.csv"], "y,x\n-6,-3\n1,text\n8,4\n8,\n");

        CommandRun run = await CommandRun.Of(ScoreCommand.Create(), _directory["snapshot.json"], _directory["some.csv"], "--format", "csv");
        string[] lines = run.Output.TrimEnd('\n').Split('\n');

        Assert.Equal(0, run.ExitCode);
        Assert.Equal("record,log_density,component,component_id,anomaly_score,responsibility_c0,responsibility_c1,error", lines[0]);
        Assert.Equal(["0", "1", "2", "3"], lines[1..].Select(line => line.Split(',')[0]));
        Assert.StartsWith("1,,,,,,,\"not_a_number: ", lines[2], StringComparison.Ordinal);
        Assert.Equal(lines[3].Split(',')[3], lines[4].Split(',')[3]);
        Assert.NotEqual(lines[1].Split(',')[3], lines[3].Split(',')[3]);
    }

    [Fact]
    public async Task Score_NdjsonToFile_AgreesWithCsv()
    {
        await Fit();

        CommandRun csv = await CommandRun.Of(ScoreCommand.Create(), _directory["snapshot.json"], _directory["data.csv"], "--format", "csv");
        CommandRun json =
            await CommandRun.Of(ScoreCommand.Create(), _directory["snapshot.json"], _directory["data.csv"], "-o", _directory["out.ndjson"]);

        Assert.Equal((0, ""), (json.ExitCode, json.Output));
        Assert.Equal(
            csv.Output.TrimEnd('\n').Split('\n')[1..].Select(line => line.Split(',')[1]),
            Lines("out.ndjson").Select(line => line.GetProperty("log_density").GetDouble().ToString("R", CultureInfo.InvariantCulture)));
    }

    [Fact]
    public async Task Score_NotASnapshot_StopsWith65()
    {
        CommandRun run = await CommandRun.Of(ScoreCommand.Create(), _directory["streamem.yaml"], _directory["data.csv"]);

        Assert.Equal(ExitCode.DataCorrupt, run.ExitCode);
    }

    [Fact]
    public async Task Inspect_Snapshot_ShowsItsNumbers()
    {
        await Fit();

        CommandRun run = await CommandRun.Of(InspectCommand.Create(), _directory["snapshot.json"]);

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("c0", run.Output, StringComparison.Ordinal);
        Assert.Contains("c1", run.Output, StringComparison.Ordinal);
    }

    private Task<CommandRun> Fit(params string[] more) =>
        CommandRun.Of(FitCommand.Create(),
            [_directory["data.csv"], "-c", _directory["streamem.yaml"], "-o", _directory["snapshot.json"], .. more]);

    private async Task<double> MeanLogDensity()
    {
        CommandRun run = await CommandRun.Of(ScoreCommand.Create(), _directory["snapshot.json"], _directory["data.csv"]);
        return run.Output.TrimEnd('\n').Split('\n')
            .Average(line => JsonDocument.Parse(line).RootElement.GetProperty("log_density").GetDouble());
    }

    private JsonElement[] Lines(string file) => [.. File.ReadLines(_directory[file]).Select(line => JsonDocument.Parse(line).RootElement)];
}
