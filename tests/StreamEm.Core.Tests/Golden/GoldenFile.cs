using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models;
using StreamEm.Core.Schedules;
using StreamEm.Core.Tests.Support;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Tests.Golden;

/// <summary>
/// Two steps of both recursions as one file has them, computed independently of this code (scikit-learn, mpmath, Fisher identity; see the
/// file's "checks"), and how the file's names map to the blocks of a model. Relative 1e-10, absolute 1e-12 near zero.
/// </summary>
/// <param name="Name">The file, without its extension.</param>
/// <param name="Model">The model, without priors and regularisation.</param>
internal sealed record GoldenFile(string Name, LatentModel Model)
{
    [ThreadStatic] private static string? _lastSteps;

    /// <summary>Block of the parameters -> path in <c>theta</c> (<see cref="GoldenPath"/>); a block left out stays neutral.</summary>
    public required IReadOnlyDictionary<string, string> Parameters { get; init; }

    /// <summary>
    /// Block of the statistics -> path in <c>stats</c> and <c>s</c>; a block left out is not looked at. Of symmetric matrices a packed
    /// block has the lower triangles.
    /// </summary>
    public required IReadOnlyDictionary<string, string> Statistics { get; init; }

    /// <summary>Blocks of the parameters that the file holds still, with their values.</summary>
    public IReadOnlyDictionary<string, double[]> Constants { get; init; } = new Dictionary<string, double[]>();

    /// <summary>Path of the probabilities of every unlabelled row's components; null where the file's are not what a score says.</summary>
    public string? Responsibilities { get; init; } = "responsibilities";

    /// <summary>Whether the file's log-likelihoods are the rows' own; those of a temperature are another function.</summary>
    public bool HasLogLikelihoods { get; init; } = true;

    /// <summary>How responsibilities are made.</summary>
    public ResponsibilityRule? Rule { get; init; }

    /// <summary>Reads the rows of one batch.</summary>
    public Func<JsonElement, Minibatch> Rows { get; init; } = GoldenRows.Table;

    /// <summary>
    /// Rows that the file's averages are over where it does not count rows: the mean length of its sequences. The engine's averages, per
    /// row, times this are the file's; s(0) is then the file's own, because it stands for sequences of another length.
    /// </summary>
    public double RowsPerUnit { get; init; } = 1;

    /// <summary>The file's values.</summary>
    public JsonElement Read()
    {
        using JsonDocument document =
            JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Golden", Name + ".json")));
        return document.RootElement.Clone();
    }

    /// <summary>Asserts that the recursion takes the file's steps, and the same ones to the byte on every kernel path.</summary>
    /// <param name="recursion">Which.</param>
    /// <param name="tests">The class of the test that asks.</param>
    /// <param name="file">What the test takes before the recursion, if anything.</param>
    /// <param name="method">The test that asks.</param>
    public void Check(Recursion recursion, Type tests, string? file = null, [CallerMemberName] string method = "")
    {
        _lastSteps = Steps(recursion);
        if (OtherPath.IsHere) return;
        foreach (KernelPath path in Enum.GetValues<KernelPath>())
        {
            string there = OtherPath.Run(path, typeof(GoldenFile), nameof(StepsOf), tests.FullName!, method, file!, recursion.ToString());
            Assert.True(_lastSteps == there, $"{Name} takes other steps with {path}.");
        }
    }

    /// <summary>The steps that a test takes on the path this was loaded for.</summary>
    public static string StepsOf(string tests, string method, string? file, string recursion)
    {
        Type type = typeof(GoldenFile).Assembly.GetType(tests, throwOnError: true)!;
        object last = Enum.Parse<Recursion>(recursion);
        type.GetMethod(method)!.Invoke(Activator.CreateInstance(type), file is null ? [last] : [file, last]);
        return _lastSteps!;
    }

    /// <summary>Asserts the steps; SHA-256 of all that was found on the way.</summary>
    private string Steps(Recursion recursion)
    {
        using var bytes = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        JsonElement root = Read(), inputs = root.GetProperty("inputs");
        var stepSize = new WholeSteps(new PowerLaw(new StepSizeOptions { Kappa = root.GetProperty("kappa").GetDouble() }));
        var em = new StepwiseEm(Model, recursion, stepSize, rule: Rule);
        var state = new StepwiseState(Model, Theta(inputs.GetProperty("theta0")));
        if (RowsPerUnit == 1) CheckStatistics(inputs.GetProperty("s0"), state.Statistics, "s0");
        else SetStatistics(inputs.GetProperty("s0"), state.Statistics);
        JsonElement expected = root.GetProperty("expected")
            .GetProperty(recursion == Recursion.Parameters ? "parameter_space" : "statistics_space");
        for (int step = 0; step < 2; step++)
        {
            JsonElement golden = expected[step];
            Minibatch batch = Rows(inputs.GetProperty("batches")[step]);
            double[] before = [.. state.Parameters];
            stepSize.Share = step == 0 ? 1 : Math.Min(1, batch.Count * (double)state.Updates / state.Rows);
            Evidence evidence = em.Update(state, batch, new double[batch.Count]);

            string where = $"of step {step + 1}";
            Close(golden.GetProperty("g").GetDouble(), state.LastStepSize, $"gamma {where}");
            if (HasLogLikelihoods)
                Close(golden.GetProperty("mean_loglik_batch_before").GetDouble(), evidence.MeanLogLikelihood * RowsPerUnit,
                    $"mean log-likelihood {where}");
            double[] averages = Averages(before, batch);
            CheckStatistics(golden.GetProperty("stats"), averages, where);
            if (recursion == Recursion.Statistics) CheckStatistics(golden.GetProperty("s"), state.Statistics, where);
            if (golden.TryGetProperty("argmax", out JsonElement argmax)) CheckMaximum(argmax, averages, before, batch.Count, where);
            CheckTheta(golden.GetProperty("theta"), state.Parameters, $"theta {where}");
            double after = MeanLogLikelihood(state.Parameters, batch) * RowsPerUnit;
            if (HasLogLikelihoods) Close(golden.GetProperty("mean_loglik_batch_after").GetDouble(), after, $"log-likelihood after {where}");
            if (Responsibilities is { } path) CheckResponsibilities(GoldenPath.Values(golden, path), before, batch, where);
            foreach (double[] found in (double[][])[averages, state.Statistics, state.Parameters, [evidence.MeanLogLikelihood, after]])
                bytes.AppendData(MemoryMarshal.AsBytes<double>(found));
        }
        return Convert.ToHexString(bytes.GetHashAndReset());
    }

    private double[] Theta(JsonElement theta)
    {
        double[] flat = new double[Model.ParameterLayout.Length];
        Model.Neutral(flat);
        foreach ((string name, double[] values) in Constants) values.CopyTo(flat, Model.ParameterLayout[name].Offset);
        foreach ((string name, string path) in Parameters)
            ValuesOf(Model.ParameterLayout[name], theta, path).CopyTo(flat, Model.ParameterLayout[name].Offset);
        return flat;
    }

    private double[] Averages(double[] theta, Minibatch batch)
    {
        double[] averages = new double[Model.StatisticsLayout.Length];
        new ShardedEStep(Model, 1).Average(Model.Prepare(theta), theta, batch, averages, new double[batch.Count],
            new Pass(null, 1) { Rule = Rule });
        return averages;
    }

    private double MeanLogLikelihood(double[] theta, Minibatch batch)
    {
        double[] statistics = new double[Model.StatisticsLayout.Length];
        return new ShardedEStep(Model, 1).Accumulate(Model.Prepare(theta), batch, statistics, new double[batch.Count]).MeanLogLikelihood;
    }

    private void CheckTheta(JsonElement golden, double[] actual, string what)
    {
        double[] theta = Theta(golden);
        foreach (VectorBlock block in Model.ParameterLayout.Blocks)
            for (int at = 0; at < block.Length; at++)
                Close(theta[block.Offset + at], actual[block.Offset + at], $"{block.Name}[{at}], {what}");
    }

    private void CheckMaximum(JsonElement golden, double[] averages, double[] previous, int rows, string where)
    {
        double[] result = new double[previous.Length];
        Model.Maximize(averages, rows, previous, result, new ModelEvents());
        CheckTheta(golden, result, $"argmax {where}");
    }

    private void CheckStatistics(JsonElement golden, double[] actual, string where)
    {
        foreach ((string name, string path) in Statistics)
        {
            VectorBlock block = Model.StatisticsLayout[name];
            double[] expected = ValuesOf(block, golden, path);
            for (int at = 0; at < expected.Length; at++)
                Close(expected[at], actual[block.Offset + at] * RowsPerUnit, $"{name}[{at}] {where}");
        }
    }

    private void SetStatistics(JsonElement golden, double[] statistics)
    {
        foreach ((string name, string path) in Statistics)
        {
            VectorBlock block = Model.StatisticsLayout[name];
            double[] values = ValuesOf(block, golden, path);
            for (int at = 0; at < values.Length; at++) statistics[block.Offset + at] = values[at] / RowsPerUnit;
        }
    }

    private void CheckResponsibilities(double[] expected, double[] theta, Minibatch batch, string where)
    {
        var model = (ComponentModel)Model;
        VectorBlock block = model.ScoreLayout[model.MembershipBlock];
        int width = model.ScoreLayout.Length;
        double[] scores = new double[batch.Count * width];
        EStep eStep = model.Prepare(theta);
        eStep.Score(batch, 0, batch.Count, new double[batch.Count], scores, eStep.CreateWorkspace());
        Assert.Equal(batch.Count * model.Components, expected.Length);
        for (int row = 0; row < batch.Count; row++)
            for (int k = 0; k < model.Components && batch.Label(row) == Minibatch.Unlabelled; k++)
                Close(expected[row * model.Components + k], scores[row * width + block.Offset + k], $"responsibility ({row}, {k}) {where}");
    }

    /// <summary>
    /// The values of a block: as they are, with a last row of zeros that the file leaves out, or the lower triangles of the matrices on the
    /// last two axes.
    /// </summary>
    private static double[] ValuesOf(VectorBlock block, JsonElement of, string path)
    {
        double[] values = GoldenPath.Values(of, path);
        if (values.Length == block.Length) return values;
        if (block.Name == "gate_coefficients") return [.. values, .. new double[block.Length - values.Length]];
        int dimension = GoldenPath.LastExtent(of, path);
        double[] lower = [.. values.Where((_, at) => at % dimension <= at / dimension % dimension)];
        bool isPacked = lower.Length == block.Length && block.Shape[^1] == Packed.Length(dimension);
        Assert.True(isPacked, $"'{path}' has {values.Length} values, {block} has {block.Length}.");
        return lower;
    }

    private static void Close(double expected, double actual, string what) =>
        Assert.True(Math.Abs(expected - actual) <= 1e-10 * Math.Abs(expected) + 1e-12, $"{what}: expected {expected:R}, found {actual:R}");
}

/// <summary>
/// Places in a golden file: names of members and numbers of entries, with dots between, and <c>*</c> for every entry: <c>p.*.0</c> is the
/// first row of each matrix.
/// </summary>
internal static class GoldenPath
{
    /// <summary>The numbers at a place, row-major; null is NaN.</summary>
    public static double[] Values(JsonElement of, string path) => [.. At([of], path).SelectMany(Flatten)];

    /// <summary>The numbers of an element, row-major; null is NaN.</summary>
    public static IEnumerable<double> Flatten(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Array => element.EnumerateArray().SelectMany(Flatten),
        JsonValueKind.Null => [double.NaN],
        _ => [element.GetDouble()],
    };

    /// <summary>Entries of the innermost arrays at a place.</summary>
    public static int LastExtent(JsonElement of, string path)
    {
        JsonElement innermost = At([of], path).First();
        while (innermost[0].ValueKind == JsonValueKind.Array) innermost = innermost[0];
        return innermost.GetArrayLength();
    }

    private static IEnumerable<JsonElement> At(IEnumerable<JsonElement> elements, string path)
    {
        foreach (string part in path.Split('.'))
            elements = part == "*" ? elements.SelectMany(element => element.EnumerateArray())
                : int.TryParse(part, CultureInfo.InvariantCulture, out int index) ? elements.Select(element => element[index])
                : elements.Select(element => element.GetProperty(part));
        return elements;
    }
}

/// <summary>
/// Steps of a schedule whatever the size of a minibatch: the engine takes one shorter than those before in proportion, the files do not.
/// </summary>
internal sealed class WholeSteps(StepSize schedule) : StepSize
{
    /// <summary>What the engine multiplies the next step by.</summary>
    public double Share { get; set; } = 1;

    public override double At(long t) => schedule.At(t) / Share;
}
