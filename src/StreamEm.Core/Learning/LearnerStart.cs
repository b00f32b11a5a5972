using StreamEm.Core.Data;
using StreamEm.Core.Features;

namespace StreamEm.Core.Learning;

/// <summary>How a learner begins.</summary>
public sealed partial class Learner
{
    /// <summary>First parameters, or others, once the buffer is full of rows that say something.</summary>
    private bool TryInitialize(bool flush)
    {
        int buffer = _buffer;
        if (!flush && _pending.Count < buffer) return false;
        if (_options.Learn != LearnMode.Always && _model.Growth is null)
        {
            int evidence = 0;
            for (int row = 0; row < _pending.Count; row++)
                if (FirstRecords.IsEvidence(_pending, row)) evidence++;
            if (flush && _core is not null && evidence < Math.Max(FewestAnew, _model.RowsToStart(Dimension))) return false;
            if (!flush && 2L * evidence < buffer)
            {
                DropRowsWithoutEvidence();
                return false;
            }
        }
        if (_labels.AreClasses && !HasClasses(flush)) return false;
        _intake.FixLevels();
        FeatureSpace plan = _plan.WithLevels(d => [.. _intake.LevelsOf(d)]);
        if (_core is not null) _calibration.Clear();
        _core = _core?.Anew(plan, _pending) ?? LearnerCore.Initialize(Model, plan, _options, _pending, _threads);
        _core.State.SkipUnlearned(_dropped);
        _dropped = 0;
        return true;
    }

    /// <summary>
    /// Rows without weight or value cannot be what a model starts from: they are left out, however many come. One stays: a stream that ends
    /// without any other has a model that says so.
    /// </summary>
    private void DropRowsWithoutEvidence() =>
        Keep([.. Enumerable.Range(0, _pending.Count).Where(row => FirstRecords.IsEvidence(_pending, row))]);

    /// <summary>
    /// Whether the classes are known to begin with: two of them, or, at the end of a stream, one. Until then rows without a label wait in
    /// vain: half of the buffer is kept for those with one.
    /// </summary>
    private bool HasClasses(bool flush)
    {
        if (_labels.Known.Count >= (flush ? 1 : 2) || _labels.IsFixed) return true;
        if (flush) return false;
        int[] labelled = [.. Enumerable.Range(0, _pending.Count).Where(row => _pending.Label(row) != Minibatch.Unlabelled)];
        Keep(labelled.AsSpan(Math.Max(0, labelled.Length - _buffer / 2)));
        return false;
    }

    /// <summary>Leaves out the rows pending but for some, and at least the last.</summary>
    private void Keep(ReadOnlySpan<int> rows)
    {
        var kept = new Minibatch(Dimension, _pending.Count, _pending.Texts);
        kept.Append(_pending, rows);
        if (kept.Count == 0) kept.Append(_pending, [_pending.Count - 1]);
        _dropped += _pending.Count - kept.Count;
        _pending.Clear();
        _pending.Append(kept, 0, kept.Count);
    }
}
