using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Xml.Linq;
using StreamEm.Worker.Commands;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Commands;

/// <summary>How many components data speak for.</summary>
public sealed class SelectTests : IDisposable
{
    private static readonly string[] Criteria = ["prequential", "bic", "aic", "icl", "held_out"];

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("full")]
    [InlineData("diag")]
    public async Task Select_ThreeClustersFarApart_EveryCriterionPicksThree(string covariance)
    {
        WriteClusters("data.csv", 3000);
        JsonElement best = (await Select("--covariance-type", covariance, "--components", "1..6")).GetProperty("best");
        Assert.All(Criteria, criterion => Assert.Equal(3, best.GetProperty(criterion).GetInt32()));
    }

    [Fact]
    public async Task Select_MoreRecordsThanTheSample_LearnsThemAllInOnePass()
    {
        WriteClusters("data.csv", 6000);
        JsonElement result = await Select("--components", "1..5", "--sample", "2000", "-s", "models.0.learning.minibatch.size=100", "-s",
            "models.0.learning.initialization.buffer=1000");
        Assert.All(Criteria, criterion => Assert.Equal(3, result.GetProperty("best").GetProperty(criterion).GetInt32()));
        // The sample says what all of them would.
        JsonElement three = result.GetProperty("candidates")[2];
        Assert.Equal(three.GetProperty("prequential").GetDouble(), three.GetProperty("log_likelihood").GetDouble(), 0.05);
        Assert.Equal(17, three.GetProperty("parameters").GetInt32());
    }

    [Fact]
    public async Task Select_HardClusters_FindsTheKneeOfTheDistortion()
    {
        WriteClusters("data.csv", 2000);
        JsonElement result = await Select("--covariance-type", "spherical", "--fixed", "[weights, covariances]", "--components", "1..6",
            "-s", "models.0.learning.responsibilities=hard");
        double[] curve = [.. result.GetProperty("candidates").EnumerateArray().Select(item => item.GetProperty("distortion").GetDouble())];
        Assert.True(curve[2] < 0.15 * curve[1] && curve[5] > 0.5 * curve[2], string.Join(" ", curve));
        Assert.Equal(3, result.GetProperty("best").GetProperty("distortion").GetInt32());
    }

    [Fact]
    public async Task Select_OfSequences_ComparesStates()
    {
        var text = new StringBuilder("x,device\n");
        var chance = new Random(5);
        for (int row = 0; row < 2400; row++)
            text.Append(CultureInfo.InvariantCulture, $"{(row / 40 % 2 * 8) + chance.NextDouble():F3},d{row % 4}\n");
        await File.WriteAllTextAsync(_directory["data.csv"], text.ToString());
        await File.WriteAllTextAsync(_directory["streamem.yaml"], """
            models:
              - id: a
                features: [x]
                key: device
                model: { type: hidden_markov, states: 2, max_keys: 512 }
                source: { file: { path: [data.csv] } }

            """);
        CommandRun run = await CommandRun.Of(SelectCommand.Create(), _directory["data.csv"], "-c", _directory["streamem.yaml"],
            "--components", "1..2", "--json", "--folds", "2");
        Assert.True(run.ExitCode == ExitCode.Ok, run.Error);
        JsonElement result = JsonDocument.Parse(run.Output).RootElement;
        Assert.Equal(2, result.GetProperty("candidates")[1].GetProperty("states").GetInt32());
        Assert.Equal(2, result.GetProperty("best").GetProperty("bic").GetInt32());
        Assert.Equal(2, result.GetProperty("best").GetProperty("prequential").GetInt32());
    }

    [Fact]
    public async Task Select_ForAPerson_MarksTheBestAndDraws()
    {
        WriteClusters("data.csv", 1000);
        CommandRun run = await CommandRun.Of(SelectCommand.Create(), _directory["data.csv"], "--features", "x,y", "--components", "2,3,4",
            "-o", _directory["select.svg"]);
        Assert.True(run.ExitCode == ExitCode.Ok, run.Error);
        Assert.Contains("  best by BIC: 3 components\n", run.Output, StringComparison.Ordinal);
        Assert.Matches(@"\n  3 .*-?\d+\.\d+ \* .*\n", run.Output);
        var svg = XElement.Load(_directory["select.svg"]);
        // Five criteria, three candidates each.
        Assert.Equal(15, svg.Elements().Count(element => element.Name.LocalName == "circle"));
        Assert.Equal(5, svg.Elements().Count(element => (string?)element.Attribute("r") == "5"));
    }

    [Theory]
    [InlineData("--components cannot be read", "--components", "3..1")]
    [InlineData("--components cannot be read", "--components", "many")]
    [InlineData("--folds must be 0, or from 2 to 100.", "--folds", "1")]
    [InlineData("did you mean '--folds'", "--fold", "3")]
    public async Task Select_AWrongCall_IsRefused(string message, params string[] args)
    {
        CommandRun run = await CommandRun.Of(SelectCommand.Create(), ["data.csv", .. args]);
        Assert.Equal(ExitCode.Usage, run.ExitCode);
        Assert.Contains(message, run.Error, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Select_NoFile_SaysSo() =>
        Assert.Equal(ExitCode.InputMissing, (await CommandRun.Of(SelectCommand.Create(), _directory["nothing.csv"])).ExitCode);

    private async Task<JsonElement> Select(params string[] args)
    {
        CommandRun run = await CommandRun.Of(
            SelectCommand.Create(), [_directory["data.csv"], "--features", "x,y", "--json", .. args]);
        Assert.True(run.ExitCode == ExitCode.Ok, run.Error);
        return JsonDocument.Parse(run.Output).RootElement;
    }

    /// <summary>
    /// Three round clouds, ten standard deviations apart, of points that fill the plane evenly (the R2 sequence, taken to normals): AIC
    /// takes what the noise of a sample offers it.
    /// </summary>
    private void WriteClusters(string file, int count)
    {
        var text = new StringBuilder("x,y\n");
        for (int row = 0; row < count; row++)
        {
            int k = row * 7 % 3, point = row / 3 + 1;
            double u = (point * 0.7548776662466927 + k * 0.33) % 1, v = (point * 0.5698402909980532 + k * 0.71) % 1;
            double radius = Math.Sqrt(-2 * Math.Log(1 - u)), x = radius * Math.Cos(2 * Math.PI * v), y = radius * Math.Sin(2 * Math.PI * v);
            text.Append(CultureInfo.InvariantCulture, $"{(k == 1 ? 10 : 0) + x:F4},{(k == 2 ? 10 : 0) + y:F4}\n");
        }

        File.WriteAllText(_directory[file], text.ToString());
    }
}
