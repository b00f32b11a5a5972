using System.Text.Json;
using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Experts;
using StreamEm.Core.Tests.Golden;

namespace StreamEm.Core.Tests.Models.Experts;

/// <summary>Experts against values computed independently of this code.</summary>
public sealed class ExpertGoldenTests
{
    [Theory]
    [InlineData("moe_gate_fixed", Recursion.Parameters)]
    [InlineData("moe_gate_fixed", Recursion.Statistics)]
    [InlineData("moe_gate_newton", Recursion.Parameters)]
    [InlineData("moe_gate_newton", Recursion.Statistics)]
    public void StepwiseEm_SoftmaxGate_GivesGoldenSteps(string file, Recursion recursion)
    {
        MixtureOfExperts model = Model(2, 2, isSoftmax: true);
        if (file == "moe_gate_fixed") model.Hold(new BlockNames(["gate_coefficients"]));
        new GoldenFile(file, model)
        {
            Parameters = Paths(("gate_coefficients", "gate"), ("coefficients", "w"), ("variances", "var")),
            Statistics = Paths(("masses", "N"), ("gate_target", "gate_target")),
            Rows = Rows,
        }.Check(recursion, GetType(), file);
    }

    [Theory]
    [InlineData(Recursion.Parameters)]
    [InlineData(Recursion.Statistics)]
    public void StepwiseEm_ConstantGate_GivesGoldenSteps(Recursion recursion) =>
        new GoldenFile("mixture_linear_regression", Model(3, 3, isSoftmax: false))
        {
            Parameters = Paths(("weights", "weights"), ("coefficients", "w"), ("variances", "var")),
            Statistics = Paths(("masses", "N")),
            Rows = Rows,
        }.Check(recursion, GetType());

    private static MixtureOfExperts Model(int experts, int dimension, bool isSoftmax) =>
        new("mixture_of_experts", new LinearExperts(experts, dimension, new ExpertRegularization(1)),
            isSoftmax ? new SoftmaxTree(experts, 1, dimension) : null, 0);

    private static Minibatch Rows(JsonElement of)
    {
        double[][] features = [.. of.GetProperty("X").EnumerateArray().Select(row => (double[])[.. GoldenPath.Flatten(row)])];
        double[] targets = [.. GoldenPath.Flatten(of.GetProperty("y"))];
        var rows = new Minibatch(features[0].Length + 1);
        for (int row = 0; row < targets.Length; row++) rows.Add([.. features[row], targets[row]]);
        return rows;
    }

    private static Dictionary<string, string> Paths(params (string Block, string Path)[] paths) =>
        paths.ToDictionary(path => path.Block, path => path.Path, StringComparer.Ordinal);
}
