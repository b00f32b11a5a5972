using System.Collections.Concurrent;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models;

namespace StreamEm.Core.Snapshots;

/// <summary>
/// Scores records under one snapshot: log p(x), responsibilities p(z = k given x) and the calibrated anomaly score. Thread-safe, never touches
/// statistics.
/// </summary>
public sealed class Scorer
{
    private readonly EStep _eStep;
    private readonly RowScaling _scaling;
    private readonly double[] _logScale;
    private readonly ConcurrentBag<(Workspace Workspace, Minibatch Rows)> _spaces = [];

    /// <summary>Prepares a snapshot for scoring.</summary>
    /// <exception cref="ArgumentException">The snapshot's parameters are not valid for its model.</exception>
    public Scorer(ModelSnapshot snapshot)
    {
        Snapshot = snapshot;
        Dimension = snapshot.Features.Count;
        LatentModel model = snapshot.Model.CreateForUnitVariances(Dimension);
        Components = model.Components;
        double[] inside = new double[model.ParameterLayout.Length];
        model.FromUserUnits(snapshot.Parameters, snapshot.Standardization, inside);
        _eStep = model.Prepare(inside);
        _scaling = Standardizer.Scaling(snapshot.Standardization);
        _logScale = [.. snapshot.Standardization.LogScale];
    }

    /// <summary>The snapshot scored under.</summary>
    public ModelSnapshot Snapshot { get; }

    /// <summary>Number of features D.</summary>
    public int Dimension { get; }

    /// <summary>Number of components K.</summary>
    public int Components { get; }

    /// <summary>
    /// Scores all rows of <paramref name="batch"/> (user units, NaN = missing). A row without any value has log density 0 and the weights as
    /// responsibilities; one that no component can produce has negative infinity and the weights.
    /// </summary>
    /// <param name="batch">N rows.</param>
    /// <param name="logDensities">N, overwritten: log p(x) in nats, user units; of the observed features where some are missing.</param>
    /// <param name="responsibilities">N x K, overwritten.</param>
    /// <param name="anomalyScores">N, overwritten; NaN while the model is not calibrated and for a row without any value.</param>
    public void Score(Minibatch batch, Span<double> logDensities, Span<double> responsibilities, Span<double> anomalyScores)
    {
        if (!_spaces.TryTake(out (Workspace Workspace, Minibatch Rows) space))
            space = (_eStep.CreateWorkspace(), new Minibatch(Dimension, Math.Max(1, batch.Count)));
        Standardizer.Apply(_scaling, batch, 0, batch.Count, space.Rows);
        _eStep.Score(space.Rows, 0, batch.Count, logDensities, responsibilities, space.Workspace);
        for (int row = 0; row < batch.Count; row++)
        {
            ReadOnlySpan<double> values = batch.Row(row);
            bool any = false;
            double logScale = 0;
            for (int d = 0; d < values.Length; d++)
            {
                if (double.IsNaN(values[d])) continue;
                any = true;
                logScale += _logScale[d];
            }
            anomalyScores[row] = any && Snapshot.Calibration is { } calibration ? calibration.Score(logDensities[row]) : double.NaN;
            // The weights sum to 1 but for rounding: what says nothing has probability 1.
            logDensities[row] = any ? logDensities[row] - logScale : 0;
        }
        _spaces.Add(space);
    }
}
