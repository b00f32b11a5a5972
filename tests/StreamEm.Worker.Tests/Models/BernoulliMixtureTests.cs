using System.Text.Json;

namespace StreamEm.Worker.Tests.Models;

/// <summary>Flags through the real executable, as 0 and 1 and as false and true.</summary>
public sealed class BernoulliMixtureTests
{
    private const int Rows = 6000;

    private const string Model = """
        features: [a, b, c, d]
        model: { type: bernoulli_mixture, components: 2 }
        """;

    [Fact]
    public async Task Run_FlagsAsCsvAndAsNdjson_LearnsTheSameAndWhatIsThere()
    {
        using var csv = new ModelFolder(Model);
        using var ndjson = new ModelFolder(Model, "{ file: { path: [data.ndjson], format: ndjson } }");
        bool[][] rows = Draw();
        csv.Write("data.csv", ["a,b,c,d", .. rows.Select(row => string.Join(',', row.Select(flag => flag ? "1" : "0"))), "2,0,0,1"]);
        ndjson.Write("data.ndjson",
            [.. rows.Select(row => $"{{\"a\":{Word(row[0])},\"b\":{Word(row[1])},\"c\":{Word(row[2])},\"d\":{Word(row[3])}}}"),
                "{\"a\":0.5,\"b\":true,\"c\":true,\"d\":true}"]);

        await csv.Run();
        await ndjson.Run();

        JsonElement learned = csv.Published;
        Assert.Equal(learned.GetProperty("parameters").GetRawText(), ndjson.Published.GetProperty("parameters").GetRawText());
        Assert.Equal((Rows, "ok"),
            (learned.GetProperty("training").GetProperty("records").GetInt32(),
                learned.GetProperty("training").GetProperty("status").GetString()));
        // 6000 rows, 4000 and 2000 of a kind, and steps that give the last minibatches the most weight: n_eff about 2700, a standard error
        // of at most 0.017.
        double[] p = learned.Parameter("probabilities"), weights = learned.Parameter("weights");
        int often = weights[0] > weights[1] ? 0 : 1;
        Assert.Equal(2.0 / 3, weights[often], 0.06);
        Assert.All(Enumerable.Range(0, 4), d => Assert.Equal(d < 2 ? 0.9 : 0.1, p[often * 4 + d], 0.06));
        Assert.All(Enumerable.Range(0, 4), d => Assert.Equal(d < 2 ? 0.1 : 0.9, p[(1 - often) * 4 + d], 0.06));
        Assert.Equal("out_of_range", csv.LinesOf("rejected.ndjson").Single().GetProperty("reason").GetString());
        Assert.Equal("out_of_range", ndjson.LinesOf("rejected.ndjson").Single().GetProperty("reason").GetString());
    }

    [Fact]
    public async Task Snapshot_OfFlags_IsScoredAndInspected()
    {
        using var folder = new ModelFolder(Model);
        folder.Write("data.csv", ["a,b,c,d", .. Draw().Select(row => string.Join(',', row.Select(flag => flag ? "1" : "0")))]);
        folder.Write("some.ndjson",
            ["{\"a\":true,\"b\":1,\"c\":false,\"d\":null}", "{\"a\":2,\"b\":1,\"c\":false,\"d\":0}",
                "{\"a\":0,\"b\":\"false\",\"c\":1,\"d\":true}"]);
        await folder.Run();

        JsonElement[] scores = await folder.Score("some.ndjson");
        string shown = await folder.Succeed("inspect", "out.ndjson");

        // What the formula says of the published numbers: log sum_k pi_k prod_d p_kd^x (1 - p_kd)^(1 - x), the missing d left out.
        double[] p = folder.Published.Parameter("probabilities"), weights = folder.Published.Parameter("weights");
        double density = Enumerable.Range(0, 2).Sum(k => weights[k] * p[k * 4] * p[k * 4 + 1] * (1 - p[k * 4 + 2]));
        Assert.Equal(Math.Log(density), scores[0].Number("log_density"), 1e-9);
        Assert.Equal("field 'a' holds another value, expected 0 or 1, false or true",
            scores[1].GetProperty("error").GetProperty("detail").GetString());
        Assert.NotEqual(scores[0].GetProperty("component_id").GetString(), scores[2].GetProperty("component_id").GetString());
        Assert.Contains("bernoulli_mixture", shown, StringComparison.Ordinal);
    }

    private static string Word(bool flag) => flag ? "true" : "false";

    /// <summary>Two kinds of rows, two thirds of the first, whose flags are set with probability 0.9 and 0.1.</summary>
    private static bool[][] Draw()
    {
        var random = new Random(7);
        return [.. Enumerable.Range(0, Rows).Select(_ => random.Next(3) > 0)
            .Select(first => Enumerable.Range(0, 4).Select(d => random.NextDouble() < (d < 2 == first ? 0.9 : 0.1)).ToArray())];
    }
}
