using System.Globalization;
using System.Text;
using System.Xml.Linq;
using StreamEm.Worker.Commands;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Commands;

/// <summary>Pictures of models without components: what they have learned, block by block.</summary>
public sealed class PlotBlocksTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public PlotBlocksTests()
    {
        var text = new StringBuilder("a,b,y,rain,wet,words\n");
        for (int row = 0; row < 400; row++)
        {
            double a = row * 37 % 101 * 0.1, b = row * 53 % 89 * 0.1, noise = row * 29 % 11 * 0.01;
            int rain = row % 3 == 0 ? 1 : 0, wet = row % 10 == 0 ? 1 - rain : rain;
            text.Append(CultureInfo.InvariantCulture, $"{a:F2},{b:F2},{2 * a - 3 * b + noise:F3},{rain},{wet},")
                .Append(row % 2 == 0 ? "pump valve leak pump\n" : "router switch packet router\n");
        }
        File.WriteAllText(_directory["data.csv"], text.ToString());
    }

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Plot_Regression_DrawsCoefficientsByNameWithTheirDeviations()
    {
        XElement svg = await Plot("features: [a, b]\n    target: y", "{ type: bayesian_linear_regression }");

        string[] texts = Texts(svg);
        Assert.Empty(new[] { "coefficients", "intercept", "a", "b", "alpha", "lambda", "whiskers: two standard deviations to either side" }
            .Except(texts));
        Assert.Equal("plotted, version 4: bayesian_linear_regression learned from 400 records", texts[0]);
        // a leads up and b down: their bars lie on either side of the same line.
        XElement[] bars = [.. svg.Elements().Where(
            element => element.Name.LocalName == "rect" && (string?)element.Attribute("height") == "12.0")];
        Assert.Equal(3, bars.Length);
        Assert.Equal(Right(bars[2]), Left(bars[1]), 0.2);
        Assert.NotEqual((string?)bars[1].Attribute("fill"), (string?)bars[2].Attribute("fill"));
    }

    [Fact]
    public async Task Plot_Topics_DrawsTheLargestTermsOfEach()
    {
        XElement svg = await Plot("features: [words]", "{ type: latent_dirichlet_allocation, topics: 2 }");

        Assert.Empty(new[] { "pump", "router", "bars: the share of the row, the largest first" }.Except(Texts(svg)));
    }

    [Fact]
    public async Task Plot_Network_DrawsTheTableOfEveryNode()
    {
        XElement svg = await Plot("features: [rain, wet]",
            "{ type: bayesian_network, nodes: { rain: { levels: 2 }, wet: { levels: 2, parents: [rain] } } }");

        Assert.Empty(new[] { "probabilities.rain", "probabilities.wet" }.Except(Texts(svg)));
    }

    [Fact]
    public async Task Plot_ModelWithoutComponentsOverData_IsRefused()
    {
        await Fit("features: [a, b]\n    target: y", "{ type: bayesian_linear_regression }");

        CommandRun run = await CommandRun.Of(
            PlotCommand.Create(), _directory["snapshot.json"], _directory["data.csv"], "-o", _directory["picture.svg"]);

        Assert.Equal(ExitCode.Usage, run.ExitCode);
        Assert.Contains("leave the data out, and its parameters are drawn", run.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(_directory["picture.svg"]));
    }

    private static double Left(XElement bar) => double.Parse((string)bar.Attribute("x")!, CultureInfo.InvariantCulture);

    private static double Right(XElement bar) => Left(bar) + double.Parse((string)bar.Attribute("width")!, CultureInfo.InvariantCulture);

    private static string[] Texts(XElement svg) =>
        [.. svg.Descendants().Where(element => element.Name.LocalName == "text").Select(element => element.Value)];

    private async Task<XElement> Plot(string schema, string model)
    {
        await Fit(schema, model);
        CommandRun run = await CommandRun.Of(PlotCommand.Create(), _directory["snapshot.json"], "-o", _directory["picture.svg"]);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        return DrawnPicture.Load(_directory["picture.svg"]);
    }

    private async Task Fit(string schema, string model)
    {
        await File.WriteAllTextAsync(_directory["streamem.yaml"], $$"""
            models:
              - id: plotted
                source: { file: { path: [{{_directory["data.csv"]}}] } }
            {{"    " + schema}}
                model: {{model}}
                learning: { minibatch: { size: 100 }, initialization: { buffer: 100 } }
            """);
        CommandRun run = await CommandRun.Of(
            FitCommand.Create(), _directory["data.csv"], "-c", _directory["streamem.yaml"], "-o", _directory["snapshot.json"]);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
    }
}
