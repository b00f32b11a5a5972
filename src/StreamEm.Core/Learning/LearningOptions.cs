using StreamEm.Core.Estimation;
using StreamEm.Core.Initialization;
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

/// <summary>How a model learns from its stream.</summary>
public sealed record LearningOptions
{
    /// <summary>Parameter or statistics recursion.</summary>
    public Recursion Recursion { get; init; } = Recursion.Parameters;

    /// <summary>The step size schedule.</summary>
    public StepSizeOptions StepSize { get; init; } = new();

    /// <summary>Records per minibatch.</summary>
    public int MinibatchSize { get; init; } = 512;

    /// <summary>How learning starts.</summary>
    public InitializationOptions Initialization { get; init; } = new();

    /// <summary>Whether features are standardised by location and scale of the buffer.</summary>
    public bool Standardize { get; init; } = true;

    /// <summary>What happens to dead components.</summary>
    public DeadComponents DeadComponents { get; init; } = DeadComponents.Reseed;

    /// <summary>Half-life of the anomaly score's memory in records; null remembers the whole stream.</summary>
    public double? AnomalyHalfLife { get; init; }
}
