using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;

namespace StreamEm.Core.Estimation;

/// <summary>Where a learner stands.</summary>
public enum LearnerStatus
{
    /// <summary>No record has come yet.</summary>
    Waiting,

    /// <summary>The buffer for the initialisation is filling.</summary>
    WarmingUp,

    /// <summary>There are parameters and they are being updated.</summary>
    Learning,
}

/// <summary>
/// The pure fold behind one model: (state, record) -> state. Buffers the start of the stream, initialises, cuts minibatches by count, updates,
/// calibrates. No clock, no I/O; the whole state is what <see cref="Save"/> writes, and <see cref="Load"/> goes on to the same bytes.
/// One thread at a time.
/// </summary>
public sealed class Learner
{
    /// <summary>A learner without state.</summary>
    /// <param name="model">The model's options.</param>
    /// <param name="dimension">Number of features D.</param>
    /// <param name="options">How to learn.</param>
    /// <param name="from">Parameters to start exactly at, in the user's units; null initialises from the buffer.</param>
    /// <param name="threads">Threads for one minibatch; the result does not depend on it.</param>
    public Learner(GaussianMixtureOptions model, int dimension, LearningOptions options, InitialParameters? from = null, int threads = 0) => throw new NotImplementedException();

    /// <summary>Where it stands.</summary>
    public LearnerStatus Status => throw new NotImplementedException();

    /// <summary>Number of features D.</summary>
    public int Dimension => throw new NotImplementedException();

    /// <summary>Updates so far: the version of the parameters.</summary>
    public long Updates => throw new NotImplementedException();

    /// <summary>Records learned from so far.</summary>
    public long Records => throw new NotImplementedException();

    /// <summary>Records taken but not learned from yet.</summary>
    public int Pending => throw new NotImplementedException();

    /// <summary>Called before every update with the minibatch (user units; valid during the call) and the scorer of the parameters before it. Null skips that work.</summary>
    public Action<Minibatch, Scorer>? BeforeUpdate { get; set; }

    /// <summary>Takes one record; D values in the user's units, NaN = missing. Copied.</summary>
    public void Add(ReadOnlySpan<double> values, double weight = 1, string? label = null, double target = double.NaN) => throw new NotImplementedException();

    /// <summary>
    /// Makes one update if a whole minibatch is pending (and, before the first one, the buffer is full); with <paramref name="flush"/> also if
    /// only part of one is. Call until it returns false after every <see cref="Add"/>, and with flush at the end of a finite stream or when a minibatch waited too long.
    /// </summary>
    public bool TryUpdate(bool flush = false) => throw new NotImplementedException();

    /// <summary>The current parameters and their report; null before the first update. The caller completes identity, time and source with <c>with</c>.</summary>
    public ModelSnapshot? CreateSnapshot(IReadOnlyList<string> features) => throw new NotImplementedException();

    /// <summary>Writes the whole state.</summary>
    public void Save(BinaryWriter writer) => throw new NotImplementedException();

    /// <summary>Reads what <see cref="Save"/> wrote with the same options into a new learner.</summary>
    /// <exception cref="InvalidDataException">The state is not of these options or is damaged.</exception>
    public void Load(BinaryReader reader) => throw new NotImplementedException();
}

/// <summary>Parameters to start exactly at, in the user's units.</summary>
/// <param name="Blocks">Values by block name: weights, means, covariances.</param>
/// <param name="Standardization">From a snapshot, if there is one; else derived from the parameters' own moments.</param>
public sealed record InitialParameters(IReadOnlyDictionary<string, double[]> Blocks, Standardization? Standardization);
