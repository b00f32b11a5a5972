using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Models;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Learning;

/// <summary>What is told of a stream beside its parameters: events of the components, how likely it was, and the average of the iterates.
/// Part of the state.</summary>
internal sealed class StreamHealth
{
    private readonly TailAverage? _tail;
    private readonly DriftWatch? _drift;
    private long _begun;

    /// <summary>Nothing has happened.</summary>
    /// <param name="layout">The parameters' blocks.</param>
    /// <param name="averaging">Whether iterates are averaged.</param>
    /// <param name="drift">How a drift is noticed; null: not at all.</param>
    public StreamHealth(VectorLayout layout, Averaging averaging, DriftOptions? drift)
    {
        _tail = averaging == Averaging.Tail ? new TailAverage(layout) : null;
        _drift = drift is null ? null : new DriftWatch(drift.RunLength);
    }

    /// <summary>What happened to the components lately.</summary>
    public ComponentEvents Events { get; } = new();

    /// <summary>How likely the stream was under the parameters before each minibatch.</summary>
    public LikelihoodWatch Likelihood { get; } = new();

    /// <summary>H(q) and KL(q || p(z given x)) of the last minibatch, nats per unit of weight; NaN where no row could be used.</summary>
    public (double Entropy, double Divergence) Latent { get; private set; } = (double.NaN, double.NaN);

    /// <summary>The average of the iterates, inside; null where there is none.</summary>
    public double[]? Average => _tail?.Average();

    /// <summary>Iterates in it.</summary>
    public long Averaged => _tail?.Count ?? 0;

    /// <summary>Takes an update.</summary>
    /// <param name="state">Where the model stands after it.</param>
    /// <param name="evidence">What the minibatch said.</param>
    /// <param name="meanLogLikelihood">Its mean log-likelihood, user units.</param>
    /// <param name="ids">The components' ids.</param>
    /// <returns>Whether the path of the iterates is broken: a component began anew, or the step size.</returns>
    public bool Take(StepwiseState state, Evidence evidence, double meanLogLikelihood, IReadOnlyList<string> ids)
    {
        Say(evidence);
        Likelihood.Take(meanLogLikelihood, evidence.Weight, state.Updates);
        Events.Take(state.Events, ids, state.Updates);
        bool isBroken = state.Begun != _begun;
        foreach (ModelEvent item in state.Events.All) isBroken |= item.Kind == ModelEventKind.Reseeded;
        if (!(evidence.Weight > 0)) return isBroken;
        _begun = state.Begun;
        if (isBroken) _tail?.BeginAgain();
        _tail?.Take(state.Parameters);
        return isBroken;
    }

    /// <summary>Takes the mean log-likelihood of a minibatch under the parameters before it, user units.</summary>
    /// <returns>Whether it has been lower than before for long.</returns>
    public bool HasDrifted(double meanLogLikelihood) => _drift is not null && _drift.Take(meanLogLikelihood);

    /// <summary>Says what the log-likelihood of some rows is made of.</summary>
    public void Say(Evidence evidence) =>
        Latent = (evidence.Entropy / evidence.Weight, evidence.Divergence / evidence.Weight);

    /// <summary>Takes the place of a later one: what happened is that one's, how likely the stream was stays.</summary>
    /// <param name="later">The one whose place is taken.</param>
    /// <param name="moved">By how many updates the state has moved on.</param>
    public void GoOnFrom(StreamHealth later, long moved)
    {
        Events.CopyFrom(later.Events);
        _begun += moved;
    }

    /// <summary>What comes is in other units, or of other components.</summary>
    public void BeginAgain()
    {
        Likelihood.BeginAgain();
        _drift?.BeginAgain();
        _tail?.BeginAgain();
    }

    public void Save(BinaryWriter writer)
    {
        Events.Save(writer);
        Likelihood.Save(writer);
        writer.Write(Latent.Entropy);
        writer.Write(Latent.Divergence);
        writer.Write(_begun);
        writer.Write(_tail is not null);
        _tail?.Save(writer);
        writer.Write(_drift is not null);
        _drift?.Save(writer);
    }

    /// <summary>Reads what <see cref="Save"/> wrote; what a state has that is not wanted is passed over.</summary>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public void Load(BinaryReader reader, VectorLayout layout, StateVersion version)
    {
        Events.Load(reader);
        Likelihood.Load(reader);
        Latent = (reader.ReadDouble(), reader.ReadDouble());
        _begun = reader.ReadInt64();
        if (reader.ReadBoolean()) (_tail ?? new TailAverage(layout)).Load(reader);
        if (version >= StateVersion.Drift && reader.ReadBoolean()) (_drift ?? new DriftWatch(1)).Load(reader);
    }
}
