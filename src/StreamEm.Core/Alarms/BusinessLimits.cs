using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;

namespace StreamEm.Core.Alarms;

/// <summary>
/// Whether a record is off by enough to matter: at least one feature with a limit lies that far, and to that side, from the mean of the
/// component the record most probably comes from (of the model where there are no components). A model without means limits nothing.
/// </summary>
internal sealed class BusinessLimits
{
    private const string Every = "*";

    private readonly (int Feature, double Least, Direction Direction)[] _limits;
    private double[] _means = [], _variances = [];
    private bool _hasMeans, _isByComponent;

    public BusinessLimits(AlarmOptions options, IReadOnlyList<string> features)
    {
        _limits = [.. features.Select((name, feature) => (Name: name, Feature: feature))
            .Where(pair => Has(options.MinDeviation, pair.Name) || Has(options.Direction, pair.Name))
            .Select(pair => (pair.Feature, Of(options.MinDeviation, pair.Name, 0), Of(options.Direction, pair.Name, Direction.Both)))];
    }

    /// <summary>Whether there are any.</summary>
    public bool Any => _limits.Length > 0;

    /// <summary>Takes what is expected of another version.</summary>
    public void Begin(LearnedModel learned)
    {
        if (_limits.Length == 0) return;
        int dimension = learned.Features.Count, components = (learned.Model as ComponentModel)?.Components ?? 0;
        int length = Math.Max(1, components) * dimension;
        if (_means.Length != length) (_means, _variances) = (new double[length], new double[length]);
        _isByComponent = learned.Model is ComponentModel model && model.TryComponentMoments(learned.Parameters, _means, _variances);
        _hasMeans = _isByComponent
            || learned.Model.TryMoments(learned.Parameters, _means.AsSpan(0, dimension), _variances.AsSpan(0, dimension));
    }

    /// <summary>Whether a record matters.</summary>
    /// <param name="row">D values, the user's units.</param>
    /// <param name="component">The component it most probably comes from.</param>
    public bool Allow(ReadOnlySpan<double> row, int component)
    {
        if (_limits.Length == 0 || !_hasMeans) return true;
        ReadOnlySpan<double> means = _isByComponent && component >= 0 ? _means.AsSpan(component * row.Length, row.Length) : _means;
        foreach ((int feature, double least, Direction direction) in _limits)
        {
            double off = row[feature] - means[feature];
            if (direction == Direction.Down) off = -off;
            else if (direction == Direction.Both) off = Math.Abs(off);
            if (off >= least) return true;
        }

        return false;
    }

    private static bool Has<T>(IReadOnlyDictionary<string, T> values, string name) => values.ContainsKey(name) || values.ContainsKey(Every);

    private static T Of<T>(IReadOnlyDictionary<string, T> values, string name, T otherwise) =>
        values.TryGetValue(name, out T? own) || values.TryGetValue(Every, out own) ? own : otherwise;
}
