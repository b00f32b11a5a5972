using System.Globalization;
using System.Text.Json;

namespace StreamEm.Worker.Tests.Models;

/// <summary>Models that predict a target, through the real executable: learned from a stream, scored with the target and without.</summary>
public sealed class TargetTests
{
    [Theory]
    [InlineData("bayesian_linear_regression", "")]
    [InlineData("sparse_regression", "")]
    [InlineData("mixture_of_experts", ", experts: 1")]
    [InlineData("mixture_of_experts", ", experts: 1, gate: gaussian")]
    public async Task Run_NumbersToPredict_LearnsAndPredictsThem(string type, string options)
    {
        using var folder = new ModelFolder($"features: [x]\ntarget: y\nmissing: reject\nmodel: {{ type: {type}{options} }}");
        var random = new Random(2);
        folder.Write("data.csv", ["y,note,x", .. Enumerable.Range(0, 4000).Select(_ =>
        {
            double x = 100 + 5 * Normal(random);
            // A target may be missing even where features may not.
            return random.Next(10) == 0
                ? string.Create(CultureInfo.InvariantCulture, $",n,{x:F4}")
                : string.Create(CultureInfo.InvariantCulture, $"{20 - 3 * x + Normal(random):F4},n,{x:F4}");
        })]);
        folder.Write("new.csv", ["x", "100", "110"]);
        folder.Write("known.ndjson", ["{\"x\":100,\"y\":-280}", "{\"x\":100,\"y\":-250}"]);

        await folder.Run();
        JsonElement[] predicted = await folder.Score("new.csv"), known = await folder.Score("known.ndjson");
        string shown = await folder.Succeed("inspect", "out.ndjson");

        Assert.Equal(-280, Number(predicted[0], "prediction"), 0.5);
        Assert.Equal(-310, Number(predicted[1], "prediction"), 0.5);
        Assert.Equal(1, Number(predicted[0], "prediction_variance"), 0.3);
        Assert.InRange(Number(known[0], "anomaly_score"), 0, 0.9);
        Assert.InRange(Number(known[1], "anomaly_score"), 0.99, 1);
        Assert.Equal(Number(predicted[0], "prediction"), Number(known[0], "prediction"), 1e-9);
        JsonElement signature = folder.Published.GetProperty("signature");
        Assert.Equal(["x"], signature.GetProperty("features").EnumerateArray().Select(name => name.GetString()));
        Assert.Equal("y", signature.GetProperty("target").GetString());
        double[] coefficients = folder.Published.Parameter("coefficients");
        Assert.Equal(20, coefficients[0], 4.0);
        Assert.Equal(-3, coefficients[1], 0.05);
        Assert.Contains("coefficients", shown, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_YesNoTarget_LearnsItsProbability()
    {
        using var folder = new ModelFolder("features: [x]\ntarget: late\nmodel: { type: probit_regression }");
        var random = new Random(3);
        folder.Write("data.csv", ["x,late", .. Enumerable.Range(0, 4000).Select(_ =>
        {
            double x = 3 * Normal(random);
            return string.Create(CultureInfo.InvariantCulture, $"{x:F4},{(x - 1 + Normal(random) > 0 ? "true" : "false")}");
        })]);
        folder.Write("new.csv", ["x", "1", "4", "-2"]);

        await folder.Run();
        double[] predicted = [.. (await folder.Score("new.csv")).Select(score => Number(score, "prediction"))];

        Assert.Equal(0.5, predicted[0], 0.06);
        Assert.InRange(predicted[1], 0.97, 1);
        Assert.InRange(predicted[2], 0, 0.03);
    }

    [Fact]
    public async Task Run_ClassToPredict_LearnsItsProbabilities()
    {
        using var folder = new ModelFolder("features: [x]\ntarget: kind\nmodel: { type: mixture_of_experts, expert: logistic }");
        var random = new Random(4);
        folder.Write("data.csv", ["x,kind", .. Enumerable.Range(0, 5000).Select(_ =>
        {
            double x = 6 * random.NextDouble() - 3;
            return string.Create(CultureInfo.InvariantCulture, $"{x:F4},{(Math.Abs(x) < 1.5 != (random.Next(20) == 0) ? "in" : "out")}");
        })]);
        folder.Write("new.csv", ["x", "-2.6", "0", "2.6"]);

        await folder.Run();
        JsonElement[] scores = await folder.Score("new.csv");

        Assert.Equal(["out", "in", "out"], scores.Select(score => score.GetProperty("class").GetString()));
        Assert.Contains("class_probability_in", await folder.Succeed("score", "out.ndjson", "new.csv", "--format", "csv"),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bayesian_linear_regression", "its coefficients are latent for the whole stream")]
    [InlineData("sparse_regression", "its scales of the coefficients are latent for the whole stream")]
    public void Validate_ParameterRecursion_IsRefusedWithTheReason(string type, string reason)
    {
        string yaml = Configuration.ConfigFile.Minimal.Replace("gaussian_mixture", type, StringComparison.Ordinal)
            + "\n    target: y\n    learning: { recursion: parameters }\n";
        string problem = Assert.Single(Configuration.ConfigFile.ProblemsOf(yaml));
        Assert.Contains($"recursion: parameters is not for {type}: {reason}", problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bayesian_linear_regression", "its coefficients are latent and have a posterior instead")]
    [InlineData("sparse_regression", "its prior makes coefficients exactly 0")]
    [InlineData("mixture_of_experts", "its gate moves by Newton's steps")]
    public void Validate_Intervals_AreRefusedWithTheReason(string type, string reason)
    {
        string yaml = Configuration.ConfigFile.Minimal.Replace("gaussian_mixture", type, StringComparison.Ordinal)
            + "\n    target: y\n    learning: { intervals: true }\n";
        string problem = Assert.Single(Configuration.ConfigFile.ProblemsOf(yaml));
        Assert.Contains($"intervals are not for {type}: {reason}", problem, StringComparison.Ordinal);
    }

    private static double Number(JsonElement score, string name) =>
        score.GetProperty(name) is { ValueKind: JsonValueKind.Array } several ? several[0].GetDouble()
            : score.GetProperty(name).GetDouble();

    private static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
