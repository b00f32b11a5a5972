using StreamEm.Worker.Failures;

namespace StreamEm.Worker.Pipeline;

/// <summary>One worker of several that learn a model together: what a <see cref="ModelPipeline"/> runs in place of a learner of its own.
/// Life cycle: <see cref="Run"/> once, disposed after it.</summary>
internal abstract class Replica : IDisposable
{
    /// <summary>Where the model stands.</summary>
    public abstract ModelState State { get; }

    /// <summary>The run that is learned; null before there is one.</summary>
    public abstract string? RunId { get; }

    /// <summary>Why it does not go on; null when all is well.</summary>
    public abstract Obstacle? Obstacle { get; }

    /// <summary>Asks for what the model of a key has learned. Any thread, at any time.</summary>
    public abstract Task<KeyAnswer> DescribeKeyAsync(string key);

    /// <summary>Asks who learns the model with this worker, and how far it is. Any thread, at any time.</summary>
    /// <returns>Null while it does not learn.</returns>
    public abstract Task<SharedWork?> DescribeWorkAsync(CancellationToken cancellationToken);

    /// <summary>From the first record to the stop. Never throws.</summary>
    public abstract PipelineEnd Run(CancellationToken stop);

    /// <inheritdoc/>
    public abstract void Dispose();
}
