using Prometheus;
using StreamEm.Core.Estimation;

namespace StreamEm.Worker.Telemetry;

/// <summary>What the time of a model goes into. Names in metrics are in snake_case.</summary>
public enum Phase
{
    /// <summary>A batch is decoded, where nothing of it has to be waited for.</summary>
    Decode,

    /// <summary>All that the learner's thread does with a batch: updates, scores, alarms, rejected records.</summary>
    Learn,

    /// <summary>The E-step of a minibatch.</summary>
    Estep,

    /// <summary>The M-step of a minibatch.</summary>
    Mstep,

    /// <summary>A checkpoint is made durable.</summary>
    Checkpoint,

    /// <summary>A publisher takes the versions that are due.</summary>
    Publish,
}

/// <summary>How long the phases of one model take.</summary>
/// <param name="histograms">One for each <see cref="Phase"/>, in their order.</param>
internal sealed class PhaseHistograms(Histogram.Child[] histograms)
{
    /// <summary>Counts what one took. Any thread.</summary>
    public void Observe(Phase phase, TimeSpan took) => histograms[(int)phase].Observe(took.TotalSeconds);
}

/// <summary>Times the steps of updates, as the learner enters them. One thread.</summary>
internal sealed class UpdateClock(ModelMetrics metrics, TimeProvider time)
{
    private UpdatePhase _at = UpdatePhase.Done;
    private long _since;

    /// <summary>Takes note that the learner enters a step.</summary>
    public void Enter(UpdatePhase phase)
    {
        long now = time.GetTimestamp();
        if (_at != UpdatePhase.Done)
            metrics.Took(_at == UpdatePhase.Expectation ? Phase.Estep : Phase.Mstep, time.GetElapsedTime(_since, now));
        (_at, _since) = (phase, now);
    }
}
