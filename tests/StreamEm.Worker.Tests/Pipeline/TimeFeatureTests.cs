using System.Globalization;
using System.Text;
using System.Text.Json;
using StreamEm.Sources;
using StreamEm.Sources.Catalog;
using StreamEm.Worker.Commands;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Tests.Commands;
using StreamEm.Worker.Tests.Configuration;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Pipeline;

/// <summary>Features made in the stream, a calendar and a rate of false alarms, from a file through run, fit and score.</summary>
public sealed class TimeFeatureTests : IDisposable
{
    private const int Rows = 3000, Buffer = 300;

    private readonly TemporaryDirectory _directory = new();

    public TimeFeatureTests()
    {
        var random = new Random(1);
        var text = new StringBuilder("ts,device,x\n");
        double[] level = [0, 100];
        for (int row = 0; row < Rows; row++)
        {
            int device = random.Next(2);
            level[device] += random.NextDouble() - 0.5 + (row % 400 == 399 ? 40 : 0);
            string at = DateTimeOffset.UnixEpoch.AddMinutes(10 * row).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
            text.Append(CultureInfo.InvariantCulture, $"{at},d{device},{level[device]:R}\n");
        }

        File.WriteAllText(_directory["data.csv"], text.ToString());
    }

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Run_WithTimeFeatures_TellsWhatTheyAreOfEachKey_AsFitAndScoreDo()
    {
        ModelOptions options = Options();
        Assert.Equal(ModelState.Finished, (await Drain(_directory, options, Rows)).State);
        Dictionary<int, double> steps = Steps();
        foreach (JsonElement line in Lines("out/scores.ndjson"))
        {
            double told = line.GetProperty("fields").GetProperty("dx").GetDouble();
            Assert.Equal(steps[line.GetProperty("record").GetInt32()], told);
        }

        Assert.Equal(Rows - Buffer, Lines("out/scores.ndjson").Length);
        CommandRun fit = await CommandRun.Of(FitCommand.Create(), _directory["data.csv"], "-c", _directory["streamem.yaml"], "-o",
            _directory["snapshot.json"], "--scores", _directory["fit.ndjson"]);
        Assert.Equal((0, ""), (fit.ExitCode, fit.Error));
        Assert.Equal(
            Lines("out/scores.ndjson").Select(line => (line.GetProperty("record").GetInt32(), line.GetProperty("log_density").GetDouble())),
            Lines("fit.ndjson").Skip(Buffer).Select(
                line => (line.GetProperty("record").GetInt32(), line.GetProperty("log_density").GetDouble())));

        CommandRun score = await CommandRun.Of(ScoreCommand.Create(), _directory["snapshot.json"], _directory["data.csv"], "-o",
            _directory["scored.ndjson"], "--include", "all");
        Assert.Equal((0, ""), (score.ExitCode, score.Error));
        JsonElement[] scored = Lines("scored.ndjson");
        Assert.Equal(JsonValueKind.Null, scored[0].GetProperty("fields").GetProperty("dx").ValueKind);
        Assert.Equal(steps[Rows - 1], scored[^1].GetProperty("fields").GetProperty("dx").GetDouble());
        // But for the leaps, which are too far to be learned from.
        double rms = Math.Sqrt(steps.Values.Where(step => step < 1).Average(step => step * step));
        JsonElement snapshot = JsonDocument.Parse(await File.ReadAllTextAsync(_directory["snapshot.json"])).RootElement;
        double variance = snapshot.GetProperty("parameters").GetProperty("covariances").GetProperty("data")[0].GetDouble();
        Assert.Equal(rms, Math.Sqrt(variance), 0.03);
        Assert.True(snapshot.GetProperty("training").GetProperty("unlearned").GetInt64() > Rows / 30);
    }

    [Fact]
    public async Task Stopped_InTheMiddle_WritesTheBytesOfARunNeverStopped()
    {
        using var whole = new TemporaryDirectory();
        File.Copy(_directory["data.csv"], whole["data.csv"]);
        await Drain(whole, Options(whole), Rows);
        string scores = await File.ReadAllTextAsync(whole["out/scores.ndjson"]);
        Assert.Contains("raised", scores, StringComparison.Ordinal);

        // A file that ends with a minibatch, and goes on at the next start.
        foreach (int end in (int[])[700, 1500, Rows]) await Drain(_directory, Options(), end);

        Assert.Equal(scores.Replace(whole["data.csv"], _directory["data.csv"], StringComparison.Ordinal),
            await File.ReadAllTextAsync(_directory["out/scores.ndjson"]));
        Assert.Equal(await Parameters(whole), await Parameters(_directory));
    }

    [Fact]
    public async Task Started_WithOtherTimeFeatures_IsRefused()
    {
        await Drain(_directory, Options(), Rows);

        ModelOptions other = Options(features: "[{ name: dx, difference: x, steps: 2 }, { name: hour, hour_of_day: ts }]");
        CommandException refusal = await Assert.ThrowsAsync<CommandException>(() => Drain(_directory, other, Rows));

        Assert.Equal(ExitCode.Configuration, refusal.ExitCode);
        Assert.Contains("steps", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("features: [{ name: dx, diference: x }]", "did you mean 'difference'")]
    [InlineData("features: [{ name: dx }]", "expected one of lag, difference")]
    [InlineData("features: [{ difference: x }]", "has no 'name'")]
    [InlineData("features: [{ name: dx, difference: x, window: 3 }]", "has 'window', which difference does not")]
    [InlineData("features: [{ name: dx, difference: x, steps: 0 }]", "expected an integer from 1")]
    [InlineData("features: [x, { name: x, log: x }]", "'x' is in features twice")]
    [InlineData("features: [{ name: r, rate: x }]", "name the field of their time with 'timestamp'")]
    [InlineData("features: [{ name: h, hour_of_day: ts }]\n    timestamp: ts", "no feature is made of a field")]
    [InlineData("features: [x, { name: h, hour_of_day: when }]\n    timestamp: ts", "expected the field that 'timestamp' names")]
    [InlineData("features: [x, { name: h, hour_of_day: ts, time_zone: Mars }]\n    timestamp: ts", "time zone that this machine knows")]
    [InlineData("features: [x]\n    calendar: { skip_alarms: [sat] }", "name the field of their time with 'timestamp'")]
    [InlineData("features: [x]\n    timestamp: ts\n    calendar: { skip_learning: [saturday] }", "a span of local time such as")]
    public void Validate_AMistake_SaysWhatIsMeant(string keys, string expected) => Assert.Contains(
        ConfigFile.ProblemsOf($$"""
            models:
              - id: boiler
                source: { stdin: {} }
                model: { type: gaussian_mixture }
                {{keys}}
            """),
        problem => problem.Contains(expected, StringComparison.Ordinal));

    [Fact]
    public void Validate_AModelOfCounts_TakesNoFeatureThatIsMade() => Assert.Contains(
        ConfigFile.ProblemsOf("""
            models:
              - id: boiler
                source: { stdin: {} }
                model: { type: poisson_mixture }
                features: [x, { name: dx, difference: x }]
            """),
        problem => problem.Contains("'dx' is a number, and poisson_mixture takes it for a count", StringComparison.Ordinal));

    private ModelOptions Options(
        TemporaryDirectory? directory = null, string features = "[{ name: dx, difference: x }, { name: hour, hour_of_day: ts }]")
    {
        directory ??= _directory;
        File.WriteAllText(directory["streamem.yaml"], $$"""
            models:
              - id: steps
                source: { file: { path: [{{directory["data.csv"]}}], format: csv } }
                features: {{features}}
                key: device
                timestamp: ts
                model: { type: gaussian_mixture, components: 1 }
                learning: { learn: gated, minibatch: { size: 50 }, initialization: { buffer: {{Buffer}} } }
                calendar: { time_zone: Europe/Berlin, skip_learning: [sat 10:00-20:00], skip_alarms: [sun] }
                scores: [ { file: { path: {{directory["out/scores.ndjson"]}}, include: all } } ]
                alarms: { false_discovery_rate: 0.5, rest: 10 }
                publish: [ { file: { path: {{directory["out/snapshots.ndjson"]}} } } ]
                checkpoint: { every_updates: 2 }
            """);
        return Worker.Configuration.ConfigurationLoader.Load([directory["streamem.yaml"]], []).Options!.Models[0];
    }

    /// <summary>Runs over the first rows of the file to their end.</summary>
    private static async Task<PipelineEnd> Drain(TemporaryDirectory directory, ModelOptions options, int rows)
    {
        string[] lines = await File.ReadAllLinesAsync(directory["data.csv"]);
        string path = directory["data.csv"];
        await File.WriteAllLinesAsync(path, lines.Take(rows + 1));
        try
        {
            await using ModelPipeline pipeline = Pipelines.Create(directory, options, position => SourceCatalog.Create(
                options.Source, new SourceContext(options.Schema.Read, position, TimeProvider.System) { Once = true }));
            await pipeline.StartAsync(CancellationToken.None);
            return await Eventually.Within(pipeline.Completion);
        }
        finally
        {
            await File.WriteAllLinesAsync(path, lines);
        }
    }

    /// <summary>By record, how far the device has moved since its last one; not of the first ones.</summary>
    private Dictionary<int, double> Steps()
    {
        (Dictionary<string, double> last, Dictionary<int, double> steps) = (new(StringComparer.Ordinal), []);
        string[] lines = File.ReadAllLines(_directory["data.csv"]);
        for (int row = 0; row < Rows; row++)
        {
            string[] cells = lines[row + 1].Split(',');
            double x = double.Parse(cells[2], CultureInfo.InvariantCulture);
            if (last.TryGetValue(cells[1], out double before)) steps[row] = x - before;
            last[cells[1]] = x;
        }

        return steps;
    }

    private static async Task<string> Parameters(TemporaryDirectory directory) => JsonDocument
        .Parse((await File.ReadAllLinesAsync(directory["out/snapshots.ndjson"]))[^1]).RootElement.GetProperty("parameters").GetRawText();

    private JsonElement[] Lines(string file) =>
        [.. File.ReadAllLines(_directory[file]).Select(line => JsonDocument.Parse(line).RootElement)];
}
