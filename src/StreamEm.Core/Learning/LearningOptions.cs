using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Initialization;
using StreamEm.Core.Models;
using StreamEm.Core.Schedules;

namespace StreamEm.Core.Learning;

/// <summary>What happens to a component that has lost its weight.</summary>
public enum DeadComponents
{
    /// <summary>It starts anew where the current model explains the data worst.</summary>
    Reseed,

    /// <summary>It stays as it is.</summary>
    Keep,
}

/// <summary>Which records are learned from.</summary>
public enum LearnMode
{
    /// <summary>
    /// Those that are not too far from every component, unless they keep coming; the units follow what comes to life after the first
    /// records.
    /// </summary>
    Bounded,

    /// <summary>All, each with its weight: plain EM, in the units of the first records.</summary>
    Always,

    /// <summary>Those whose p-value is not too low, unless such records last; the calibration is kept from the others too.</summary>
    Gated,

    /// <summary>None once enough were: records are scored by what was learned, and by the calibration of then.</summary>
    Frozen,
}

/// <summary>Whether iterates are averaged, beside the parameters as they are.</summary>
public enum Averaging
{
    /// <summary>They are not.</summary>
    None,

    /// <summary>Over the last half of the stream so far (Polyak-Ruppert).</summary>
    Tail,
}

/// <summary>How a model learns from its stream.</summary>
public sealed record LearningOptions
{
    /// <summary>Statistics or parameter recursion.</summary>
    public Recursion Recursion { get; init; } = Recursion.Statistics;

    /// <summary>How responsibilities are made.</summary>
    public Responsibilities Responsibilities { get; init; } = new();

    /// <summary>The step size schedule.</summary>
    public StepSizeOptions StepSize { get; init; } = new();

    /// <summary>Records per minibatch.</summary>
    public int MinibatchSize { get; init; } = 512;

    /// <summary>How learning starts.</summary>
    public InitializationOptions Initialization { get; init; } = new();

    /// <summary>Whether features are standardised by location and scale of the buffer.</summary>
    public bool Standardize { get; init; } = true;

    /// <summary>Which records are learned from.</summary>
    public LearnMode Learn { get; init; }

    /// <summary>Gated: the p-value below which a record is not learned.</summary>
    public double LearnAbove { get; init; } = 0.001;

    /// <summary>
    /// Gated: the span of records, the newest counting most (exponential weights), of which more than half were not learned where that is
    /// a new normal, to be learned.
    /// </summary>
    public double ConfirmAfter { get; init; } = 1000;

    /// <summary>Frozen: the records learned before; null: none beyond those that the parameters came with.</summary>
    public int? FreezeAfter { get; init; }

    /// <summary>What happens to dead components.</summary>
    public DeadComponents DeadComponents { get; init; } = DeadComponents.Reseed;

    /// <summary>Whether the iterates are averaged too.</summary>
    public Averaging Averaging { get; init; }

    /// <summary>Whether parameters are given intervals.</summary>
    public bool Intervals { get; init; }

    /// <summary>Times of the records that nothing is learned from; null for none.</summary>
    public Calendar? Calendar { get; init; }

    /// <summary>How a lasting fall of the log-likelihood is noticed and answered; null: not by this.</summary>
    public DriftOptions? Drift { get; init; }

    /// <summary>Half-life of the anomaly score's memory in records; null remembers the whole stream.</summary>
    public double? AnomalyHalfLife { get; init; }
}
