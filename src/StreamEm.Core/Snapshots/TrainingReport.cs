using StreamEm.Core.Estimation;
using StreamEm.Core.Schedules;

namespace StreamEm.Core.Snapshots;

/// <summary>How a snapshot came to be.</summary>
public sealed record TrainingReport
{
    /// <summary>The value of <see cref="Status"/> when records are learned from.</summary>
    public const string Ok = "ok";

    /// <summary>The value of <see cref="Status"/> when no record of the last minibatch could be used, most were held back, or
    /// a feature varies by too little for a variance.</summary>
    public const string Degenerate = "degenerate";

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

    /// <summary>
    /// Records taken and not learned from: without weight or value, impossible under the model, or held back.
    /// </summary>
    public long Unlearned { get; init; }

    /// <summary>Of these, records held back because they were too far from every component.</summary>
    public long Bounded { get; init; }

    /// <summary>n_eff: the number of observations the parameters' precision is worth; NaN when they were given as exact.</summary>
    public double EffectiveRecords { get; init; } = double.NaN;

    /// <summary>Mean log-likelihood of the last minibatch under the parameters before it, nats per record, user units.</summary>
    public required double MeanLogLikelihood { get; init; }

    /// <summary>The same over all records since the parameters began, every minibatch under the parameters before it; NaN where it is not
    /// known.</summary>
    public double RunningMeanLogLikelihood { get; init; } = double.NaN;

    /// <summary>The same, remembering some 200 minibatches: what a fall is noticed by.</summary>
    public double RecentMeanLogLikelihood { get; init; } = double.NaN;

    /// <summary>E_q[log p(x, z)] of the last minibatch, nats per record, user units: with the entropy the free energy, which is the
    /// log-likelihood where q is the posterior.</summary>
    public double Energy { get; init; } = double.NaN;

    /// <summary>H(q) of the last minibatch, nats per record.</summary>
    public double Entropy { get; init; } = double.NaN;

    /// <summary>Iterates in the averaged parameters; 0 without.</summary>
    public long Averaged { get; init; }

    /// <summary><see cref="Ok"/> or <see cref="Degenerate"/>.</summary>
    public string Status { get; init; } = Ok;

    /// <summary>Warnings for a person.</summary>
    public IReadOnlyList<ModelWarning> Warnings { get; init; } = [];
}
