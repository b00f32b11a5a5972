using System.Globalization;
using System.Text;
using System.Text.Json;
using StreamEm.Worker.Commands;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Commands;

/// <summary>Records drawn from a snapshot are read back; two snapshots are compared.</summary>
public sealed class SampleAndDiffTests : IDisposable
{
    private const string Mixed =
        "{ type: mixture, components: 2, emissions: [{ gaussian: { features: [x, y] } }, { bernoulli: { features: [on] } }, "
            + "{ categorical: { features: [state] } }, { poisson: { features: [errors] } }] }";

    private const string Chain = "{ type: hidden_markov, states: 2, max_keys: 512 }";

    private readonly TemporaryDirectory _directory = new();

    public SampleAndDiffTests()
    {
        var text = new StringBuilder("x,y,on,state,errors,device\n");
        for (int row = 0; row < 1200; row++)
        {
            int k = row / 7 % 2;
            string state = (row * 31 % 10 < 8 ? k : 1 - k) == 0 ? "\"idle, cold\"" : "busy";
            text.Append(CultureInfo.InvariantCulture, $"{10 * k + row * 37 % 11 * 0.1:F2},{-5 * k + row * 53 % 13 * 0.1:F2},")
                .Append(CultureInfo.InvariantCulture, $"{(row * 17 % 10 < 9 ? k : 1 - k)},{state},{row * 13 % 5 + 6 * k},d{row % 3}\n");
        }

        File.WriteAllText(_directory["data.csv"], text.ToString());
    }

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("[x, y, on, state, errors]", Mixed, "drawn.csv")]
    [InlineData("[x, y, on, state, errors]", Mixed, "drawn.ndjson")]
    [InlineData("[x, y]", Chain, "drawn.csv")]
    [InlineData("[x, y]", Chain, "drawn.ndjson")]
    public async Task Sample_ReadBack_IsTheSameModel(string features, string model, string file)
    {
        string yaml = Configure(features, model);
        await Fit(yaml, "data.csv", "first.json");

        CommandRun run = await Sample("first.json", "-n", "6000", "--seed", "7", "-o", _directory[file]);
        Assert.Equal((ExitCode.Ok, "", ""), (run.ExitCode, run.Output, run.Error));
        await Fit(yaml, file, "second.json", "--passes", "2");

        JsonElement difference = await Diff("first.json", "second.json");
        JsonElement there = difference.GetProperty("kl_a_b"), back = difference.GetProperty("kl_b_a");
        // Of 6000 records, some 20 parameters: 20 / (2 x 6000) nats, and a stream is not at its maximum.
        Assert.InRange(there.GetProperty("value").GetDouble(), -0.01, 0.06);
        Assert.InRange(back.GetProperty("value").GetDouble(), -0.01, 0.06);
    }

    [Fact]
    public async Task Sample_SameSeed_IsTheSameTextAndSaysItsComponents()
    {
        await Fit(Configure("[x, y]", "{ type: gaussian_mixture, components: 2 }"), "data.csv", "model.json");
        CommandRun one = await Sample("model.json", "-n", "9000", "--with-component");
        CommandRun other = await Sample("model.json", "-n", "9000", "--with-component");
        Assert.Equal(one.Output, other.Output);
        string[] lines = one.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("x,y,component_id", lines[0]);
        Assert.Equal(9001, lines.Length);
        Assert.Equal(["c0", "c1"], lines.Skip(1).Select(line => line.Split(',')[2]).Distinct().Order());
        Assert.NotEqual(one.Output, (await Sample("model.json", "-n", "9000", "--seed", "2", "--with-component")).Output);
    }

    /// <summary>A class that is drawn is the label of what is learned again.</summary>
    [Theory]
    [InlineData("drawn.csv")]
    [InlineData("drawn.ndjson")]
    public async Task Sample_OfAClassifier_HasTheClassesOfItsRecords(string file)
    {
        string yaml = Configure("[x, y]", "{ type: naive_bayes }\n    label: state");
        await Fit(yaml, "data.csv", "first.json");
        CommandRun run = await Sample("first.json", "-n", "4000", "-o", _directory[file], "--with-component");
        Assert.Equal((ExitCode.Ok, ""), (run.ExitCode, run.Error));
        string[] lines = await File.ReadAllLinesAsync(_directory[file]);
        if (file.EndsWith("csv", StringComparison.Ordinal))
        {
            Assert.Equal("x,y,class,component_id", lines[0]);
            Assert.Contains(lines, line => line.EndsWith(",\"idle, cold\",c0", StringComparison.Ordinal));
        }
        await Fit(Configure("[x, y]", "{ type: naive_bayes }\n    label: class"), file, "second.json", "--passes", "2");
        JsonElement difference = await Diff("first.json", "second.json");
        Assert.InRange(difference.GetProperty("kl_a_b").GetProperty("value").GetDouble(), -0.01, 0.06);
    }

    [Fact]
    public async Task Sample_OfSequences_GivesEachItsKey()
    {
        await Fit(Configure("[x, y]", Chain), "data.csv", "model.json");
        CommandRun run = await Sample("model.json", "-n", "10", "--length", "4", "--format", "ndjson");
        string[] keys = [.. run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("device").GetString() ?? "")];
        Assert.Equal(["s1", "s1", "s1", "s1", "s2", "s2", "s2", "s2", "s3", "s3"], keys);
    }

    [Theory]
    [InlineData("-n must be at least 1.", "model.json", "-n", "0")]
    [InlineData("Option '-n' is required.", "model.json")]
    [InlineData("did you mean '--seed'", "model.json", "-n", "5", "--sede", "3")]
    public async Task Sample_AWrongCall_IsRefused(string message, params string[] args)
    {
        CommandRun run = await CommandRun.Of(SampleCommand.Create(), args);
        Assert.Equal(ExitCode.Usage, run.ExitCode);
        Assert.Contains(message, run.Error, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Sample_OverItsOwnSnapshot_IsRefused()
    {
        await Fit(Configure("[x, y]", "{ type: gaussian_mixture, components: 2 }"), "data.csv", "model.json");
        Assert.Equal(ExitCode.CannotCreate, (await Sample("model.json", "-n", "5", "-o", _directory["model.json"])).ExitCode);
        Assert.Equal(ExitCode.InputMissing, (await Sample("nothing.json", "-n", "5")).ExitCode);
    }

    [Fact]
    public async Task Diff_OfOtherFeatures_IsRefusedWithBoth()
    {
        await Fit(Configure("[x, y]", "{ type: gaussian_mixture, components: 2 }"), "data.csv", "one.json");
        await Fit(Configure("[x, errors]", "{ type: gaussian_mixture, components: 2 }"), "data.csv", "two.json");
        CommandRun run = await CommandRun.Of(DiffCommand.Create(), _directory["one.json"], _directory["two.json"]);
        Assert.Equal(ExitCode.DataCorrupt, run.ExitCode);
        Assert.Contains("cannot be compared: one is over x, y, the other over x, errors.", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Diff_OfTwoDays_SaysWhatMoved()
    {
        string yaml = Configure("[x, y]", "{ type: gaussian_mixture, components: 2 }");
        await Fit(yaml, "data.csv", "monday.json");
        string[] lines = await File.ReadAllLinesAsync(_directory["data.csv"]);
        await File.WriteAllLinesAsync(_directory["moved.csv"], [lines[0], .. lines.Skip(1).Select(Moved)]);
        await Fit(yaml, "moved.csv", "friday.json", "-s", $"models.a.learning.initialization.from={_directory["monday.json"]}",
            "-s", "models.a.learning.step_size.floor=0.5");

        JsonElement difference = await Diff("monday.json", "friday.json");
        Assert.All(difference.GetProperty("components").EnumerateArray().ToArray(), component =>
        {
            Assert.Equal("y", component.GetProperty("feature").GetString());
            Assert.InRange(component.GetProperty("shift").GetDouble(), 2, 4);
            Assert.InRange(component.GetProperty("kl").GetDouble(), 1, 20);
        });
        CommandRun table = await CommandRun.Of(DiffCommand.Create(), _directory["monday.json"], _directory["friday.json"]);
        Assert.Contains("moved most", table.Output, StringComparison.Ordinal);
        Assert.Matches(@"KL\(A \|\| B\) +\d+(\.\d+)? nats per record, standard error ", table.Output);

        static string Moved(string line)
        {
            string[] cells = line.Split(',', 3);
            double y = double.Parse(cells[1], CultureInfo.InvariantCulture) + 1.1;
            return string.Create(CultureInfo.InvariantCulture, $"{cells[0]},{y:F2},{cells[2]}");
        }
    }

    [Fact]
    public async Task Inspect_AsJson_SaysTheMomentsOfTheWhole()
    {
        await Fit(Configure("[x, y, on, state, errors]", Mixed), "data.csv", "model.json");
        CommandRun run = await CommandRun.Of(InspectCommand.Create(), _directory["model.json"], "--json");
        JsonElement root = JsonDocument.Parse(run.Output).RootElement;
        double[] mean = [.. root.GetProperty("mean").EnumerateArray().Select(Number)];
        Assert.Equal(5.5, mean[0], 0.3);
        Assert.Equal(5, mean[4], 0.3);
        Assert.True(double.IsNaN(mean[3]));
        Assert.InRange(Number(root.GetProperty("covariance")[0][1]), -15, -11);
        Assert.Equal(1, root.GetProperty("weights").EnumerateObject().Sum(weight => weight.Value.GetDouble()), 1e-12);

        static double Number(JsonElement value) => value.ValueKind == JsonValueKind.Null ? double.NaN : value.GetDouble();
    }

    [Fact]
    public async Task Score_UnderTheAverage_NeedsOne()
    {
        string yaml = Configure("[x, y]", "{ type: gaussian_mixture, components: 2 }");
        await Fit(yaml, "data.csv", "plain.json");
        await Fit(yaml, "data.csv", "averaged.json", "-s", "models.a.learning.averaging=tail");
        CommandRun plain = await CommandRun.Of(ScoreCommand.Create(), _directory["plain.json"], _directory["data.csv"], "--averaged");
        Assert.Equal(ExitCode.Usage, plain.ExitCode);
        Assert.Contains("has no averaged parameters", plain.Error, StringComparison.Ordinal);
        CommandRun last = await CommandRun.Of(ScoreCommand.Create(), _directory["averaged.json"], _directory["data.csv"]);
        CommandRun average = await CommandRun.Of(ScoreCommand.Create(), _directory["averaged.json"], _directory["data.csv"], "--averaged");
        Assert.Equal(ExitCode.Ok, average.ExitCode);
        Assert.NotEqual(last.Output, average.Output);
        double uncertainty = JsonDocument.Parse(last.Output.Split('\n')[0]).RootElement.GetProperty("uncertainty").GetDouble();
        Assert.InRange(uncertainty, 0, 0.5);
    }

    private string Configure(string features, string model)
    {
        string path = _directory["streamem.yaml"];
        File.WriteAllText(path, $"""
            models:
              - id: a
                features: {features}{(model == Chain ? "\n    key: device" : "")}
                model: {model}
                learning: {"{"} minibatch: {"{"} size: 100 {"}"}, initialization: {"{"} buffer: 600 {"}"} {"}"}
                source: {"{"} file: {"{"} path: [data.csv] {"}"} {"}"}

            """);
        return path;
    }

    private async Task Fit(string yaml, string data, string snapshot, params string[] more)
    {
        CommandRun run = await CommandRun.Of(
            FitCommand.Create(), [_directory[data], "-c", yaml, "-o", _directory[snapshot], .. more]);
        Assert.True(run.ExitCode == ExitCode.Ok, run.Error);
    }

    private Task<CommandRun> Sample(string snapshot, params string[] args) =>
        CommandRun.Of(SampleCommand.Create(), [_directory[snapshot], .. args]);

    private async Task<JsonElement> Diff(string one, string other)
    {
        CommandRun run = await CommandRun.Of(DiffCommand.Create(), _directory[one], _directory[other], "--json");
        Assert.True(run.ExitCode == ExitCode.Ok, run.Error);
        return JsonDocument.Parse(run.Output).RootElement;
    }
}
