namespace StreamEm.Core.Learning;

/// <summary>What a learner did that is no part of its ordinary work.</summary>
internal enum LearnerEventKind
{
    /// <summary>The parameters were initialised anew.</summary>
    StartedAnew,

    /// <summary>A feature came to life and has units of its own.</summary>
    FeatureAwake,

    /// <summary>Records that were too far keep coming and are learned from.</summary>
    ChangeLearned,

    /// <summary>A component was moved to a cluster of records that were too far.</summary>
    ClusterLearned,

    /// <summary>Records that were kept from learning lasted: they are a new normal.</summary>
    NewNormal,

    /// <summary>What was in quarantine is no more frequent than strays ever were, and normal.</summary>
    Released,

    /// <summary>The log-likelihood has been lower than before for long.</summary>
    Drifted,

    /// <summary>The parameters went back to those of an earlier version, because a person asked for it; the subject is that.</summary>
    Reverted,

    /// <summary>The first records are spread wider about their components than the family says.</summary>
    Overdispersed,
}

/// <summary>Something that happened.</summary>
/// <param name="Kind">What.</param>
/// <param name="Update">With which update.</param>
/// <param name="Subject">To which feature; empty for all.</param>
internal readonly record struct LearnerEvent(LearnerEventKind Kind, long Update, string Subject);

/// <summary>The newest event of every kind and subject. Part of the state.</summary>
internal sealed class LearnerEvents
{
    private readonly List<LearnerEvent> _all = [];

    /// <summary>The events, oldest first.</summary>
    public IReadOnlyList<LearnerEvent> All => _all;

    /// <summary>Takes an event, in place of an earlier one like it.</summary>
    public void Add(LearnerEventKind kind, long update, string subject = "")
    {
        _all.RemoveAll(known => known.Kind == kind && known.Subject == subject);
        _all.Add(new LearnerEvent(kind, update, subject));
    }

    /// <summary>Takes over the events of another state.</summary>
    public void CopyFrom(LearnerEvents other)
    {
        _all.Clear();
        _all.AddRange(other._all);
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(_all.Count);
        foreach (LearnerEvent item in _all)
        {
            writer.Write((int)item.Kind);
            writer.Write(item.Update);
            writer.Write(item.Subject);
        }
    }

    public void Load(BinaryReader reader)
    {
        _all.Clear();
        for (int count = reader.ReadInt32(); count > 0; count--)
        {
            var kind = (LearnerEventKind)reader.ReadInt32();
            if (!Enum.IsDefined(kind)) throw new InvalidDataException($"The state is damaged: it has an event {(int)kind}.");
            _all.Add(new LearnerEvent(kind, reader.ReadInt64(), reader.ReadString()));
        }
    }
}
