using System.Globalization;
using System.Text;
using System.Xml.Linq;
using StreamEm.Worker.Commands;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Commands;

public sealed class PlotTests : IDisposable
{
    private const string Mixed =
        "{ type: mixture, components: 2, emissions: [{ gaussian: { features: [x, y] } }, { bernoulli: { features: [on] } }, "
            + "{ categorical: { features: [state] } }] }";

    private readonly TemporaryDirectory _directory = new();

    public PlotTests()
    {
        var text = new StringBuilder("x,y,on,state,device\n");
        for (int row = 0; row < 600; row++)
        {
            int k = row / 7 % 2;
            string state = (row * 31 % 10 < 8 ? k : 1 - k) == 0 ? "idle & cold" : "busy";
            text.Append(CultureInfo.InvariantCulture, $"{10 * k + row * 37 % 11 * 0.1:F2},{-5 * k + row * 53 % 13 * 0.1:F2},")
                .Append(CultureInfo.InvariantCulture, $"{(row * 17 % 10 < 9 ? k : 1 - k)},{state},d{row % 3}\n");
        }

        File.WriteAllText(_directory["data.csv"], text.ToString());
    }

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Plot_FeaturesThatAreNumbers_DrawsRecordsAndCurves()
    {
        XElement svg = await Plot("[x, y]", "{ type: gaussian_mixture, components: 2 }");

        Assert.Equal(4, svg.Descendants().Count(element => element.Name.LocalName == "polyline"));
        Assert.True(svg.Descendants().Count(element => element.Name.LocalName == "circle") > 600, "Records are missing.");
        Assert.Contains("0", Texts(svg));
        Assert.DoesNotContain("-0", Texts(svg));
    }

    [Fact]
    public async Task Plot_ComponentsInOnePlace_HaveLabelsOneBelowTheOther()
    {
        XElement svg = await Plot("[x, y]", "{ type: gaussian_mixture, components: 14 }");

        XElement[] labels = [.. svg.Descendants().Where(element => (string?)element.Attribute("font-weight") == "bold")];
        (double X, double Y, double Width)[] places = [.. labels.Select(label => (
            double.Parse((string)label.Attribute("x")!, CultureInfo.InvariantCulture),
            double.Parse((string)label.Attribute("y")!, CultureInfo.InvariantCulture), label.Value.Length * 13 * 0.56))];
        Assert.True(places.Length > 10, $"{places.Length} labels");
        for (int i = 0; i < places.Length; i++)
            for (int j = 0; j < i; j++)
                Assert.False(Math.Abs(places[i].X - places[j].X) < (places[i].Width + places[j].Width) / 2 - 0.2
                    && Math.Abs(places[i].Y - places[j].Y) < 12.9, $"{labels[i].Value} lies over {labels[j].Value}");
    }

    [Fact]
    public async Task Plot_MixedRecords_DrawsAPanelPerFeature()
    {
        XElement svg = await Plot("[x, y, on, state]", Mixed);

        string[] texts = Texts(svg);
        Assert.Empty(new[] { "x", "y", "on", "state", "idle & cold", "busy", "c0", "c1", "records" }.Except(texts));
        Assert.Equal("plotted, version 6: 2 components learned from 600 records", texts[0]);
        // A bar of two levels is as wide for one component as for the other: probabilities sum to 1.
        double[] widths = [.. svg.Elements().Where(element => (string?)element.Attribute("height") == "20.0")
            .GroupBy(element => (string?)element.Attribute("y"))
            .Select(bar => bar.Sum(segment => double.Parse((string)segment.Attribute("width")!, CultureInfo.InvariantCulture)))];
        Assert.Equal(2, widths.Length);
        Assert.Equal(widths[0], widths[1], 0.2);
        Assert.True(widths[0] > 100, $"The bars are {widths[0]} wide.");
    }

    [Fact]
    public async Task Plot_TwoNumbersOfMixedRecords_DrawsRecords()
    {
        XElement svg = await Plot("[x, y, on, state]", Mixed, "--x", "y", "--y", "x");

        Assert.Equal(4, svg.Descendants().Count(element => element.Name.LocalName == "polyline"));
        Assert.Empty(new[] { "x", "y" }.Except(Texts(svg)));
    }

    [Fact]
    public async Task Plot_ProfileOfAHiddenMarkovModel_DrawsThePassages()
    {
        XElement svg = await Plot("[x, y]", "{ type: hidden_markov, states: 2, max_keys: 512 }", "--profile");

        Assert.Contains("transmat: from the row to the column", Texts(svg));
        Assert.DoesNotContain(svg.Descendants(), element => element.Name.LocalName == "polyline");
    }

    /// <summary>Three keys of 200 records each: a band and a line each in every panel, and a point for every record of a feature.</summary>
    [Fact]
    public async Task Plot_PathsOfAStateSpace_DrawsStateAndRecordsOfEveryKey()
    {
        XElement svg = await Plot("[x, y]", "{ type: linear_gaussian_state_space, state_dimension: 1, max_keys: 512 }");

        Assert.Equal(["d0", "d1", "d2"], Texts(svg).Where(text => text is ['d', _]));
        Assert.Contains("latent: filtered, with its 95 % interval", Texts(svg));
        Assert.Equal((9, 9), (Count(svg, "polyline"), Count(svg, "polygon")));
        Assert.Equal(2 * 600, Count(svg, "circle"));
        XElement line = svg.Descendants().First(element => element.Name.LocalName == "polyline");
        Assert.Equal(200, ((string)line.Attribute("points")!).Split(' ').Length);
    }

    [Fact]
    public async Task Plot_PathsOfAStateSpace_IntervalsAreAsWideAsTheScoresSay()
    {
        XElement svg = await Plot("[x]", "{ type: linear_gaussian_state_space, form: local_level, max_keys: 512 }");
        CommandRun scored = await CommandRun.Of(
            ScoreCommand.Create(), _directory["snapshot.json"], _directory["data.csv"], "--format", "ndjson");
        double[] deviations = [.. scored.Output.TrimEnd('\n').Split('\n').Take(597).Where((_, row) => row % 3 == 0)
            .Select(line => System.Text.Json.JsonDocument.Parse(line).RootElement.GetProperty("prediction_variance")[0].GetDouble())
            .Select(Math.Sqrt)];

        // The band goes along its upper edge, then back along the lower one; a pixel is the same everywhere.
        double[] band = [.. ((string)svg.Descendants().Where(element => element.Name.LocalName == "polygon").ElementAt(3)
            .Attribute("points")!).Split(' ').Select(point => double.Parse(point.Split(',')[1], CultureInfo.InvariantCulture))];
        double Width(int t) => band[^(t + 1)] - band[t];
        Assert.Equal(400, band.Length);
        Assert.Equal(deviations[50] / deviations[2], Width(50) / Width(2), 0.02);
    }

    [Fact]
    public async Task Plot_AxisThatHoldsLevels_SaysWhichFeaturesHoldNumbers()
    {
        await Fit("[x, y, on, state]", Mixed);

        CommandRun run = await Run("--x", "state");

        Assert.Equal(ExitCode.Usage, run.ExitCode);
        Assert.Contains(
            "Feature 'state' holds levels; --x and --y take features that hold numbers: x, y.", run.Error, StringComparison.Ordinal);
    }

    private static int Count(XElement svg, string name) => svg.Descendants().Count(element => element.Name.LocalName == name);

    private static string[] Texts(XElement svg) =>
        [.. svg.Descendants().Where(element => element.Name.LocalName == "text").Select(element => element.Value)];

    private async Task<XElement> Plot(string features, string model, params string[] options)
    {
        await Fit(features, model);
        CommandRun run = await Run(options);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        return DrawnPicture.Load(_directory["picture.svg"]);
    }

    private async Task Fit(string features, string model)
    {
        await File.WriteAllTextAsync(_directory["streamem.yaml"], $$"""
            models:
              - id: plotted
                source: { file: { path: [{{_directory["data.csv"]}}] } }
                features: {{features}}
                {{(model.Contains("max_keys", StringComparison.Ordinal) ? "key: device" : "")}}
                model: {{model}}
                learning: { recursion: statistics, minibatch: { size: 100 }, initialization: { buffer: 300 } }
            """);
        CommandRun run = await CommandRun.Of(
            FitCommand.Create(), _directory["data.csv"], "-c", _directory["streamem.yaml"], "-o", _directory["snapshot.json"]);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
    }

    private Task<CommandRun> Run(params string[] options) => CommandRun.Of(
        PlotCommand.Create(), [_directory["snapshot.json"], _directory["data.csv"], "-o", _directory["picture.svg"], .. options]);
}
