using StreamEm.Core.Data;
using StreamEm.Core.Models;

namespace StreamEm.Core.Estimation;

/// <summary>When batch EM stops.</summary>
public sealed record BatchEmOptions
{
    /// <summary>Stops when the mean log-likelihood rises by less, in nats per row.</summary>
    public double Tolerance { get; init; } = 1e-9;

    /// <summary>Stops after so many iterations.</summary>
    public int MaxIterations { get; init; } = 3000;

    /// <summary>Threads per iteration; 0 takes every core.</summary>
    public int Threads { get; init; }
}

/// <summary>What batch EM found.</summary>
/// <param name="Parameters">Theta of the last iteration.</param>
/// <param name="LogLikelihoods">Mean log-likelihood before every iteration and after the last, nats per row.</param>
/// <param name="Converged">Whether the tolerance was reached.</param>
/// <param name="LargestFall">The largest fall of the mean log-likelihood met, 0 when it never fell.</param>
internal sealed record BatchEmResult(double[] Parameters, IReadOnlyList<double> LogLikelihoods, bool Converged, double LargestFall);

/// <summary>
/// EM over all data at once (Dempster, Laird &amp; Rubin 1977): the yardstick for the recursions, and what refines the first parameters.
/// The log-likelihood never falls but for rounding and what <c>reg_covar</c> and floored covariances, which are not part of Q, may cost.
/// </summary>
internal static class BatchEm
{
    /// <summary>Iterates from <paramref name="parameters"/> to convergence.</summary>
    /// <param name="model">The model.</param>
    /// <param name="batch">All rows.</param>
    /// <param name="parameters">Theta(0); not written to.</param>
    /// <param name="options">When to stop.</param>
    /// <param name="pass">What the E-step may know; an annealed rule has its last temperature.</param>
    public static BatchEmResult Run(
        LatentModel model, Minibatch batch, ReadOnlySpan<double> parameters, BatchEmOptions options, Pass pass = default)
    {
        var executor = new ShardedEStep(model, options.Threads);
        double[] theta = parameters.ToArray(), next = new double[theta.Length], averages = new double[model.StatisticsLayout.Length];
        double[] logDensities = new double[batch.Count];
        var events = new ModelEvents();
        var trace = new List<double>();
        double fall = 0;
        EStep? eStep = null;
        for (int iteration = 0; ; iteration++)
        {
            Evidence evidence = executor.Average(eStep = model.Prepare(theta, eStep), theta, batch, averages, logDensities, pass);
            double logLikelihood = evidence.MeanLogLikelihood;
            double rise = trace.Count == 0 ? double.PositiveInfinity : logLikelihood - trace[^1];
            trace.Add(logLikelihood);
            fall = Math.Max(fall, -rise);
            if (!(rise > options.Tolerance) || iteration == options.MaxIterations)
                return new BatchEmResult(theta, trace, iteration < options.MaxIterations, fall);
            events.Clear();
            model.Maximize(averages, RelativeWeights.Worth(batch, logDensities, evidence.Weight), theta, next, events);
            (theta, next) = (next, theta);
        }
    }
}
