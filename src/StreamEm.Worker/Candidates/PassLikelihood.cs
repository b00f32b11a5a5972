using StreamEm.Core.Learning;

namespace StreamEm.Worker.Candidates;

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

    /// <summary>Writes the whole state.</summary>
    public void Save(BinaryWriter writer)
    {
        writer.Write(_sum);
        writer.Write(Records);
        writer.Write(_before);
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public void Load(BinaryReader reader)
    {
        (_sum, Records, _before) = (reader.ReadDouble(), reader.ReadInt64(), reader.ReadInt64());
        if (!double.IsFinite(_sum) || Records < 0 || _before < 0) throw new InvalidDataException("A log-likelihood so far is none.");
    }

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
