namespace StreamEm.Core.Models;

/// <summary>
/// What a model knows of every key of the stream between minibatches (the filter state of a hidden Markov model), by slot. Part of the
/// state. The rows of one minibatch are of different slots wherever they are worked on by different threads, so slots may be written in
/// parallel.
/// </summary>
public abstract class StreamMemory
{
    /// <summary>Forgets a slot: its next row begins a sequence.</summary>
    public abstract void Forget(int slot);

    /// <summary>Takes over everything another memory of the same model and size knows.</summary>
    public abstract void CopyFrom(StreamMemory other);

    /// <summary>Takes over what another memory of the same model knows of one of its slots.</summary>
    /// <param name="other">The other.</param>
    /// <param name="from">Its slot.</param>
    /// <param name="to">The slot here.</param>
    public abstract void CopyFrom(StreamMemory other, int from, int to);

    /// <summary>Writes all of it.</summary>
    public abstract void Save(BinaryWriter writer);

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    public abstract void Load(BinaryReader reader);
}

/// <summary>What an E-step may know beyond rows and parameters.</summary>
/// <param name="Memory">What is remembered of the keys in the rows, read and written; null when every sequence begins with the
/// rows.</param>
/// <param name="Update">The update the pass belongs to, from 1; 0 for a pass that belongs to none (scores, batch EM).</param>
/// <param name="Comparable">One per row of the minibatch; overwritten, for rows with missing values alone, by the log-density of a complete
/// record as improbable among complete ones as the row is among those with its values observed. Null leaves that out.</param>
public readonly record struct Pass(StreamMemory? Memory, long Update = 0, double[]? Comparable = null)
{
    /// <summary>
    /// Chance for a Monte Carlo E-step: the same for the same seed, update and row, whatever thread draws and whether the stream was
    /// stopped in between; another for every row and every update.
    /// </summary>
    /// <param name="seed">The model's.</param>
    /// <param name="key">The sequence the row is of; 0 where rows are of none.</param>
    /// <param name="position">The row's number in it; below 0 for what belongs to no row.</param>
    internal RowChance Chance(ulong seed, long key, long position) =>
        new(seed, Update, Numbers is not null && key >= 0 ? Numbers[key] : key, position);

    /// <summary>What chance has for the slots of keys, where these say nothing of the keys: who learns a key gives it another slot every
    /// time. Null where slots stay.</summary>
    internal long[]? Numbers { get; init; }

    /// <summary>What rows are held back by; null where every row is learned from.</summary>
    internal InfluenceBound? Bound { get; init; }

    /// <summary>Which rows are ahead: they follow those of their sequence that are learned from, weigh nothing, and are not what is
    /// remembered of it. Null where none is.</summary>
    internal bool[]? Ahead { get; init; }

    /// <summary>How responsibilities are made; null for Bayes' rule.</summary>
    internal ResponsibilityRule? Rule { get; init; }

    /// <summary>What <see cref="EStep.Infer"/> found of every row of the minibatch; null where rows are inferred with their statistics.
    /// </summary>
    internal double[]? Posteriors { get; init; }

    /// <summary>Whether labels say what a row is, even to a model that learns how far they may be trusted: of partitions at the
    /// start.</summary>
    internal bool LabelsAreCertain { get; init; }

    /// <summary>Whether few rows are scored as many are, to the same bits: how many come together depends on the moment.</summary>
    internal bool IsOfStream { get; init; }
}
