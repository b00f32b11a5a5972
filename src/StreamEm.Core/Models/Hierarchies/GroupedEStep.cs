using StreamEm.Core.Data;

namespace StreamEm.Core.Models.Hierarchies;

/// <summary>
/// Moments of estimates by group and house, and what the posterior says of a record: log p(y given what was learned), and its group's
/// estimate.
/// </summary>
internal sealed class GroupedEStep : EStep
{
    private readonly GroupedNormal _model;
    private readonly GroupedFields _fields;
    private readonly ReadOnlyMemory<double> _parameters, _effects, _covariance;
    private readonly double _least;

    /// <summary>Takes parameters.</summary>
    public GroupedEStep(GroupedNormal model, GroupedFields fields, ReadOnlyMemory<double> parameters)
    {
        (_model, _fields, _parameters) = (model, fields, parameters);
        (_effects, _covariance) = (model.ParameterLayout["effects"].Of(parameters), model.ParameterLayout["covariance"].Of(parameters));
        // An error of 0 would be a precision without end.
        _least = 1e-12 * model.Estimate.Variance;
    }

    /// <inheritdoc/>
    public override Workspace CreateWorkspace() => new Scratch();

    /// <inheritdoc/>
    public override Evidence Accumulate(
        Minibatch batch, int first, int count, Span<double> statistics, Span<double> logDensities, Workspace workspace)
    {
        int all = _model.Groups + _model.Houses;
        double weights = 0, logLikelihood = 0;
        for (int row = 0; row < count; row++)
        {
            ReadOnlySpan<double> values = batch.Row(first + row);
            if (double.IsNaN(logDensities[row] = Infer(values, out int group, out int house, out _, out _))) continue;
            double weight = batch.Weight(first + row), precision = weight / Error(values);
            double product = precision * (values[_fields.Estimate] - _model.Estimate.Mean);
            weights += weight;
            logLikelihood = Math.FusedMultiplyAdd(weight, logDensities[row], logLikelihood);
            statistics[group] += precision;
            statistics[all + group] += product;
            if (house < 0) continue;
            statistics[house] += precision;
            statistics[all + house] += product;
            statistics[2 * all + group * _model.Houses + house - _model.Groups] += precision;
        }
        CompareAsTheyAre(batch, first, count, logDensities, workspace);
        return new Evidence(weights, logLikelihood);
    }

    /// <inheritdoc/>
    public override void Score(
        Minibatch batch, int first, int count, Span<double> logDensities, Span<double> scores, Workspace workspace)
    {
        for (int row = 0; row < count; row++)
        {
            logDensities[row] = Infer(batch.Row(first + row), out _, out _, out double estimate, out double variance);
            if (!scores.IsEmpty) (scores[2 * row], scores[2 * row + 1]) = (estimate, variance + _model.SharedVariance);
        }
        CompareAsTheyAre(batch, first, count, logDensities, workspace);
    }

    /// <summary>log p(y) and what is known of the row's group; NaN where it names none, or has no estimate.</summary>
    private double Infer(ReadOnlySpan<double> row, out int group, out int house, out double estimate, out double variance)
    {
        int all = _model.Groups + _model.Houses;
        group = CodeOf(row, _fields.Group, 0, _model.Groups);
        house = CodeOf(row, _fields.House, _model.Groups, _model.Houses);
        ReadOnlySpan<double> effects = _effects.Span, covariance = _covariance.Span;
        (estimate, variance) = group < 0
            ? (_parameters.Span[0], _parameters.Span[1])
            : (effects[group], covariance[group * (all + 1)]);
        double off = row[_fields.Estimate] - estimate, error = Error(row);
        if (group < 0 || double.IsNaN(off + error)) return double.NaN;
        double spread = variance + error;
        if (house >= 0)
        {
            off -= effects[house];
            spread += covariance[house * (all + 1)] + 2 * covariance[group * all + house];
        }
        return HierarchicalNormal.LogNormal(off, spread);
    }

    private double Error(ReadOnlySpan<double> row) =>
        double.IsNaN(row[_fields.Error]) ? double.NaN : Math.Max(row[_fields.Error] * row[_fields.Error], _least);

    private static int CodeOf(ReadOnlySpan<double> row, int feature, int first, int count) =>
        feature < 0 || double.IsNaN(row[feature]) || !(row[feature] < count) ? -1 : first + (int)row[feature];

    private sealed class Scratch : Workspace;
}
