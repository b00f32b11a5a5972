using StreamEm.Core.Data;
using StreamEm.Core.Models;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Estimation;

/// <summary>How data that end are fitted, and when that stops.</summary>
public sealed record BatchEmOptions
{
    /// <summary>The rule; <see cref="FitEngine.Stepwise"/> is a stream's and has no place here.</summary>
    public FitEngine Engine { get; init; } = FitEngine.Batch;

    /// <summary>Stops when the mean log-likelihood rises by less from one pass over all rows to the next, in nats per row.</summary>
    public double Tolerance { get; init; } = 1e-9;

    /// <summary>Stops after so many passes over all rows.</summary>
    public int MaxIterations { get; init; } = 3000;

    /// <summary>Threads per iteration; 0 takes every core.</summary>
    public int Threads { get; init; }

    /// <summary>Rows of a block of the incremental engine.</summary>
    public int BlockRows { get; init; } = 512;

    /// <summary>Chance of the rows that an engine draws.</summary>
    public ulong Seed { get; init; } = 1;
}

/// <summary>What an engine found.</summary>
/// <param name="Parameters">Theta of the last iteration.</param>
/// <param name="LogLikelihoods">Mean log-likelihood before every pass over all rows and after the last, nats per row.</param>
/// <param name="Converged">Whether the tolerance was reached.</param>
/// <param name="LargestFall">The largest fall of the mean log-likelihood met, 0 when it never fell.</param>
/// <param name="Evaluations">E-steps of single rows that it took.</param>
internal sealed record BatchEmResult(
    double[] Parameters, IReadOnlyList<double> LogLikelihoods, bool Converged, double LargestFall, long Evaluations);

/// <summary>
/// EM over all data at once (Dempster, Laird &amp; Rubin 1977): the yardstick for the recursions, and what refines the first parameters.
/// The log-likelihood never falls but for rounding and what <c>reg_covar</c> and floored covariances, which are not part of Q, may cost.
/// </summary>
internal static class BatchEm
{
    /// <summary>Iterates from <paramref name="parameters"/> to convergence, by the engine asked for.</summary>
    /// <param name="model">The model.</param>
    /// <param name="batch">All rows.</param>
    /// <param name="parameters">Theta(0); not written to.</param>
    /// <param name="options">The engine, and when to stop.</param>
    /// <param name="pass">What the E-step may know; an annealed rule has its last temperature.</param>
    /// <exception cref="NotSupportedException">The engine is none for such a model.</exception>
    public static BatchEmResult Run(
        LatentModel model, Minibatch batch, ReadOnlySpan<double> parameters, BatchEmOptions options, Pass pass = default)
    {
        if (options.Engine is FitEngine.Incremental or FitEngine.Spider
            && (model.Steps & (EmSteps.Generalized | EmSteps.Either)) != EmSteps.Exact)
            throw new NotSupportedException($"The engine '{(options.Engine == FitEngine.Spider ? "spider" : "incremental")}' puts new "
                + $"statistics of some rows in the place of their old ones, and those of {model.Type} cannot be: they are steps from where "
                + "the parameters stand, no sums over rows. Use over_relaxed or batch.");
        var data = new WholeData(model, batch, options.Threads, pass);
        double[] theta = parameters.ToArray();
        return options.Engine switch
        {
            FitEngine.Batch => Plain(data, theta, options),
            FitEngine.OverRelaxed => OverRelaxedEm.Run(model.ParameterLayout, data, theta, options),
            FitEngine.Incremental => IncrementalEm.Run(model, data, batch, theta, options),
            FitEngine.Spider => SpiderEm.Run(model, data, batch, theta, options),
            FitEngine.Gradient => GradientEm.Run(model, data, theta, options, pass),
            _ => throw new ArgumentException($"{options.Engine} is no engine of data that end.", nameof(options)),
        };
    }

    /// <summary>Plain EM.</summary>
    public static BatchEmResult Plain(WholeData data, double[] theta, BatchEmOptions options)
    {
        double[] next = new double[theta.Length];
        var trace = new FitTrace(options);
        while (!trace.Ends(data.Expect(theta), isStill: !data.IsFlat || IsStill(data.Layout, next, theta, options.Tolerance)))
        {
            data.Maximize(data.Averages, theta, next);
            (theta, next) = (next, theta);
        }
        return trace.Result(theta, data);
    }

    /// <summary>Whether no block of parameters has moved by more than a part of its largest entry.</summary>
    private static bool IsStill(VectorLayout layout, double[] before, double[] after, double tolerance)
    {
        foreach (VectorBlock block in layout.Blocks)
        {
            double largest = 0, moved = 0;
            for (int at = block.Offset; at < block.Offset + block.Length; at++)
            {
                largest = Math.Max(largest, Math.Abs(after[at]));
                moved = Math.Max(moved, Math.Abs(after[at] - before[at]));
            }
            if (moved > tolerance * largest) return false;
        }
        return true;
    }
}

/// <summary>The mean log-likelihoods of a fit, and whether it has come to its end.</summary>
internal sealed class FitTrace(BatchEmOptions options)
{
    private readonly List<double> _values = [];
    private double _fall;

    /// <summary>Passes over all rows so far, the one that is under way left out.</summary>
    public int Passes => _values.Count;

    /// <summary>The last value; negative infinity before any.</summary>
    public double Last => _values.Count == 0 ? double.NegativeInfinity : _values[^1];

    /// <summary>Takes the mean log-likelihood of a pass over all rows.</summary>
    /// <param name="logLikelihood">Nats per row.</param>
    /// <param name="isStill">Whether the parameters stand still, where they have to.</param>
    /// <returns>Whether it rose by too little to go on, or there were enough.</returns>
    public bool Ends(double logLikelihood, bool isStill = true)
    {
        double rise = _values.Count == 0 ? double.PositiveInfinity : logLikelihood - _values[^1];
        _values.Add(logLikelihood);
        _fall = Math.Max(_fall, -rise);
        return (!(rise > options.Tolerance) && isStill) || _values.Count > options.MaxIterations;
    }

    /// <summary>What was found.</summary>
    public BatchEmResult Result(double[] theta, WholeData data) =>
        new(theta, _values, _values.Count <= options.MaxIterations, _fall, data.Evaluations);
}
