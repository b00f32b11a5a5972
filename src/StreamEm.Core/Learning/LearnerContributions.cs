using StreamEm.Core.Calibration;
using StreamEm.Core.Data;
using StreamEm.Core.Models;

namespace StreamEm.Core.Learning;

/// <summary>
/// How one model learns from records that several workers read: each makes contributions under the newest state it knows, one folds all of
/// them in one order. The fold is a pure function of state and contributions.
/// </summary>
public sealed partial class Learner
{
    /// <summary>Why what is learned cannot be contributed by others; null when it can.</summary>
    public static string? RefusalToScaleOut(LatentModelOptions model, LearningOptions options)
    {
        if (model.Growth is not null)
            return "a mixture that grows has no statistics of a fixed length: its components come and go with single records";
        if (model.MaxKeys > 0 && model.Sequences.End == SequenceEnd.Whole)
            return "sequences: whole waits for the records of a sequence, as many as come, before one is learned from, and they are one "
                + "worker's; set sequences: endless";
        if (model.MaxKeys > 0 && model.Sequences.Lag > 0)
            return "sequences.lag has records wait for others of their key before they are learned from, and who waits is one worker; "
                + "leave lag out";
        if (options.Learn != LearnMode.Always)
            return $"learn: {options.Learn.ToString().ToLowerInvariant()} holds records back by what came before them, which is on other "
                + "workers; set learn: always";
        if (options.DeadComponents != DeadComponents.Keep)
            return "a dead component would begin anew at a record, which is on other workers; set dead_components: keep";
        return options.Drift is null ? null : "a drift is noticed on one worker's stream; leave learning.drift out";
    }

    /// <summary>
    /// Finds first parameters in the records pending and lets go of these: they are to be contributed like all others. False, and nothing
    /// done, where there are parameters, or too few records.
    /// </summary>
    /// <param name="flush">Whether fewer records than the buffer takes are enough.</param>
    public bool TryBegin(bool flush)
    {
        if (_core is not null || _pending.Count == 0 || !TryInitialize(flush)) return false;
        _core!.State.SkipUnlearned(-_core.State.Unlearned);
        TakeOff(_pending.Count);
        return true;
    }

    /// <summary>Whether there are parameters.</summary>
    public bool HasParameters => _core is not null;

    /// <summary>What the records pending, at least one and at most a minibatch, say under the parameters there are. They are done with; the
    /// state stays as it is.</summary>
    /// <param name="states">Of a model of endless sequences: where those of the keys stand, read of every key in the records, and written
    /// once that is known after them. The contribution is a function of parameters, records and these. Null for any other model.</param>
    /// <exception cref="InvalidOperationException">There are no parameters, no records, or no states of keys where there have to be.
    /// </exception>
    /// <exception cref="InvalidDataException">The state of a key is damaged, or of another model.</exception>
    public Contribution Contribute(KeyStates? states = null)
    {
        if (_core is not { } core || _pending.Count == 0)
            throw new InvalidOperationException("There is nothing to contribute: no parameters, or no records.");
        int count = Math.Min(_pending.Count, _options.MinibatchSize);
        Contribution made = core.Contribute(_pending, count, states, _rows, _surprise, () =>
        {
            var calibration = new StreamCalibration(Dimension, core.Model.Order == RowOrder.Any && !core.Space.HasTerms);
            calibration.Add(_rows, _surprise.IsComplete, _surprise.LogDensities.AsSpan(0, count), _surprise.Comparable, _surprise.Unit);
            using var stream = new MemoryStream();
            using (var writer = new BinaryWriter(stream)) calibration.Save(writer);
            return stream.ToArray();
        });
        TakeOff(count);
        return made;
    }

    /// <summary>Takes a contribution: one update.</summary>
    /// <param name="contribution">What was contributed, under these parameters or earlier ones.</param>
    /// <param name="damping">What its step is multiplied by, in (0, 1]: less than 1 for one that is stale.</param>
    /// <exception cref="InvalidDataException">It is of another model.</exception>
    public void Fold(Contribution contribution, double damping = 1)
    {
        LearnerCore core = _core ?? throw new InvalidOperationException("There are no parameters yet.");
        var calibration = new StreamCalibration(Dimension, core.Model.Order == RowOrder.Any && !core.Space.HasTerms);
        using (var reader = new BinaryReader(new MemoryStream(contribution.Calibration)))
            calibration.Load(reader, StateVersion.Current);
        core.Fold(contribution, damping);
        FadeCalibration(core, contribution.Records);
        _calibration.Add(calibration);
        _latest = null;
    }
}
