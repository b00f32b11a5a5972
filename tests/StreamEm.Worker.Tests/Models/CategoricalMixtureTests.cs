using System.Text.Json;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Models;

/// <summary>Levels that are texts, through the real executable.</summary>
public sealed class CategoricalMixtureTests
{
    private const int Rows = 6000;

    private const string Model = """
        features: [colour, size, grade, place]
        model: { type: categorical_mixture, components: 2 }
        """;

    private static readonly string[] Features = ["colour", "size", "grade", "place"];

    private static readonly string[][] Levels =
        [["red", "gr\u00FCn", "blue, dark"], ["1", "2.5", "XL"], ["a", "b", "c"], ["here", "there", "nowhere"]];

    [Fact]
    public async Task Run_LevelsAsCsvAndAsNdjson_LearnsTheSameAndSaysTheLevels()
    {
        using var csv = Csv(Draw());
        using var ndjson = new ModelFolder(Model, "{ file: { path: [data.ndjson], format: ndjson } }");
        ndjson.Write("data.ndjson",
            Draw().Select(row => "{" + string.Join(',', row.Select((level, f) => $"\"{Features[f]}\":{Json(Levels[f][level])}")) + "}"));

        await csv.Run();
        await ndjson.Run();

        JsonElement learned = csv.Published;
        Assert.Equal(learned.GetProperty("parameters").GetRawText(), ndjson.Published.GetProperty("parameters").GetRawText());
        Assert.Equal(learned.GetProperty("signature").GetRawText(), ndjson.Published.GetProperty("signature").GetRawText());
        for (int f = 0; f < Features.Length; f++)
            Assert.Equal(Draw().Select(row => Levels[f][row[f]]).Distinct(), learned.Levels(Features[f]));
        AssertFound(learned);
    }

    [Fact]
    public async Task Score_UnknownLevel_CountsAsMissing()
    {
        using ModelFolder folder = Csv(Draw());
        folder.Write("some.csv", ["place,size,colour,grade", ",XL,red,NA", ",XL,purple,", ",XL,,", "here,,red,a", "far,huge,purple,0"]);
        await folder.Run();

        JsonElement[] scores = await folder.Score("some.csv");

        JsonElement learned = folder.Published;
        double[] weights = learned.Parameter("weights");
        double Of(string feature, int k, string level)
        {
            string?[] levels = learned.Levels(feature);
            return learned.Parameter($"probabilities.{feature}")[k * levels.Length + Array.IndexOf(levels, level)];
        }

        Assert.Equal(Math.Log(Enumerable.Range(0, 2).Sum(k => weights[k] * Of("size", k, "XL") * Of("colour", k, "red"))),
            scores[0].Number("log_density"), 1e-9);
        Assert.Equal(Math.Log(Enumerable.Range(0, 2).Sum(k => weights[k] * Of("size", k, "XL"))), scores[1].Number("log_density"), 1e-9);
        Assert.Equal(scores[2].GetProperty("responsibilities").GetRawText(), scores[1].GetProperty("responsibilities").GetRawText());
        Assert.Equal(scores[2].Number("log_density"), scores[1].Number("log_density"));
        Assert.Equal(0, scores[4].Number("log_density"), 1e-12);
        Assert.Equal(weights, scores[4].GetProperty("responsibilities").Numbers().Zip(weights, (r, w) => Math.Abs(r - w) < 1e-12 ? w : r));
    }

    [Fact]
    public async Task Run_FromASnapshot_KeepsItsLevelsAndTheirOrder()
    {
        int[][] rows = Draw();
        using ModelFolder first = Csv(rows);
        await first.Run();
        // Here the levels come in another order, and one that is none.
        using var second = new ModelFolder(Model, initialization: "{ from: first.json }");
        second.Write("data.csv", [string.Join(',', Features), "purple,XL,a,here", .. rows.Skip(1).Reverse().Select(Line)]);
        await first.Succeed("inspect", "out.ndjson", "-o", second["first.json"]);

        await second.Run();

        JsonElement went = second.Published;
        Assert.Equal(first.Published.GetProperty("signature").GetRawText(), went.GetProperty("signature").GetRawText());
        AssertFound(went);
        Assert.Equal(
            "feature 'colour' held 1 value(s) that are none of its 3 levels; they count as missing. Use a larger initialization.buffer or "
                + "max_levels.",
            Assert.Single(went.GetProperty("training").GetProperty("warnings").EnumerateArray()).GetString());
    }

    [Fact]
    public async Task Run_FromParametersWithoutLevels_SaysWhatIsMissing()
    {
        using var folder = new ModelFolder(Model, initialization: "{ from: start.json }");
        folder.Write("data.csv", [string.Join(',', Features), "red,XL,a,here"]);
        folder.Write("start.json", ["""{"parameters":{"weights":{"shape":[2],"data":[0.5,0.5]}}}"""]);

        (int code, string output, string errors) = await WorkerProcess.Run(folder.Path, "run", "-c", "streamem.yaml", "--once");

        Assert.NotEqual(0, code);
        Assert.Contains("Initial parameters lack the levels of feature 'colour'", output + errors, StringComparison.Ordinal);
    }

    private static void AssertFound(JsonElement learned)
    {
        // As for flags: a standard error of at most 0.02.
        double[] weights = learned.Parameter("weights");
        int often = weights[0] > weights[1] ? 0 : 1;
        Assert.Equal(2.0 / 3, weights[often], 0.06);
        for (int f = 0; f < Features.Length; f++)
        {
            string?[] levels = learned.Levels(Features[f]);
            double[] p = learned.Parameter($"probabilities.{Features[f]}");
            Assert.Equal(0.8, p[often * 3 + Array.IndexOf(levels, Levels[f][0])], 0.06);
            Assert.Equal(0.8, p[(1 - often) * 3 + Array.IndexOf(levels, Levels[f][2])], 0.06);
        }
    }

    private static ModelFolder Csv(int[][] rows)
    {
        var folder = new ModelFolder(Model);
        folder.Write("data.csv", [string.Join(',', Features), .. rows.Select(Line)]);
        return folder;
    }

    private static string Line(int[] row) => string.Join(',', row.Select((level, f) => $"\"{Levels[f][level]}\""));

    /// <summary>A number where it is one, in another spelling than in CSV.</summary>
    private static string Json(string level) => level switch { "1" => "1.0", "2.5" => "2.50", _ => $"\"{level}\"" };

    /// <summary>
    /// Two kinds of rows, two thirds of the first: their first or their last level with probability 0.8, the others with 0.1.
    /// </summary>
    private static int[][] Draw()
    {
        var random = new Random(3);
        return [.. Enumerable.Range(0, Rows).Select(_ => random.Next(3) > 0).Select(first => Features.Select(_ => Level(first)).ToArray())];

        int Level(bool first)
        {
            int level = random.Next(10) is var at && at < 8 ? 0 : at - 7;
            return first ? level : 2 - level;
        }
    }
}
