using System.Text.Json;
using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Tests.Golden;

/// <summary>
/// A step of a golden file whose averages are over sequences, where minibatches have other numbers of sequences and rows: the sums of an
/// E-step over the number of sequences, combined as the file does. Relative 1e-10, absolute 1e-12 near zero.
/// </summary>
/// <param name="Name">The file.</param>
/// <param name="Model">The model, without priors.</param>
/// <param name="Blocks">Block of the parameters -> name in <c>theta</c>.</param>
internal sealed record GoldenSequences(string Name, LatentModel Model, IReadOnlyDictionary<string, string> Blocks)
{
    /// <summary>Asserts one step of both: statistics, argmax, theta and likelihoods.</summary>
    /// <param name="recursion">Which.</param>
    /// <param name="step">0 or 1.</param>
    public void CheckStep(Recursion recursion, int step)
    {
        using JsonDocument document =
            JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Golden", Name + ".json")));
        JsonElement root = document.RootElement, inputs = root.GetProperty("inputs");
        JsonElement expected = root.GetProperty("expected")
            .GetProperty(recursion == Recursion.Parameters ? "parameter_space" : "statistics_space");
        Minibatch batch = GoldenRows.Sequences(inputs.GetProperty("batches")[step]);
        int sequences = batch.SequenceStarts.Length;
        double[] before = Theta(step == 0 ? inputs.GetProperty("theta0") : expected[0].GetProperty("theta"));
        double[] sums = new double[Model.StatisticsLayout.Length], logDensities = new double[batch.Count];
        Evidence evidence = new ShardedEStep(Model, 1).Accumulate(Model.Prepare(before), batch, sums, logDensities);
        Interpolation.Multiply(sums, 1.0 / sequences);

        JsonElement golden = expected[step];
        Close(golden.GetProperty("mean_loglik_batch_before").GetDouble(), evidence.LogLikelihood / sequences, "log-likelihood");
        foreach ((string block, string name) in ((string, string)[])[("initial", "init"), ("transitions", "trans"), ("masses", "N")])
            Check(GoldenPath.Values(golden.GetProperty("stats"), name), Model.StatisticsLayout[block], sums, block);
        double[] argmax = new double[before.Length];
        Model.Maximize(sums, double.PositiveInfinity, before, argmax, new ModelEvents());
        double gain = golden.GetProperty("g").GetDouble();
        if (recursion == Recursion.Parameters)
        {
            CheckTheta(golden.GetProperty("argmax"), argmax, "argmax");
            Interpolation.Toward(before, argmax, gain);
            CheckTheta(golden.GetProperty("theta"), before, "theta");
            return;
        }
        // s(t-1) is what theta(t-1) implies, at the masses of the file's s.
        double[] statistics = Statistics(step == 0 ? inputs.GetProperty("s0") : expected[0].GetProperty("s"));
        Interpolation.Toward(statistics, sums, gain);
        Model.Maximize(statistics, double.PositiveInfinity, before, argmax, new ModelEvents());
        CheckTheta(golden.GetProperty("theta"), argmax, "theta");
    }

    private double[] Theta(JsonElement theta)
    {
        double[] flat = new double[Model.ParameterLayout.Length];
        foreach ((string block, string name) in Blocks)
            GoldenPath.Values(theta, name).ToArray().CopyTo(flat, Model.ParameterLayout[block].Offset);
        return flat;
    }

    private double[] Statistics(JsonElement s)
    {
        double[] flat = new double[Model.StatisticsLayout.Length];
        (string, string)[] names = [("initial", "init"), ("transitions", "trans"), ("masses", "N"), ("first_moments", "S1"),
            ("second_moments", "S2"), ("observed", "N"), ("sums", "S1")];
        foreach ((string block, string name) in names)
            if (Model.StatisticsLayout.Contains(block))
                GoldenPath.Values(s, name).ToArray().CopyTo(flat, Model.StatisticsLayout[block].Offset);
        return flat;
    }

    private void CheckTheta(JsonElement golden, double[] actual, string what)
    {
        foreach ((string block, string name) in Blocks)
            Check(GoldenPath.Values(golden, name), Model.ParameterLayout[block], actual, $"{what}.{block}");
    }

    private static void Check(IEnumerable<double> golden, VectorBlock block, double[] actual, string what)
    {
        double[] expected = [.. golden];
        Assert.Equal(block.Length, expected.Length);
        for (int at = 0; at < expected.Length; at++) Close(expected[at], actual[block.Offset + at], $"{what}[{at}]");
    }

    private static void Close(double expected, double actual, string what) =>
        Assert.True(Math.Abs(expected - actual) <= Math.Max(1e-12, 1e-10 * Math.Abs(expected)), $"{what}: {expected:R}, found {actual:R}");
}
