using System.Collections.Concurrent;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Growing;
using StreamEm.Core.Models;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Snapshots;

/// <summary>
/// Scores records under what was learned: log p(x), the blocks of the model's score layout and the calibrated anomaly score. Thread-safe,
/// never touches statistics. Each call stands alone: a sequence begins with the call; a <see cref="ScoreSession"/> goes on from call to
/// call.
/// </summary>
public sealed class Scorer
{
    private readonly double[] _logScale, _inside;
    private readonly bool _hasUnits;
    private readonly double _logScaleOfAll;
    private readonly ConcurrentBag<ScoreSession> _sessions = [];

    /// <summary>Prepares parameters for scoring.</summary>
    /// <exception cref="ArgumentException">They are not valid for their model.</exception>
    public Scorer(LearnedModel learned)
        : this(learned, replaced: null)
    {
    }

    /// <summary>The same with the memory of a scorer that is not used any more.</summary>
    internal Scorer(LearnedModel learned, Scorer? replaced)
    {
        Learned = learned;
        Model = learned.Model;
        Layout = Model.ScoreLayout;
        double[] inside = new double[Model.ParameterLayout.Length];
        Model.FromUserUnits(learned.Parameters, learned.Space, inside);
        _inside = inside;
        EStep = Model.Prepare(inside, replaced?.Model == Model ? replaced.EStep : null);
        _logScale = learned.Space.LogScale.ToArray();
        for (int d = 0; d < _logScale.Length; d++)
            if (!Model.IsDensityOf(d)) _logScale[d] = 0;
        foreach (double scale in _logScale) _logScaleOfAll += scale;
        _hasUnits = Layout.Blocks.Any(block => block.Units != Units.None);
    }

    /// <summary>What is scored under.</summary>
    public LearnedModel Learned { get; }

    /// <summary>Number of features D.</summary>
    public int Dimension => Learned.Space.Dimension;

    /// <summary>What is said of a row beside its log-density: names, shapes and places of the blocks of one row.</summary>
    public VectorLayout Layout { get; }

    /// <summary>The model.</summary>
    internal LatentModel Model { get; }

    /// <summary>Its E-step.</summary>
    internal EStep EStep { get; }

    /// <summary>
    /// Scores all rows of <paramref name="batch"/> (user units, NaN = missing). A row that the model has no probability of - without any
    /// value; of a model that predicts, without target - has log density 0, anomaly score 0 and p-value 1; a mixture then gives its
    /// weights, as for a row that no component can produce, whose log density is negative infinity.
    /// </summary>
    /// <param name="batch">N rows, as a source delivers them.</param>
    /// <param name="logDensities">N, overwritten: log p(x) in nats, user units; of the observed features where some are missing.</param>
    /// <param name="scores">N x the length of <see cref="Layout"/>, overwritten, user units.</param>
    /// <param name="anomalyScores">N, overwritten; NaN while the model is not calibrated.</param>
    /// <param name="pValues">N, overwritten: 1 minus the anomaly score, with the resolution of the tail; empty leaves them out.</param>
    public void Score(
        Minibatch batch, Span<double> logDensities, Span<double> scores, Span<double> anomalyScores, Span<double> pValues = default)
    {
        if (Model.Order != RowOrder.Any || !_sessions.TryTake(out ScoreSession? session)) session = new ScoreSession(this);
        session.Score(batch, logDensities, scores, anomalyScores, pValues);
        if (Model.Order == RowOrder.Any) _sessions.Add(session);
    }

    /// <summary>Takes the scores of rows from inside to the user's units, and log-densities to anomaly scores.</summary>
    /// <param name="inside">The rows inside, in the order of the scores.</param>
    /// <param name="logDensities">N; overwritten.</param>
    /// <param name="complete">Whether no value is missing.</param>
    /// <param name="comparable">See <see cref="Pass.Comparable"/>; empty where no value is missing.</param>
    /// <param name="scores">N x width; overwritten.</param>
    /// <param name="anomalyScores">N; overwritten.</param>
    /// <param name="pValues">N or empty; overwritten.</param>
    /// <param name="detection">What makes the scores that the calibration is of; null for log-densities.</param>
    internal void Finish(
        Minibatch inside, bool complete, Span<double> logDensities, ReadOnlySpan<double> comparable, Span<double> scores,
        Span<double> anomalyScores, Span<double> pValues, DetectionScore? detection = null)
    {
        for (int row = 0; row < inside.Count; row++)
        {
            if (double.IsNaN(logDensities[row]) || (!complete && !inside.Row(row).ContainsAnyExcept(double.NaN)))
            {
                SayNothing(row, logDensities, anomalyScores, pValues);
                continue;
            }
            double logDensity = logDensities[row];
            if (!anomalyScores.IsEmpty)
            {
                double standing = comparable.IsEmpty ? logDensity : comparable[row];
                (anomalyScores[row], double pValue) = Learned.Calibration is not { } calibration ? (double.NaN, double.NaN)
                    : detection is null ? calibration.Judge(inside.Row(row), logDensity, standing)
                    : calibration.Judge(detection.Density(inside.Row(row)));
                if (!pValues.IsEmpty) pValues[row] = pValue;
            }
            logDensities[row] = logDensity - (complete ? _logScaleOfAll : LogUnits(inside.Row(row)));
        }
        if (!_hasUnits || scores.IsEmpty) return;
        int width = Layout.Length;
        Span<double> user = width <= 256 ? stackalloc double[width] : new double[width];
        for (int row = 0; row < inside.Count; row++)
        {
            Span<double> of = scores.Slice(row * width, width);
            UserUnits.To(Layout, of, Learned.Space, user);
            user.CopyTo(of);
        }
    }

    /// <summary>A row without any value is certain, and as all records are at least as improbable nothing is less strange.</summary>
    private void SayNothing(int row, Span<double> logDensities, Span<double> anomalyScores, Span<double> pValues)
    {
        bool isCalibrated = Learned.Calibration is not null;
        logDensities[row] = 0;
        if (!anomalyScores.IsEmpty) anomalyScores[row] = isCalibrated ? 0 : double.NaN;
        if (!pValues.IsEmpty) pValues[row] = isCalibrated ? 1 : double.NaN;
    }

    /// <summary>What scores as the stream did whose mixture grew; null where log-densities do.</summary>
    internal DetectionScore? CreateDetection()
    {
        if (Learned.Detection is not { } rule) return null;
        VectorLayout layout = Model.ParameterLayout;
        ReadOnlySpan<double> inside = _inside, covariances = layout["covariances"].Of(inside);
        double[] weights = layout["weights"].Of(inside).ToArray(), means = layout["means"].Of(inside).ToArray();
        int square = Dimension * Dimension, form = rule.IsShared ? covariances.Length : covariances.Length / weights.Length;
        double[] full = new double[weights.Length * square];
        for (int k = 0; k < weights.Length; k++)
        {
            ReadOnlySpan<double> own = covariances.Slice(rule.IsShared ? 0 : k * form, form);
            Span<double> result = full.AsSpan(k * square, square);
            if (own.Length == square) own.CopyTo(result);
            else for (int d = 0; d < Dimension; d++) result[d * Dimension + d] = own[own.Length == 1 ? 0 : d];
        }
        return new DetectionScore(rule, weights, means, full);
    }

    private double LogUnits(ReadOnlySpan<double> row)
    {
        double sum = 0;
        for (int d = 0; d < row.Length; d++)
            if (!double.IsNaN(row[d])) sum += _logScale[d];
        return sum;
    }
}
