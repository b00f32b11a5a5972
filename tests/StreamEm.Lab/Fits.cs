using System.Globalization;
using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Schedules;

namespace StreamEm.Lab;

/// <summary>What experiments do with the engine again and again.</summary>
internal static class Fits
{
    /// <summary>Batch EM until nothing changes.</summary>
    public static BatchEmOptions Exact { get; } = new() { Tolerance = 1e-12, MaxIterations = 5000, Threads = 1 };

    /// <summary>A mixture of Gaussians over features that stay as they are.</summary>
    public static Mixture Gaussians(int components, int dimension, CovarianceType type = CovarianceType.Full, double regCovar = 0) =>
        (Mixture)ModelCatalog.MixtureOf(new GaussianOptions { CovarianceType = type, RegCovar = regCovar }, components)
            .Create(FeatureSpace.Unscaled(dimension));

    /// <summary>Any model of the catalogue over features that stay as they are.</summary>
    public static LatentModel Model(string type, FeatureSpace space, params (string Key, string Value)[] settings) =>
        ModelCatalog.Find(type)!.Read(settings.ToDictionary(setting => setting.Key, setting => setting.Value, StringComparer.Ordinal))
            .Create(space);

    /// <summary>A model of the catalogue over features that are levels.</summary>
    public static LatentModel OfLevels(string type, string[] features, string[] levels, params (string Key, string Value)[] settings)
    {
        LatentModelOptions options = ModelCatalog.Find(type)!
            .Read(settings.ToDictionary(setting => setting.Key, setting => setting.Value, StringComparer.Ordinal));
        return options.Create(options.Plan(new RecordSchema { Features = features, Key = "key" }).WithLevels(_ => levels));
    }

    /// <summary>Theta of a model from its blocks, in their order.</summary>
    public static double[] Theta(LatentModel model, params double[][] blocks)
    {
        double[] theta = new double[model.ParameterLayout.Length];
        model.Neutral(theta);
        for (int at = 0; at < blocks.Length; at++)
        {
            VectorBlockCheck(model, at, blocks[at]);
            blocks[at].CopyTo(theta, model.ParameterLayout.Blocks[at].Offset);
        }
        return theta;
    }

    /// <summary>A block of parameters.</summary>
    public static double[] Block(LatentModel model, double[] theta, string name) =>
        model.ParameterLayout[name].Of((ReadOnlySpan<double>)theta).ToArray();

    /// <summary>Mean log-likelihood of rows, nats per row.</summary>
    public static double LogLikelihood(LatentModel model, Minibatch rows, double[] theta) => LogDensities(model, rows, theta).Average();

    /// <summary>log p(x) of every row.</summary>
    public static double[] LogDensities(LatentModel model, Minibatch rows, double[] theta)
    {
        double[] densities = new double[rows.Count];
        EStep eStep = model.Prepare(theta);
        eStep.Score(rows, 0, rows.Count, densities, [], eStep.CreateWorkspace());
        return densities;
    }

    /// <summary>log p(x) [N] and one block of what the model says of every row [N x its length].</summary>
    public static (double[] LogDensities, double[] Block) Scores(LatentModel model, Minibatch rows, double[] theta, string block)
    {
        int length = model.ScoreLayout.Length, own = model.ScoreLayout[block].Length, offset = model.ScoreLayout[block].Offset;
        double[] densities = new double[rows.Count], all = new double[rows.Count * length], result = new double[rows.Count * own];
        EStep eStep = model.Prepare(theta);
        eStep.Score(rows, 0, rows.Count, densities, all, eStep.CreateWorkspace());
        for (int row = 0; row < rows.Count; row++) all.AsSpan(row * length + offset, own).CopyTo(result.AsSpan(row * own));
        return (densities, result);
    }

    /// <summary>One iteration of batch EM.</summary>
    public static double[] Step(LatentModel model, Minibatch rows, double[] theta)
    {
        var data = new WholeData(model, rows, 1, default);
        double[] next = new double[theta.Length];
        data.Expect(theta);
        data.Maximize(data.Averages, theta, next);
        return next;
    }

    /// <summary>One pass of the stepwise recursion over rows.</summary>
    /// <param name="model">The model.</param>
    /// <param name="rows">The stream.</param>
    /// <param name="theta">Where it starts; taken as exact.</param>
    /// <param name="size">Rows of a minibatch.</param>
    /// <param name="kappa">Of the step size (1 + t)^-kappa.</param>
    /// <param name="recursion">In which coordinates.</param>
    /// <param name="rule">How rows are shared out; null: by Bayes' rule.</param>
    /// <param name="after">Called after every update.</param>
    public static double[] Stream(
        LatentModel model, Minibatch rows, double[] theta, int size, double kappa, Recursion recursion = Recursion.Statistics,
        ResponsibilityRule? rule = null, Action<StepwiseState>? after = null)
    {
        var em = new StepwiseEm(model, recursion, new PowerLaw(new StepSizeOptions { Kappa = kappa }), 1, rule);
        var state = new StepwiseState(model, theta);
        var part = new Minibatch(rows.Dimension, size);
        double[] densities = new double[size];
        for (int first = 0; first < rows.Count; first += size)
        {
            part.Clear();
            part.Append(rows, first, Math.Min(size, rows.Count - first));
            em.Update(state, part, densities);
            after?.Invoke(state);
        }
        return state.Parameters;
    }

    /// <summary>Rows of numbers.</summary>
    public static Minibatch Rows(IEnumerable<double[]> rows)
    {
        double[][] all = [.. rows];
        var batch = new Minibatch(all[0].Length, all.Length);
        foreach (double[] row in all) batch.Add(row);
        return batch;
    }

    /// <summary>A number with a few digits, as a page shows it.</summary>
    public static string Text(double value, string format = "G3") => value.ToString(format, CultureInfo.InvariantCulture);

    /// <summary>Even steps from one value to another.</summary>
    public static double[] Grid(double from, double to, int count) =>
        [.. Enumerable.Range(0, count).Select(at => from + (to - from) * at / (count - 1))];

    private static void VectorBlockCheck(LatentModel model, int at, double[] values)
    {
        if (model.ParameterLayout.Blocks[at].Length != values.Length)
            throw new ArgumentException($"{model.ParameterLayout.Blocks[at]} was given {values.Length} values.", nameof(values));
    }
}
