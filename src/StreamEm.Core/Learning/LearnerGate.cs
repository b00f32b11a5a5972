using StreamEm.Core.Data;
using StreamEm.Core.Snapshots;

namespace StreamEm.Core.Learning;

/// <summary>What a learner does that is not to learn from every record.</summary>
public sealed partial class Learner
{
    private ScoreSession? _gated;

    /// <summary>
    /// Takes a person's word for a record: learning goes on as if it had known. Only of a mixture that grows, which keeps apart what is
    /// confirmed as normal.
    /// </summary>
    /// <param name="row">D values, user units, NaN = missing.</param>
    /// <param name="isNormal">What was said.</param>
    /// <returns>Components that are other than they were; null where the model cannot take a word.</returns>
    public int? Judge(ReadOnlySpan<double> row, bool isNormal)
    {
        if (_core is not { Growing: not null } core) return null;
        _latest = null;
        return core.Judge(row, isNormal);
    }

    /// <summary>Whether nothing is learned any more, or nothing at all from parameters that were given.</summary>
    private bool IsFrozen(LearnerCore core) => _options.Learn == LearnMode.Frozen
        && (Updates > 0 ? Records >= (_options.FreezeAfter ?? 0) : double.IsPositiveInfinity(core.State.EffectiveRows));

    /// <summary>An update without the rows that the gate holds back under the parameters and the calibration before it.</summary>
    private void UpdateGated(LearnerCore core, LearnGate gate, Minibatch minibatch, int count)
    {
        double worth = core.State.EffectiveRows / Math.Max(1, core.State.Shares.Length), countedAt = double.NaN;
        if (Updates > 0 && Learned(core) is { Calibration.Records: >= LearnGate.CalibratedFrom } learned)
        {
            Restore(core.Space, count);
            MinibatchCut cut = core.Cut;
            _gated = ScoreSession.OfStream(learned, cut.Keys, cut.Memory, cut.LengthsBefore, cut.SlotsOfMinibatch, _gated);
            (double[] logDensities, double[] anomalyScores, double[] pValues) = gate.Room(count);
            _gated.Score(_raw, logDensities.AsSpan(0, count), [], anomalyScores.AsSpan(0, count), pValues.AsSpan(0, count));
            gate.Begin(count, worth, holdsFar: false);
            gate.Hold(count);
            countedAt = learned.Calibration.LogDensityAt(gate.CountedAt);
        }
        else
        {
            gate.Begin(count, worth, holdsFar: core.State.Begun == 0);
        }
        core.Update(minibatch, count, _rows, _surprise, mayStartAnew: false, gate.Bound);
        bool isConfirmed = gate.IsConfirmedBy(count);
        for (int row = 0; row < count && gate.Held > 0; row++)
            if (gate.Bound.IsHeld(row)) _surprise.LogDensities[row] = double.NaN;
        Calibrate(core, count);
        if (gate.Counted > 0 && !double.IsNaN(countedAt)) _calibration.AddAt(countedAt, gate.Counted);
        if (!isConfirmed) return;
        _calibration.Clear();
        core.State.BeginAgain();
        core.Happened.Add(LearnerEventKind.NewNormal, core.State.Updates);
    }
}
