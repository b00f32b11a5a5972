using StreamEm.Core.Data;
using StreamEm.Core.Models;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Estimation;

/// <summary>E-steps and M-steps over data that are at hand, and how many rows were looked at: what a fit costs.</summary>
/// <param name="model">The model.</param>
/// <param name="batch">All rows.</param>
/// <param name="threads">Threads for an E-step; the result does not depend on it.</param>
/// <param name="pass">What the E-step may know.</param>
internal sealed class WholeData(LatentModel model, Minibatch batch, int threads, Pass pass)
{
    private readonly ShardedEStep _executor = new(model, threads);
    private readonly ModelEvents _events = new();
    private readonly double[] _logDensities = new double[batch.Count];
    private EStep? _eStep;

    /// <summary>Averages of all rows under the parameters of the last <see cref="Expect(double[])"/>, as the M-step takes them.</summary>
    public double[] Averages { get; } = new double[model.StatisticsLayout.Length];

    /// <summary>Whether parameters have to stand still at a maximum; see <see cref="LatentModel.IsFlat"/>.</summary>
    public bool IsFlat => model.IsFlat;

    /// <summary>The blocks of the parameters.</summary>
    public VectorLayout Layout => model.ParameterLayout;

    /// <summary>Weight of the rows that said something in the last <see cref="Expect(double[])"/>.</summary>
    public double Weight { get; private set; }

    /// <summary>How many observations that is: the n that priors weigh against.</summary>
    public double Worth { get; private set; }

    /// <summary>Rows that were looked at so far.</summary>
    public long Evaluations { get; private set; }

    /// <summary>The E-step over all rows; the mean log-likelihood, nats per row, of a bound with the parameters' part in it.</summary>
    /// <exception cref="ArithmeticException">The parameters cannot be: a covariance is not positive definite.</exception>
    public double Expect(double[] theta)
    {
        _eStep = model.Prepare(theta, _eStep);
        Evidence evidence = _executor.Average(_eStep, theta, batch, Averages, _logDensities, pass);
        Evaluations += batch.Count;
        Weight = evidence.Weight;
        Worth = RelativeWeights.Worth(batch, _logDensities, evidence.Weight);
        return model.IsBound ? evidence.MeanLogLikelihood + model.ParameterBound(theta) / Worth : evidence.MeanLogLikelihood;
    }

    /// <summary>
    /// The E-step over some rows of the whole; overwrites <paramref name="averages"/>, which mean nothing where no row says anything.
    /// </summary>
    public Evidence Expect(double[] theta, Minibatch rows, double[] averages)
    {
        _eStep = model.Prepare(theta, _eStep);
        Evidence evidence = _executor.Average(_eStep, theta, rows, averages, _logDensities, pass);
        Evaluations += rows.Count;
        return evidence;
    }

    /// <summary>The M-step from averages that stand for all rows.</summary>
    public void Maximize(ReadOnlySpan<double> averages, double[] theta, double[] result)
    {
        _events.Clear();
        model.Maximize(averages, Worth, theta, result, _events);
    }

    /// <summary>Averages that stand for all rows are from here on worth as many as there are.</summary>
    public void CountAll() => Worth = RelativeWeights.Worth(batch, [], batch.Count);
}
