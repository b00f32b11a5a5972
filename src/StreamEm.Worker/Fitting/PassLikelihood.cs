using StreamEm.Core.Learning;

namespace StreamEm.Worker.Fitting;

/// <summary>
/// The mean log-likelihood of a pass over the data, test-then-train: every record counts as it was worth under the parameters before its
/// minibatch, so that it says how well the stream was predicted and needs no penalty for the number of parameters (Dawid 1984).
/// </summary>
internal sealed class PassLikelihood
{
    private double _sum;
    private long _before;

    /// <summary>Records learned from in the pass.</summary>
    public long Records { get; private set; }

    /// <summary>Nats per record, user units; NaN when there was none.</summary>
    public double Mean => _sum / Records;

    /// <summary>Begins a pass.</summary>
    public void Begin(Learner learner) => (_sum, Records, _before) = (0, 0, learner.Records);

    /// <summary>Takes what the learner's last update said.</summary>
    public void Take(Learner learner)
    {
        long count = learner.Records - _before;
        _before = learner.Records;
        if (!double.IsFinite(learner.MeanLogLikelihood)) return;
        _sum += learner.MeanLogLikelihood * count;
        Records += count;
    }
}
