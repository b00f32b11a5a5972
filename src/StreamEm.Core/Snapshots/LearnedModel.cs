using StreamEm.Core.Features;
using StreamEm.Core.Intervals;
using StreamEm.Core.Models;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Snapshots;

/// <summary>
/// What was learned, as of one version: parameters in the user's units, with all that is needed to read them, score records with them and
/// judge their health. Whose it is, is a <see cref="ModelSnapshot"/>. Immutable: readers share it without locks.
/// </summary>
public record LearnedModel
{
    private Dictionary<string, double>? _health;

    /// <summary>The model's type and options.</summary>
    public required LatentModelOptions Options { get; init; }

    /// <summary>Which fields of a record mean what.</summary>
    public required RecordSchema Schema { get; init; }

    /// <summary>Strictly increasing within a run; equal to the number of updates.</summary>
    public required long Version { get; init; }

    /// <summary>The features: location, scale and levels.</summary>
    public required FeatureSpace Space { get; init; }

    /// <summary>The model that <see cref="Options"/> describe over <see cref="Space"/>.</summary>
    public required LatentModel Model { get; init; }

    /// <summary>Theta in the user's units, flat. Not to be written to.</summary>
    public required double[] Parameters { get; init; }

    /// <summary>The average of Theta over the last half of the stream so far, user units; null where iterates are not averaged.</summary>
    public double[]? AveragedParameters { get; init; }

    /// <summary>How sure the parameters are; null where nobody asked, or too little is known yet.</summary>
    public ParameterIntervals? Intervals { get; init; }

    /// <summary>What happened to the components lately, oldest first.</summary>
    public IReadOnlyList<ComponentEvent> Events { get; init; } = [];

    /// <summary>One stable id per component; empty for a model without components.</summary>
    public required IReadOnlyList<string> ComponentIds { get; init; }

    /// <summary>The label each component was named after, null where none; empty without labels.</summary>
    public IReadOnlyList<string?> Labels { get; init; } = [];

    /// <summary>One status per component: ok, no_evidence, covariance_floored, reseeded, dead.</summary>
    public required IReadOnlyList<string> ComponentStatus { get; init; }

    /// <summary>How the model came to be.</summary>
    public required TrainingReport Training { get; init; }

    /// <summary>Turns log-densities into anomaly scores; null before there is enough to calibrate with.</summary>
    public Calibration.AnomalyCalibration? Calibration { get; init; }

    /// <summary>
    /// How records are scored by a mixture that grew: the calibration is then of this score; null where it is of log-densities.
    /// </summary>
    public Growing.DetectionRule? Detection { get; init; }

    /// <summary>What happened to the components with this version, of a mixture that grows.</summary>
    public IReadOnlyList<Growing.GrowthEvent> GrowthEvents { get; init; } = [];

    /// <summary>Names of the D columns of a row, in order: the features and, where the model predicts one, the target.</summary>
    public IReadOnlyList<string> Features => Schema.Columns;

    /// <summary>Names, shapes and places of the blocks in <see cref="Parameters"/>.</summary>
    public VectorLayout Layout => Model.ParameterLayout;

    /// <summary>
    /// Facts that a person should know of the parameters, by name (<see cref="LatentModel.Health"/>). Computed when first asked for: K
    /// decompositions of D x D matrices cost more than a minibatch.
    /// </summary>
    public IReadOnlyDictionary<string, double> Health
    {
        get
        {
            if (_health is not null) return _health;
            var facts = new Dictionary<string, double>(StringComparer.Ordinal);
            Model.Health(Parameters, facts);
            return _health = facts;
        }
    }

    /// <summary>The same where the model has another value of a setting that leaves its parameters as they are.</summary>
    /// <param name="key">The setting.</param>
    /// <param name="value">Its value, as text.</param>
    /// <exception cref="ArgumentException">The model has no such setting.</exception>
    /// <exception cref="FormatException">The value does not fit.</exception>
    public LearnedModel WithSetting(string key, string value)
    {
        if (!Options.Entry.Settings.Any(setting => setting.Key == key))
            throw new ArgumentException($"{Options.Type} has no setting {key}.", nameof(key));
        LatentModelOptions options =
            Options.Entry.Read(new Dictionary<string, string>(Options.Settings, StringComparer.Ordinal) { [key] = value });
        return this with { Options = options, Model = options.Create(Space) };
    }

    /// <summary>What <c>score</c> says of a record, by name, in its order; beside the component it always says the uncertainty, beside the
    /// anomaly score the p-value.</summary>
    public IEnumerable<string> Outputs =>
        ["log_density", .. Model.ScoreLayout.Blocks.Select(block => block.Name), .. Model is ComponentModel ? ["component"] : (string[])[],
            .. Model.Classes.Count > 0 ? ["class"] : (string[])[], "anomaly_score"];
}
