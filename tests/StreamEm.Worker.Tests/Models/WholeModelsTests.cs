using System.Globalization;
using System.Text.Json;
using StreamEm.Worker.Commands;
using StreamEm.Worker.Tests.Commands;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Models;

/// <summary>Models that are no mixtures of families, from a file of records to what is said of them.</summary>
public sealed class WholeModelsTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly Random _random = new(5);

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task HierarchicalNormal_Polls_ScoresAndDrawsStatesTogether()
    {
        double[] states = [0.42, 0.47, 0.5, 0.53, 0.58], houses = [-0.02, 0, 0.02];
        IEnumerable<string> Rows()
        {
            for (int row = 0; row < 1500; row++)
            {
                int state = _random.Next(5), house = _random.Next(3);
                double error = 0.02 + 0.02 * _random.NextDouble();
                yield return Line($"{states[state] + houses[house] + error * Normal():F5},{error:F5},s{state},h{house}");
            }
        }
        await Fit("share,se,state,house", Rows(), """
            features: [share, se, state, house]
            model: { type: hierarchical_normal, group: state, effects: house, shared: 0.02 }
            """);

        JsonElement[] scores = await Score("share,se,state,house", ["0.5,0.03,s1,h1", "0.9,0.03,s1,h1", ",,s4,", "0.5,0.03,nowhere,h1"]);
        Assert.Equal(0.47, scores[0].Number("shrunken_estimate"), 0.025);
        Assert.True(scores[0].Number("log_density") > scores[1].Number("log_density") + 10);
        Assert.Equal(0.58, scores[2].Number("shrunken_estimate"), 0.025);
        Assert.InRange(scores[3].Number("shrunken_variance"), 0.0005, 0.02);

        CommandRun drawn = await CommandRun.Of(SampleCommand.Create(), _directory["snapshot.json"], "-n", "10");
        string[] lines = drawn.Output.TrimEnd('\n').Split('\n');
        Assert.Equal("share,se,state,house", lines[0]);
        Assert.Equal(lines[1..6].Select(line => line.Split(',')[2]), lines[6..].Select(line => line.Split(',')[2]));
        Assert.All(lines[1..], line => Assert.EndsWith(",", line, StringComparison.Ordinal));
        string shown = (await CommandRun.Of(InspectCommand.Create(), _directory["snapshot.json"])).Output;
        Assert.Contains("effects [8]", shown, StringComparison.Ordinal);
        Assert.Contains("s4 0.", shown, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Validate_HierarchyOfGroupsInTheParameterRecursion_IsRefusedWithTheReason()
    {
        Configure("""
            features: [share, se, state]
            model: { type: hierarchical_normal, group: state }
            learning: { recursion: parameters }
            """);
        CommandRun run = await CommandRun.Of(ValidateCommand.Create(), "-c", _directory["streamem.yaml"]);
        Assert.Equal(Failures.ExitCode.Configuration, run.ExitCode);
        Assert.Contains("recursion: parameters is not for hierarchical_normal: ", run.Output + run.Error, StringComparison.Ordinal);
        Assert.Contains("the statistics recursion keeps the moments of the data", run.Output + run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task BayesianNetwork_HiddenCause_ScoresWhatIsHiddenAndMissing()
    {
        IEnumerable<string> Rows()
        {
            for (int row = 0; row < 4000; row++)
            {
                bool cause = _random.NextDouble() < 0.4;
                string Sign(double withCause, string yes, string no) => _random.NextDouble() < 0.1 ? ""
                    : _random.NextDouble() < (cause ? withCause : 1 - withCause) ? yes : no;
                yield return $"{Sign(0.9, "loud", "quiet")},{Sign(0.8, "strong", "weak")},{Sign(0.85, "hot", "cold")}";
            }
        }
        await Fit("noise,vibration,heat", Rows(), """
            features: [noise, vibration, heat]
            model:
              type: bayesian_network
              nodes: { cause: { levels: 2 }, noise: { parents: [cause] }, vibration: { parents: [cause] }, heat: { parents: [cause] } }
            """);

        JsonElement[] scores = await Score("noise,vibration,heat", ["loud,strong,hot", "quiet,weak,cold", "loud,strong,", ",,"]);
        double[][] causes = [.. scores.Select(score => score.GetProperty("marginals.cause").Numbers())];
        Assert.All(causes, cause => Assert.Equal(1, cause.Sum(), 1e-9));
        int state = causes[0][0] > causes[0][1] ? 0 : 1;
        Assert.True(causes[0][state] > 0.95 && causes[1][state] < 0.05, $"{causes[0][state]} {causes[1][state]}");
        Assert.True(causes[2][state] > 0.9);
        JsonElement snapshot = JsonDocument.Parse(await File.ReadAllTextAsync(_directory["snapshot.json"])).RootElement;
        int hot = Array.IndexOf(snapshot.Levels("heat"), "hot");
        Assert.InRange(scores[2].GetProperty("marginals.heat").Numbers()[hot], 0.7, 0.95);
        Assert.Equal(0, scores[3].Number("log_density"));
        string shown = (await CommandRun.Of(InspectCommand.Create(), _directory["snapshot.json"])).Output;
        Assert.Contains("cause = 0", shown, StringComparison.Ordinal);
    }

    [Fact]
    public async Task VariationalMixture_ThreeClouds_SaysHowSureItIs()
    {
        await Fit("x,y", Enumerable.Range(0, 4000).Select(row => Line($"{row % 3 * 8 + Normal():F4},{row % 3 % 2 * 8 + Normal():F4}")), """
            features: [x, y]
            model: { type: variational_gaussian_mixture, components: 9 }
            """);
        JsonElement snapshot = JsonDocument.Parse(await File.ReadAllTextAsync(_directory["snapshot.json"])).RootElement;
        double[] weights = snapshot.Parameter("weights"), std = snapshot.Parameter("means_std");
        Assert.Equal(3, weights.Count(weight => weight > 0.02));
        for (int k = 0; k < 9; k++)
            if (weights[k] > 0.02) Assert.InRange(std[2 * k], 0.01, 0.1);
        Assert.Equal(snapshot.GetProperty("training").Number("mean_log_likelihood"),
            snapshot.GetProperty("training").Number("mean_lower_bound"));
        JsonElement score = Assert.Single(await Score("x,y", ["8.1,7.9"]));
        Assert.Equal(1, score.GetProperty("responsibilities").Numbers().Max(), 1e-6);
    }

    [Theory]
    [InlineData("batch")]
    [InlineData("incremental")]
    [InlineData("over_relaxed")]
    [InlineData("spider")]
    public async Task VariationalMixture_EveryEngine_EmptiesWhatIsNotNeeded(string engine)
    {
        await Fit("x,y", Enumerable.Range(0, 1500).Select(row => Line($"{row % 3 * 8 + Normal():F4},{row % 3 % 2 * 8 + Normal():F4}")), """
            features: [x, y]
            model: { type: variational_gaussian_mixture, components: 6 }
            """, "--engine", engine);
        JsonElement snapshot = JsonDocument.Parse(await File.ReadAllTextAsync(_directory["snapshot.json"])).RootElement;
        Assert.Equal(3, snapshot.Parameter("weights").Count(weight => weight > 0.02));
    }

    [Fact]
    public async Task MatrixFactorization_SingleRatings_PredictsEachByThoseBefore()
    {
        double[] users = [.. Enumerable.Range(0, 200).Select(_ => Normal())], items = [1.2, -1, 0.8, -0.7, 1.5, 0.2];
        IEnumerable<string> Rows()
        {
            for (int row = 0; row < 12_000; row++)
            {
                int user = _random.Next(200), item = _random.Next(6);
                yield return Line($"u{user},i{item},{3 + items[item] * users[user] + 0.3 * Normal():F4}");
            }
        }
        await Fit("user,item,stars", Rows(), """
            key: user
            features: [item, stars]
            model: { type: matrix_factorization, column: item, factors: 1, max_keys: 300 }
            """);

        JsonElement[] scores = await Score("user,item,stars", ["new,i4,5.4", "new,i0,4.8", "new,i1,", "new,unknown,"]);
        Assert.Equal(3, scores[0].Number("prediction"), 0.3);
        Assert.True(scores[0].Number("prediction_variance") > 5 * scores[2].Number("prediction_variance"));
        // By its two ratings the user is at 1.6 of the factor.
        Assert.Equal(3 - 1.6, scores[2].Number("prediction"), 0.35);
        Assert.Equal(3, scores[3].Number("prediction"), 0.3);
    }

    [Fact]
    public async Task MatrixFactorization_WholeRows_FillsMissingCells()
    {
        IEnumerable<string> Rows()
        {
            for (int row = 0; row < 3000; row++)
            {
                double user = Normal();
                string Cell(double loading) => _random.Next(4) == 0 ? "" : Line($"{2 + loading * user + 0.2 * Normal():F4}");
                yield return $"{Cell(1)},{Cell(-0.8)},{Cell(1.3)},{Cell(0.6)}";
            }
        }
        await Fit("a,b,c,d", Rows(), """
            features: [a, b, c, d]
            model: { type: matrix_factorization, factors: 1 }
            """);
        JsonElement score = Assert.Single(await Score("a,b,c,d", ["3,,,2.6"]));
        Assert.Equal(2 - 0.8, score.GetProperty("reconstruction").Numbers()[1], 0.25);
    }

    private async Task Fit(string header, IEnumerable<string> rows, string model, params string[] more)
    {
        await File.WriteAllLinesAsync(_directory["data.csv"], rows.Prepend(header));
        Configure(model + "\nlearning: { minibatch: { size: 100 }, initialization: { buffer: 600 } }");
        CommandRun run = await CommandRun.Of(FitCommand.Create(),
            [_directory["data.csv"], "-c", _directory["streamem.yaml"], "-o", _directory["snapshot.json"], .. more]);
        Assert.True(run.ExitCode == 0, run.Output + run.Error);
    }

    private async Task<JsonElement[]> Score(string header, IEnumerable<string> rows)
    {
        await File.WriteAllLinesAsync(_directory["some.csv"], rows.Prepend(header));
        CommandRun run =
            await CommandRun.Of(ScoreCommand.Create(), _directory["snapshot.json"], _directory["some.csv"], "--format", "ndjson");
        Assert.True(run.ExitCode == 0, run.Output + run.Error);
        return [.. run.Output.TrimEnd('\n').Split('\n').Select(line => JsonDocument.Parse(line).RootElement)];
    }

    private void Configure(string model) => File.WriteAllText(_directory["streamem.yaml"], $$"""
        models:
          - id: m
            source: { file: { path: [{{_directory["data.csv"]}}] } }
        {{string.Join('\n', model.Split('\n').Select(line => "    " + line))}}
            rejected: { file: {{_directory["rejected.ndjson"]}} }
        """);

    private double Normal() =>
        Math.Sqrt(-2 * Math.Log(1 - _random.NextDouble())) * Math.Cos(2 * Math.PI * _random.NextDouble());

    private static string Line(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
