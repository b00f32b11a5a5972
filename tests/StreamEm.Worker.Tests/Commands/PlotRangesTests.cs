using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Xml.Linq;
using StreamEm.Worker.Commands;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Commands;

/// <summary>How sure the probabilities of a picture are: in stacked bars, in passages, in matrices.</summary>
public sealed class PlotRangesTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public PlotRangesTests()
    {
        var text = new StringBuilder("level,a,b,c\n");
        int state = 0;
        for (int row = 0; row < 4000; row++)
        {
            if (row * 7919 % 104729 % 13 == 0) state = 1 - state;
            string Level(int salt, string likely, string other) => (row * salt % 10007 % 10 < 8) == (state == 0) ? likely : other;
            text.Append(CultureInfo.InvariantCulture,
                $"{(state == 0 ? 0 : 6) + row * 37 % 101 / 50.0 - 1:F3},{Level(31, "up", "down")},{Level(57, "left", "right")},"
                    + $"{Level(83, "in", "out")}\n");
        }

        File.WriteAllText(_directory["data.csv"], text.ToString());
    }

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Plot_StackedBars_HaveWhiskersFromTheBeginningOfEachSegment()
    {
        XElement svg = await Plot("[a, b, c]", "{ type: categorical_mixture, components: 2 }", data: true);

        JsonElement of = Intervals("probabilities.a");
        double[] low = Numbers(of, "lower"), high = Numbers(of, "upper");
        XElement[] segments = [.. Named(svg, "g").Where(group => Title(group) is { } title
            && (title.StartsWith("up: ", StringComparison.Ordinal) || title.StartsWith("down: ", StringComparison.Ordinal)))];
        Assert.Equal(4, segments.Length);
        // Segments of a component stand side by side; the longest pair of ends is as long as the snapshot says.
        double width = segments.Take(2).Sum(segment => Number(Named(segment, "rect").Single(), "width"));
        double[] lengths = [.. Named(svg, "line").Where(line => (string?)line.Attribute("stroke") == "#111"
            && Number(line, "y1") == Number(line, "y2")).Select(line => Number(line, "x2") - Number(line, "x1"))];
        Assert.Equal(12, lengths.Length);
        Assert.All(Named(svg, "line").Where(line => (string?)line.Attribute("stroke") == "#111"),
            line => Assert.InRange(Number(line, "x2"), 222, 936));
        for (int entry = 0; entry < 4; entry++)
            Assert.Contains(lengths, length => Math.Abs(length - (high[entry] - low[entry]) * width) < 0.3);
        Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"{100 * low[0]:F1} – {100 * high[0]:F1} %"),
            string.Join('\n', segments.Select(Title)), StringComparison.Ordinal);
        Assert.Contains(Texts(svg), text => text.Contains("of segments from where each begins", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Plot_Passages_HaveTheirEndsInTheCells()
    {
        XElement svg = await Plot("[level]", "{ type: hidden_markov, states: 2, emission: { gaussian: {} } }", data: true);

        JsonElement of = Intervals("transmat");
        string[] ends = [.. Numbers(of, "lower").Zip(Numbers(of, "upper"), (low, high) =>
            string.Create(CultureInfo.InvariantCulture, $"{low:F3}–{high:F3}"))];
        Assert.Equal(4, ends.Distinct().Count());
        Assert.Empty(ends.Except(Texts(svg)));
        Assert.Equal(4, Named(svg, "g").Count(group =>
            ends.Any(end => Title(group)?.EndsWith($", {end}", StringComparison.Ordinal) == true)));
    }

    [Fact]
    public async Task Plot_RowsOfProbabilities_HaveWhiskersOnEveryBar()
    {
        XElement svg = await Plot("[a, b]", "{ type: bayesian_network, nodes: { b: { parents: [a] } } }", data: false);

        JsonElement of = Intervals("probabilities.b");
        double[] widths = [.. Numbers(of, "lower").Zip(Numbers(of, "upper"), (low, high) => high - low)];
        double[] lengths = [.. Named(svg, "line").Where(line => (string?)line.Attribute("stroke") == "#333"
            && Number(line, "y1") == Number(line, "y2")).Select(line => Number(line, "x2") - Number(line, "x1")).TakeLast(4)];
        // Bars begin at the largest entry of a row: a scale for all of them.
        Assert.Equal(widths.Max() / widths.Min(), lengths.Max() / lengths.Min(), 0.05);
        Assert.Single(Texts(svg), "whiskers: 95 % at every look; bars: the share of the row, the largest first");
    }

    private async Task<XElement> Plot(string features, string model, bool data)
    {
        await File.WriteAllTextAsync(_directory["streamem.yaml"], $$"""
            models:
              - id: plotted
                source: { file: { path: [{{_directory["data.csv"]}}] } }
                features: {{features}}
                model: {{model}}
                learning: { intervals: true, minibatch: { size: 100 }, initialization: { buffer: 400 } }
            """);
        CommandRun fit = await CommandRun.Of(FitCommand.Create(), [_directory["data.csv"], "-c", _directory["streamem.yaml"], "-o",
            _directory["snapshot.json"], "--passes", "3"]);
        Assert.Equal((0, ""), (fit.ExitCode, fit.Error));
        string[] records = data ? [_directory["data.csv"]] : [];
        CommandRun plot = await CommandRun.Of(PlotCommand.Create(),
            [_directory["snapshot.json"], .. records, "-o", _directory["picture.svg"]]);
        Assert.Equal((0, ""), (plot.ExitCode, plot.Error));
        return DrawnPicture.Load(_directory["picture.svg"]);
    }

    private JsonElement Intervals(string block)
    {
        using JsonDocument snapshot = JsonDocument.Parse(File.ReadAllText(_directory["snapshot.json"]));
        return snapshot.RootElement.GetProperty("intervals").GetProperty("parameters").GetProperty(block).Clone();
    }

    private static double[] Numbers(JsonElement of, string name) =>
        [.. of.GetProperty(name).EnumerateArray().Select(number => number.GetDouble())];

    private static IEnumerable<XElement> Named(XElement svg, string name) =>
        svg.Descendants().Where(element => element.Name.LocalName == name);

    private static string? Title(XElement group) =>
        group.Elements().FirstOrDefault(element => element.Name.LocalName == "title")?.Value;

    private static string[] Texts(XElement svg) => [.. Named(svg, "text").Select(element => element.Value)];

    private static double Number(XElement element, string attribute) =>
        double.Parse((string)element.Attribute(attribute)!, CultureInfo.InvariantCulture);
}
