using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Xml.Linq;
using StreamEm.Worker.Commands;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Commands;

/// <summary>Pictures other than a model over records: how it was learned, its centres as codes, how sure it is; axes and kinds of files.
/// </summary>
public sealed class PlotKindsTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public PlotKindsTests()
    {
        var text = new StringBuilder("x,y,count,target,p0,p1,p2,p3,p4,p5,p6,p7,p8\n");
        for (int row = 0; row < 1200; row++)
        {
            int k = row * 7 / 3 % 2;
            double noise = row * 37 % 101 / 50.0 - 1, other = row * 53 % 97 / 48.0 - 1;
            text.Append(CultureInfo.InvariantCulture, $"{(k == 0 ? 2 : 200) * (1 + 0.4 * noise):F3},{4 * k + other:F3},")
                .Append(CultureInfo.InvariantCulture, $"{(k == 0 ? 2 : 9) + row % 3},")
                .Append(noise + other + row * 29 % 13 * 0.1 > 0.6 ? 1 : 0);
            for (int pixel = 0; pixel < 9; pixel++)
                text.Append(CultureInfo.InvariantCulture, $",{(pixel % 2 == k ? 1 : 0) + 0.05 * (row * (pixel + 3) % 11):F2}");
            text.Append('\n');
        }
        File.WriteAllText(_directory["data.csv"], text.ToString());
    }

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Plot_OfAModelWithIntervals_DrawsWhiskersRoundTheMeans()
    {
        await Fit("[x, y]", "{ type: gaussian_mixture, components: 2, covariance_type: diag }", intervals: true, "--passes", "12");

        XElement svg = await Plot("--rings", "0");

        Assert.Contains("whiskers: 95 % at every look", Texts(svg));
        XElement[] whiskers = [.. Lines(svg).Where(line => (string?)line.Attribute("stroke") == "#111")];
        Assert.Equal(12, whiskers.Length);
        // As long as the snapshot says, in the units of the axis: that of x is the same for both components.
        double[] lengths = [.. whiskers.Where(line => Number(line, "y1") == Number(line, "y2"))
            .Select(line => Number(line, "x2") - Number(line, "x1")).Where(length => length != 8)];
        double[] widths = WidthsOf("means");
        Assert.Equal(2, lengths.Length);
        Assert.Equal(widths[0] / widths[2], lengths[0] / lengths[1], 0.2 * widths[0] / widths[2]);
        Assert.Equal(2, Texts(svg).Count(text => text.Contains(" – ", StringComparison.Ordinal) && text.EndsWith('%')));
    }

    [Fact]
    public async Task Plot_ProfileOfAModelWithIntervals_DrawsWhiskersOnTheBars()
    {
        await Fit("[count]", "{ type: poisson_mixture, components: 2 }", intervals: true, "--passes", "6");

        XElement svg = await Plot();

        Assert.Equal(6, Lines(svg).Count(line => (string?)line.Attribute("stroke") == "#111"));
        Assert.Contains(Texts(svg), text => text.Contains("black whiskers, small numbers: 95 % at every look", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Plot_CoefficientsWithIntervals_DrawsThemInsteadOfDeviations()
    {
        await Fit("[x, y]\n    target: target", "{ type: probit_regression }", intervals: true, "--passes", "8");

        XElement svg = await PlotOf("snapshot.json", data: false);

        Assert.Contains("whiskers: 95 % at every look", Texts(svg));
        Assert.Equal(9, Lines(svg).Count(line => (string?)line.Attribute("stroke") == "#333"));
    }

    [Fact]
    public async Task Plot_AxisInPowersOfTen_HasThemEquallyFarApart()
    {
        await Fit("[x, y]", "{ type: gaussian_mixture, components: 2 }");

        XElement svg = await Plot("--log", "x");

        double[] places = [.. new[] { "1", "10", "100" }.Select(text => Number(svg.Descendants()
            .Single(element => element.Value == text && Number(element, "y") > 540), "x"))];
        Assert.Equal(places[1] - places[0], places[2] - places[1], 0.2);
        Assert.True(places[1] - places[0] > 100, "The axis is short.");
    }

    [Fact]
    public async Task Plot_TraceOfALog_DrawsVersionsOverTheSameRecords()
    {
        await Fit("[x, y]", "{ type: gaussian_mixture, components: 2 }", intervals: false, "--passes", "3", "--history", _directory["log"]);

        XElement svg = await PlotOf("log", data: true, "--trace");

        Assert.Equal(6, svg.Descendants().Count(element => element.Name.LocalName == "clipPath"));
        string[] panels = [.. Texts(svg).Where(text => text.StartsWith("version ", StringComparison.Ordinal))];
        Assert.Equal(6, panels.Length);
        Assert.StartsWith("version 1: 100 records", panels[0], StringComparison.Ordinal);
        Assert.StartsWith("version 36: 3600 records", panels[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plot_TraceWithoutData_DrawsTheValuesOfEveryBlock()
    {
        await Fit("[x, y]", "{ type: gaussian_mixture, components: 2 }", intervals: false, "--history", _directory["log"]);

        XElement svg = await PlotOf("log", data: false, "--trace");

        Assert.Empty(new[] { "weights [2]", "means [2, 2]", "c0", "c1, y", "records learned from" }.Except(Texts(svg)));
    }

    [Fact]
    public async Task Plot_BoundOfALogAndOfATrace_DrawsTheLikelihoodAndWhatItIsMadeOf()
    {
        await Fit("[x, y]", "{ type: gaussian_mixture, components: 2 }", intervals: false, "--history", _directory["log"],
            "--trace", _directory["trace"]);

        string[] log = Texts(await PlotOf("log", data: false, "--bound")),
            trace = Texts(await PlotOf("trace", data: false, "--bound"));

        Assert.Empty(new[] { "energy", "entropy", "their sum", "Step size" }.Except(log));
        Assert.Contains("Step size", trace);
        Assert.DoesNotContain("entropy", trace);
    }

    [Fact]
    public async Task Plot_Codebook_DrawsSquareCentresAsPictures()
    {
        await Fit("[p0, p1, p2, p3, p4, p5, p6, p7, p8]", "{ type: gaussian_mixture, components: 2, covariance_type: spherical }");

        XElement svg = await Plot("--codebook");

        // Tiles of 104 pixels, three to a side, a little wider for the seams.
        XElement[] pixels = [.. svg.Elements().Where(
            element => element.Name.LocalName == "rect" && (string?)element.Attribute("width") == "35.0")];
        Assert.Equal(18, pixels.Length);
        Assert.NotEqual((string?)pixels[0].Attribute("fill"), (string?)pixels[1].Attribute("fill"));
        Assert.Contains(Texts(svg), text => text.Contains("1.00 bits a record", StringComparison.Ordinal));
        Assert.Contains(Texts(svg), text => text.Contains("mean squared distance of 1200 records", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("--graph --bound", "--graph and --bound are different pictures")]
    [InlineData("--log z", "--log 'z' names no axes; expected x, y or xy")]
    [InlineData("--codebook --log x", "--log is for records in two features: it goes without --codebook")]
    public async Task Plot_OptionsThatDoNotFit_AreRefused(string options, string message)
    {
        CommandRun run = await CommandRun.Of(
            PlotCommand.Create(), ["snapshot.json", "-o", _directory["picture.svg"], .. options.Split(' ')]);

        Assert.Equal(ExitCode.Usage, run.ExitCode);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
    }

    private static IEnumerable<XElement> Lines(XElement svg) => svg.Descendants().Where(element => element.Name.LocalName == "line");

    private static double Number(XElement element, string attribute) =>
        double.TryParse((string?)element.Attribute(attribute), CultureInfo.InvariantCulture, out double value) ? value : double.NaN;

    private static string[] Texts(XElement svg) =>
        [.. svg.Descendants().Where(element => element.Name.LocalName == "text").Select(element => element.Value)];

    private double[] WidthsOf(string block)
    {
        using JsonDocument snapshot = JsonDocument.Parse(File.ReadAllText(_directory["snapshot.json"]));
        JsonElement of = snapshot.RootElement.GetProperty("intervals").GetProperty("parameters").GetProperty(block);
        double[] Part(string name) => [.. of.GetProperty(name).EnumerateArray().Select(number => number.GetDouble())];
        return [.. Part("upper").Zip(Part("lower"), (high, low) => high - low)];
    }

    private Task<XElement> Plot(params string[] options) => PlotOf("snapshot.json", data: true, options);

    private async Task<XElement> PlotOf(string from, bool data, params string[] options)
    {
        string[] records = data ? [_directory["data.csv"]] : [];
        CommandRun run = await CommandRun.Of(
            PlotCommand.Create(), [_directory[from], .. records, "-o", _directory["picture.svg"], .. options]);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        return DrawnPicture.Load(_directory["picture.svg"]);
    }

    private async Task Fit(string features, string model, bool intervals = false, params string[] options)
    {
        string learning = intervals ? "intervals: true, minibatch: { size: 50 }" : "minibatch: { size: 100 }";
        await File.WriteAllTextAsync(_directory["streamem.yaml"], $$"""
            models:
              - id: plotted
                source: { file: { path: [{{_directory["data.csv"]}}] } }
                features: {{features}}
                model: {{model}}
                learning: { {{learning}}, initialization: { buffer: 300 } }
            """);
        CommandRun run = await CommandRun.Of(FitCommand.Create(),
            [_directory["data.csv"], "-c", _directory["streamem.yaml"], "-o", _directory["snapshot.json"], .. options]);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
    }
}
