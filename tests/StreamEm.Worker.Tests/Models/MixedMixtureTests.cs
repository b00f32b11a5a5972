using System.Globalization;
using System.Text.Json;

namespace StreamEm.Worker.Tests.Models;

/// <summary>Numbers and levels in one mixture, through the real executable.</summary>
public sealed class MixedMixtureTests
{
    private const string Model = """
        features: [t, c]
        model:
          type: mixture
          components: 2
          emissions:
            - gaussian: { features: [t], covariance_type: diag }
            - categorical: { features: [c] }
        """;

    [Fact]
    public async Task Run_NumbersAndLevels_LearnsBothAndScoresByTheirProduct()
    {
        using var folder = new ModelFolder(Model);
        var random = new Random(5);
        folder.Write("data.csv", ["t,c", .. Enumerable.Range(0, 6000).Select(_ => random.Next(3) > 0).Select(first => string.Create(
            CultureInfo.InvariantCulture, $"{(first ? 20 : 60) + Normal(random):F4},{(random.Next(10) < 8 == first ? "on" : "off")}"))]);
        folder.Write("some.ndjson", ["{\"t\":20.5,\"c\":\"on\"}", "{\"c\":\"off\"}", "{\"t\":60,\"c\":\"broken\"}"]);

        await folder.Run();
        JsonElement[] scores = await folder.Score("some.ndjson");
        string shown = await folder.Succeed("inspect", "out.ndjson");

        // 6000 rows, n_eff about 2700, 900 of the rarer kind: a standard error of 1/30 of a mean, 0.014 of a probability.
        JsonElement learned = folder.Published;
        double[] weights = learned.Parameter("weights"), means = learned.Parameter("gaussian.means"),
            variances = learned.Parameter("gaussian.covariances"), p = learned.Parameter("categorical.probabilities.c");
        int cold = means[0] < means[1] ? 0 : 1, on = Array.IndexOf(learned.Levels("c"), "on");
        Assert.Equal([20, 60], new[] { means[cold], means[1 - cold] }.Select(mean => Math.Round(mean)));
        Assert.Equal(2.0 / 3, weights[cold], 0.06);
        Assert.Equal(0.8, p[cold * 2 + on], 0.06);
        Assert.Equal(0.2, p[(1 - cold) * 2 + on], 0.06);

        double Density(int k, double t) =>
            Math.Exp(-(t - means[k]) * (t - means[k]) / (2 * variances[k])) / Math.Sqrt(2 * Math.PI * variances[k]);
        Assert.Equal(Math.Log(Enumerable.Range(0, 2).Sum(k => weights[k] * Density(k, 20.5) * p[k * 2 + on])),
            scores[0].Number("log_density"), 1e-9);
        Assert.Equal(Math.Log(Enumerable.Range(0, 2).Sum(k => weights[k] * p[k * 2 + 1 - on])), scores[1].Number("log_density"), 1e-9);
        Assert.Equal(Math.Log(Enumerable.Range(0, 2).Sum(k => weights[k] * Density(k, 60))), scores[2].Number("log_density"), 1e-9);
        Assert.Matches("on [0-9]+ %", shown);
    }

    private static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
