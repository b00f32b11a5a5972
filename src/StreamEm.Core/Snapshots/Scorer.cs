namespace StreamEm.Core.Snapshots;

/// <summary>Scores records under one snapshot: thread-safe, never touches statistics.</summary>
public sealed class Scorer
{
    /// <summary>Prepares a snapshot for scoring.</summary>
    public Scorer(ModelSnapshot snapshot) => throw new NotImplementedException();

    /// <summary>The snapshot scored under.</summary>
    public ModelSnapshot Snapshot => throw new NotImplementedException();

    /// <summary>Number of features D.</summary>
    public int Dimension => throw new NotImplementedException();

    /// <summary>Number of components K.</summary>
    public int Components => throw new NotImplementedException();

    /// <summary>
    /// Scores all rows of <paramref name="batch"/> (user units, NaN = missing).
    /// </summary>
    /// <param name="batch">N rows.</param>
    /// <param name="logDensities">N, overwritten: log p(x) in nats, user units; of the observed features where some are missing.</param>
    /// <param name="responsibilities">N x K, overwritten.</param>
    /// <param name="anomalyScores">N, overwritten; NaN while the model is not calibrated.</param>
    public void Score(Minibatch batch, Span<double> logDensities, Span<double> responsibilities, Span<double> anomalyScores) => throw new NotImplementedException();
}
