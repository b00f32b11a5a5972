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
        double whole = scores.Average(line => line.GetProperty("log_density").GetDouble());
        Assert.Contains(string.Create(CultureInfo.InvariantCulture,
            $"test-then-train: {whole:F6} nats per record, over the {Rows} records of the pass"), run.Output, StringComparison.Ordinal);
        JsonElement snapshot = JsonDocument.Parse(await File.ReadAllTextAsync(_directory["snapshot.json"])).RootElement;
        Assert.Equal(Rows, snapshot.GetProperty("training").GetProperty("records").GetInt32());
        Assert.Equal(2, snapshot.GetProperty("parameters").GetProperty("weights").GetProperty("data").GetArrayLength());
    }

    [Theory]
    [InlineData("batch")]
    [InlineData("incremental")]
    [InlineData("over_relaxed")]
    [InlineData("spider")]
    [InlineData("gradient")]
    public async Task Fit_Engine_ReachesWhatBatchEmReaches(string engine)
    {
        await Fit("--batch");
        double batch = await MeanLogDensity();
        CommandRun run = await Fit("--engine", engine);

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Matches($"{engine} EM converged after [0-9]+ iterations: .* [0-9]+ row evaluations", run.Output);
        Assert.Equal(batch, await MeanLogDensity(), 1e-6);
    }

    [Theory]
    [InlineData("bacth",
        "--engine 'bacth' is no engine; expected one of stepwise, batch, incremental, over_relaxed, spider, gradient; did you mean")]
    [InlineData("spider --passes 2", "--engine spider sees all data at once: it goes without --scores, --history and --passes.")]
    [InlineData("spider --batch", "--batch is --engine batch; leave one of --batch and --engine spider out.")]
    public async Task Fit_EngineThatCannotBe_IsRefused(string arguments, string message)
    {
        CommandRun run = await Fit(["--engine", .. arguments.Split(' ')]);
        Assert.Equal(ExitCode.Usage, run.ExitCode);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
    }

    /// <summary>The values beside the scores, so that nobody has to join them again.</summary>
    [Fact]
    public async Task Score_Include_CarriesTheFields()
    {
        await Fit();
        await File.WriteAllTextAsync(_directory["few.csv"], "note,y,x\n\"a,b\",2,1\n,,0.5\nz,rubbish,1\n");
        CommandRun csv = await CommandRun.Of(Verbs.CreateRoot(), "score", _directory["snapshot.json"], _directory["few.csv"],
            "--format", "csv", "--include", "all");
        string[][] lines = [.. csv.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(','))];
        Assert.Equal(["x", "y", "error"], lines[0][^3..]);
        Assert.Equal(["1", "2", ""], lines[1][^3..]);
        Assert.Equal(["0.5", "", ""], lines[2][^3..]);
        Assert.Equal(["", ""], lines[3][(lines[0].Length - 3)..(lines[0].Length - 1)]);
        Assert.StartsWith("\"not_a_number", lines[3][lines[0].Length - 1], StringComparison.Ordinal);

        CommandRun json = await CommandRun.Of(Verbs.CreateRoot(), "score", _directory["snapshot.json"], _directory["few.csv"],
            "--include", "y");
        Assert.Contains("\"fields\":{\"y\":2}}", json.Output, StringComparison.Ordinal);

        CommandRun wrong = await CommandRun.Of(Verbs.CreateRoot(), "score", _directory["snapshot.json"], _directory["few.csv"],
            "--include", "note");
        Assert.Equal(ExitCode.Usage, wrong.ExitCode);
        Assert.Equal("--include: the model reads no field 'note'; it reads x, y\n", wrong.Error);
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
    public async Task Fit_RecordsThatAreRejected_HaveTheNumbersThatScoreGivesThem()
    {
        string[] lines = await File.ReadAllLinesAsync(_directory["data.csv"]);
        List<string> mixed = [lines[0], "bad,1", .. lines[1..301], "1,bad", "bad,bad", .. lines[301..450], "1", .. lines[450..], "bad,2"];
        await File.WriteAllLinesAsync(_directory["data.csv"], mixed);

        Assert.Equal(0, (await Fit("--scores", _directory["fit.ndjson"])).ExitCode);
        Assert.Equal(0, (await CommandRun.Of(ScoreCommand.Create(), _directory["snapshot.json"], _directory["data.csv"], "-o",
            _directory["score.ndjson"])).ExitCode);

        JsonElement[] fit = Lines("fit.ndjson"), score = Lines("score.ndjson");
        Assert.Equal(Enumerable.Range(0, Rows + 5), fit.Select(line => line.GetProperty("record").GetInt32()));
        int[] bad = [0, 301, 302, 452, Rows + 4];
        Assert.Equal(bad, Rejected(fit));
        Assert.Equal(bad, Rejected(score));

        static IEnumerable<int> Rejected(JsonElement[] scores) =>
            scores.Where(line => line.TryGetProperty("error", out _)).Select(line => line.GetProperty("record").GetInt32());
    }

    [Fact]
    public async Task Score_FilesWrittenAsThoseLearnedFrom_AreReadAsThose()
    {
        string[] lines = await File.ReadAllLinesAsync(_directory["data.csv"]);
        string[] rows = [.. lines[1..].Select(line => $"x;{line.Replace(',', ';').Replace('.', ',')};n.v.")];
        await File.WriteAllLinesAsync(_directory["data.csv"], ["logger 7", "% " + rows[0], .. rows]);
        string yaml = await File.ReadAllTextAsync(_directory["streamem.yaml"]);
        await File.WriteAllTextAsync(_directory["streamem.yaml"], yaml
            .Replace("] } }", "], separator: ';', decimal: ',', comment: '%', skip_lines: 1, columns: [t, x, y, z] } }",
                StringComparison.Ordinal)
            .Replace("model: {", "missing_values: [n.v., '-999']\n    model: {", StringComparison.Ordinal));
        Assert.Equal(0, (await Fit()).ExitCode);

        await File.WriteAllTextAsync(_directory["rest.csv"], "7 reggol\n0;1,5;n.v.;\n% 1;2;3;4\n0;-999;2,25;5\n");
        Assert.Equal(0, (await CommandRun.Of(ScoreCommand.Create(), _directory["snapshot.json"], _directory["rest.csv"], "-o",
            _directory["score.ndjson"])).ExitCode);
        Assert.Equal(2, Lines("score.ndjson").Count(line => line.TryGetProperty("log_density", out _)));

        // Another way of writing has to be said.
        await File.WriteAllTextAsync(_directory["other.csv"], "x|y\n1.5|\n|2.25\n");
        Assert.Equal(0, (await CommandRun.Of(ScoreCommand.Create(), _directory["snapshot.json"], _directory["other.csv"],
            "--separator", "|", "--decimal", ".", "--skip-lines", "0", "-o", _directory["other.ndjson"])).ExitCode);
        Assert.Equal(Lines("score.ndjson").Select(line => line.GetProperty("log_density").GetDouble()),
            Lines("other.ndjson").Select(line => line.GetProperty("log_density").GetDouble()));
    }

    [Fact]
    public async Task Score_OptionsThatCannotBe_AreRefused()
    {
        CommandRun run = await CommandRun.Of(ScoreCommand.Create(), "snapshot.json", "data.csv", "--separator", "ab", "--decimal", "x");
        Assert.Equal(ExitCode.Usage, run.ExitCode);
        Assert.Contains("--separator cannot be read; expected one ASCII character", run.Error, StringComparison.Ordinal);
        Assert.Contains("--decimal cannot be read; expected '.' or ','", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fit_FileThatIsNoText_StopsWith65AndTheTerminalStaysWhole()
    {
        await File.WriteAllBytesAsync(_directory["data.csv"], [.. "PK\u0003\u0004"u8, 0x14, 0, 0]);
        CommandRun zip = await Fit();
        Assert.Equal(ExitCode.DataCorrupt, zip.ExitCode);
        Assert.Contains("is a zip archive", zip.Error, StringComparison.Ordinal);

        await File.WriteAllTextAsync(_directory["data.csv"], "\u001B]0;title\u0007,y\n1,2\n");
        CommandRun run = await Fit();
        Assert.Equal(ExitCode.InputMissing, run.ExitCode);
        Assert.DoesNotContain('\u001B', run.Error);
        Assert.DoesNotContain('\u0007', run.Error);
    }

    [Fact]
    public async Task Fit_TimesThatCannotBeRead_AreCounted()
    {
        string[] lines = await File.ReadAllLinesAsync(_directory["data.csv"]);
        await File.WriteAllLinesAsync(_directory["data.csv"],
            lines.Select((line, i) => i == 0 ? line + ",ts" : line + (i % 4 == 0 ? ",yesterday" : ",2026-11-26")));
        CommandRun run = await Fit("-s", "models.0.timestamp=ts");
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("500 of 2000 records have a timestamp that cannot be read; they were used without it", run.Output,
            StringComparison.Ordinal);
        Assert.DoesNotContain("rejected", run.Output, StringComparison.Ordinal);
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
        Assert.Equal(
            "record,log_density,component,component_id,uncertainty,anomaly_score,p_value,responsibility_c0,responsibility_c1,error",
            lines[0]);
        Assert.Equal(["0", "1", "2", "3"], lines[1..].Select(line => line.Split(',')[0]));
        Assert.StartsWith("1,,,,,,,,,\"not_a_number: ", lines[2], StringComparison.Ordinal);
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
