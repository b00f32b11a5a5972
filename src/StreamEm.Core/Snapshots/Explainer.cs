using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Snapshots;

/// <summary>What one feature has to do with how improbable a record is.</summary>
/// <param name="Contribution">-log p(x_d given the other features), d inside, in nats: what the record would be more probable without it;
/// NaN where the value is missing.</param>
/// <param name="Expected">E[x_d given the other features], the user's units; NaN where the family has no moments.</param>
/// <param name="Deviation">The standard deviation about it.</param>
public readonly record struct FeatureExplanation(double Contribution, double Expected, double Deviation)
{
    /// <summary>How many deviations an interval reaches to each side: 95 % of a normal value.</summary>
    public const double Reach = 1.959963984540054;
}

/// <summary>
/// Says of a record which feature is to blame. Contributions are of every family: the log-density without the feature less that with it,
/// p(x_-d) and p(x) being what the model says of records with values missing; exact for mixtures of every family. Expected values are
/// those of the mixture of the components' conditional distributions, weighted by the responsibilities without the feature: the
/// regression on the others where features covary (Anderson 2003, section 2.5), else the component's own moments. Of models whose records
/// stand alone. One thread at a time.
/// </summary>
public sealed class Explainer
{
    private readonly Scorer _scorer;
    private readonly ComponentModel? _model;
    private readonly VectorBlock? _membership;
    private readonly int _dimension;
    private readonly double[] _means = [], _variances = [], _logDensities, _scores, _anomalyScores, _packed, _off;
    private readonly FeatureExplanation[] _features;
    private readonly bool _hasMoments;
    private readonly Minibatch _rows;

    /// <summary>Prepares it for what was learned.</summary>
    /// <exception cref="ArgumentException">The model is of sequences.</exception>
    public Explainer(LearnedModel learned)
    {
        if (!IsPossible(learned.Model)) throw new ArgumentException("Records of sequences do not stand alone.", nameof(learned));
        _scorer = new Scorer(learned);
        _dimension = learned.Space.Dimension;
        _rows = new Minibatch(_dimension, _dimension + 1);
        (_logDensities, _anomalyScores) = (new double[_dimension + 1], new double[_dimension + 1]);
        _scores = new double[(_dimension + 1) * _scorer.Layout.Length];
        (_packed, _off) = (new double[Packed.Length(_dimension)], new double[_dimension]);
        _features = new FeatureExplanation[_dimension];
        _model = learned.Model as ComponentModel;
        if (_model is null) return;
        _membership = _scorer.Layout[_model.MembershipBlock];
        (_means, _variances) = (new double[_model.Components * _dimension], new double[_model.Components * _dimension]);
        _hasMoments = _model.TryComponentMoments(learned.Parameters, _means, _variances);
    }

    /// <summary>Whether records of a model can be explained one by one.</summary>
    public static bool IsPossible(LatentModel model) => model.Order == RowOrder.Any;

    /// <summary>Explains a record.</summary>
    /// <param name="batch">Rows as a source delivers them, user units.</param>
    /// <param name="row">Which.</param>
    /// <returns>What is said of every feature; valid until the next call.</returns>
    public ReadOnlySpan<FeatureExplanation> Explain(Minibatch batch, int row)
    {
        ReadOnlySpan<double> values = batch.Row(row);
        _rows.Clear();
        _rows.Texts = batch.Texts;
        for (int left = 0; left <= _dimension; left++)
        {
            values.CopyTo(_rows.NextRow);
            if (left < _dimension) _rows.NextRow[left] = double.NaN;
            _rows.Commit();
        }
        _scorer.Score(_rows, _logDensities, _scores, _anomalyScores);
        for (int d = 0; d < _dimension; d++)
        {
            double contribution = double.IsNaN(values[d]) ? double.NaN : _logDensities[d] - _logDensities[_dimension];
            if (_scorer.Model.IsDensityOf(d)) contribution -= _scorer.Learned.Space.LogScale[d];
            (double expected, double deviation) = HasMoments(d) ? Expect(values, d) : (double.NaN, double.NaN);
            _features[d] = new FeatureExplanation(contribution, expected, deviation);
        }
        return _features;
    }

    private bool HasMoments(int feature) => _hasMoments && !_scorer.Learned.Space.Features[feature].HasLevels;

    private (double Expected, double Deviation) Expect(ReadOnlySpan<double> values, int feature)
    {
        int width = _scorer.Layout.Length;
        ReadOnlySpan<double> shares = _membership!.Of((ReadOnlySpan<double>)_scores.AsSpan(feature * width, width));
        double mean = 0, squares = 0;
        for (int k = 0; k < shares.Length; k++)
        {
            if (!(shares[k] > 0)) continue;
            (double own, double variance) = Expect(values, feature, k);
            mean += shares[k] * own;
            squares += shares[k] * (variance + own * own);
        }
        return (mean, Math.Sqrt(Math.Max(0, squares - mean * mean)));
    }

    /// <summary>
    /// Conditional mean and variance under one component: with the features ordered so that this one is last, the last row of the Cholesky
    /// factor has the regression on the others in its way and the deviation at its end.
    /// </summary>
    private (double Mean, double Variance) Expect(ReadOnlySpan<double> values, int feature, int k)
    {
        ReadOnlySpan<double> parameters = _scorer.Learned.Parameters;
        int count = 0, at = 0;
        Span<int> order = _dimension <= 128 ? stackalloc int[_dimension] : new int[_dimension];
        for (int d = 0; d < _dimension; d++)
            if (d != feature && !double.IsNaN(values[d])) order[count++] = d;
        order[count] = feature;
        for (int i = 0; i <= count; i++)
            for (int j = 0; j <= i; j++)
                _packed[at++] = i == j
                    ? _variances[k * _dimension + order[i]]
                    : _model!.ComponentCovariance(parameters, k, order[i], order[j]);
        double mean = _means[k * _dimension + feature];
        if (Cholesky.Factor(_packed.AsSpan(0, at), count + 1, out _) >= 0) return (mean, _variances[k * _dimension + feature]);
        at = 0;
        for (int i = 0; i < count; i++)
        {
            double value = values[order[i]] - _means[k * _dimension + order[i]];
            for (int j = 0; j < i; j++) value -= _packed[at++] * _off[j];
            _off[i] = value / _packed[at++];
        }
        for (int j = 0; j < count; j++) mean += _packed[at++] * _off[j];
        return (mean, _packed[at] * _packed[at]);
    }
}
