using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Core.Schedules;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Snapshots;

/// <summary>
/// The parameters of one version of a model, in the user's units, with all that is needed to read them, score records with them and judge
/// their health. Immutable: readers share it without locks.
/// </summary>
public sealed record ModelSnapshot
{
    private double? _minCovarianceEigenvalue;

    /// <summary>The model's id in the configuration.</summary>
    public required string ModelId { get; init; }

    /// <summary>The model's type and options.</summary>
    public required LatentModelOptions Model { get; init; }

    /// <summary>Identity of the run: the same from the first start until its state is deleted. (run id, version) identifies the content.</summary>
    public required string RunId { get; init; }

    /// <summary>Hash of the model's part of the configuration: <c>sha256:...</c>.</summary>
    public required string ConfigHash { get; init; }

    /// <summary>Strictly increasing within a run; equal to the number of updates.</summary>
    public required long Version { get; init; }

    /// <summary>When it was made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Names of the D features, in order.</summary>
    public required IReadOnlyList<string> Features { get; init; }

    /// <summary>Names, shapes and places of the blocks in <see cref="Parameters"/>.</summary>
    public required VectorLayout Layout { get; init; }

    /// <summary>Theta in the user's units, flat. Not to be written to.</summary>
    public required double[] Parameters { get; init; }

    /// <summary>Location and scale of the features inside the learner.</summary>
    public required Standardization Standardization { get; init; }

    /// <summary>One stable id per component.</summary>
    public required IReadOnlyList<string> ComponentIds { get; init; }

    /// <summary>The label each component was named after, null where none; empty without labels.</summary>
    public IReadOnlyList<string?> Labels { get; init; } = [];

    /// <summary>How the model came to be.</summary>
    public required TrainingReport Training { get; init; }

    /// <summary>The next record of every partition of the source.</summary>
    public IReadOnlyDictionary<string, long> Source { get; init; } = new Dictionary<string, long>(StringComparer.Ordinal);

    /// <summary>
    /// Smallest eigenvalue of any covariance in the user's units; null where the model has none. Computed when first asked for: K
    /// decompositions of D x D matrices cost more than a minibatch.
    /// </summary>
    public double? MinCovarianceEigenvalue
    {
        get
        {
            _minCovarianceEigenvalue ??= Model.CreateForUnitVariances(Features.Count).MinCovarianceEigenvalue(Parameters);
            return double.IsNaN(_minCovarianceEigenvalue.Value) ? null : _minCovarianceEigenvalue;
        }
    }

    /// <summary>One status per component: ok, no_evidence, floored, reseeded, dead.</summary>
    public required IReadOnlyList<string> ComponentStatus { get; init; }

    /// <summary>Turns log-densities into anomaly scores; null before there is enough to calibrate with.</summary>
    public Calibration.AnomalyCalibration? Calibration { get; init; }
}

/// <summary>How a snapshot came to be.</summary>
public sealed record TrainingReport
{
    /// <summary>Parameter or statistics recursion.</summary>
    public required Recursion Recursion { get; init; }

    /// <summary>The schedule.</summary>
    public required StepSizeOptions StepSize { get; init; }

    /// <summary>gamma of the last update.</summary>
    public required double LastStepSize { get; init; }

    /// <summary>Updates so far.</summary>
    public required long Updates { get; init; }

    /// <summary>Records learned from so far.</summary>
    public required long Records { get; init; }

    /// <summary>n_eff: the number of observations the parameters' precision is worth; NaN when they were given as exact.</summary>
    public double EffectiveRecords { get; init; } = double.NaN;

    /// <summary>Mean log-likelihood of the last minibatch under the parameters before it, nats per record, user units.</summary>
    public required double MeanLogLikelihood { get; init; }

    /// <summary>ok, or what is wrong.</summary>
    public string Status { get; init; } = "ok";

    /// <summary>Warnings for a person.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];
}
