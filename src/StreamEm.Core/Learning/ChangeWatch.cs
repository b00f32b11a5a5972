using StreamEm.Core.Data;
using StreamEm.Core.Models;

namespace StreamEm.Core.Learning;

/// <summary>What the records held back have come to.</summary>
internal enum Change
{
    /// <summary>Nothing to do: single records, or not for long enough.</summary>
    None,

    /// <summary>They keep coming: they are part of the stream.</summary>
    Part,

    /// <summary>They keep coming and are more than half of it: the level has changed.</summary>
    Most,

    /// <summary>A quarter of the stream is ten times as far: the parameters are of another stream.</summary>
    Another,

    /// <summary>Hardly any record is far any more.</summary>
    Settled,
}

/// <summary>
/// Tells single absurd records and bursts of them from a stream that changed for good. Records are counted in windows of whole minibatches,
/// at least 512 records each; a window is away when 2 % of its weight is held back. A change is at least two windows away in a row, 2048
/// records together: a burst is over by then, a new level is not. Rows with a value that is no measurement (<see cref="HeldRows.Ties"/>)
/// count only when they are 5 % of a window. Part of the state.
/// </summary>
internal sealed class ChangeWatch
{
    private const int WindowRows = 512, RunRows = 2048, RunWindows = 2;

    /// <summary>The share of a stream that may be kept from learning for ever.</summary>
    public const double AwayShare = 0.02;

    /// <summary>The share of records being learned though they are far, below which a change has been learned; at most a quarter of the
    /// change's own.</summary>
    private const double SettledShare = 0.01, SettledPart = 0.25;

    /// <summary>The share of a stream from which a value that is always the same is a part of it.</summary>
    private const double TiedShare = 0.05;

    private long _rows, _runRows;
    private int _runWindows;
    private double _total, _held, _far, _remote, _tied, _runTotal, _runHeld, _runRemote, _runTied;
    private double _changeShare = 1;

    /// <summary>Whether a window has just ended that was not away.</summary>
    public bool IsQuiet => _rows == 0 && _runWindows == 0;

    /// <summary>Whether values that are no measurements are few in the run.</summary>
    public bool AreTiesFew => _runTied < TiedShare * _runTotal;

    /// <summary>Whether so much of the run's weight makes a change.</summary>
    public bool IsShare(double weight) => weight >= AwayShare * _runTotal;

    /// <summary>Takes a minibatch.</summary>
    /// <param name="rows">Its rows.</param>
    /// <param name="total">Weight of those with a value.</param>
    /// <param name="evidence">What it said: weights held back, far and remote.</param>
    /// <param name="tied">Weight of those held back for a value that is no measurement.</param>
    /// <param name="isHasty">Whether one window is enough: there is nothing to lose.</param>
    public Change Take(int rows, double total, Evidence evidence, double tied, bool isHasty)
    {
        (_rows, _total, _tied) = (_rows + rows, _total + total, _tied + tied);
        (_held, _far, _remote) = (_held + evidence.Held, _far + evidence.Far, _remote + evidence.Remote);
        if (_rows < WindowRows) return Change.None;
        double apart = _tied < TiedShare * _total ? _tied : 0, held = _held - apart, learned = _far - _held;
        bool isAway = held > 0 && held >= AwayShare * _total;
        if (isAway)
        {
            (_runRows, _runWindows, _runTied) = (_runRows + _rows, _runWindows + 1, _runTied + _tied);
            (_runTotal, _runHeld, _runRemote) = (_runTotal + _total, _runHeld + held, _runRemote + _remote - apart);
        }
        else
        {
            EndRun();
        }
        bool isSettled = learned < Math.Min(SettledShare, SettledPart * _changeShare) * _total;
        (_rows, _total, _held, _far, _remote, _tied) = (0, 0, 0, 0, 0, 0);
        if (!isAway) return isSettled ? Change.Settled : Change.None;
        if (!isHasty && (_runRows < RunRows || _runWindows < RunWindows)) return Change.None;
        _changeShare = _runHeld / _runTotal;
        if (_runRemote >= 0.25 * _runTotal) return Change.Another;
        return _runHeld < 0.5 * _runTotal ? Change.Part : Change.Most;
    }

    /// <summary>The run is over or has been answered.</summary>
    public void EndRun() => (_runRows, _runWindows, _runTotal, _runHeld, _runRemote, _runTied) = (0, 0, 0, 0, 0, 0);

    public void Save(BinaryWriter writer)
    {
        writer.Write(_rows);
        writer.Write(_runRows);
        writer.Write(_runWindows);
        foreach (double value in (ReadOnlySpan<double>)[_total, _held, _far, _remote, _runTotal, _runHeld, _runRemote, _tied, _runTied,
                 _changeShare])
            writer.Write(value);
    }

    public void Load(BinaryReader reader, StateVersion version)
    {
        (_rows, _runRows, _runWindows) = (reader.ReadInt64(), reader.ReadInt64(), reader.ReadInt32());
        (_total, _held, _far, _remote) = (reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble());
        (_runTotal, _runHeld, _runRemote) = (reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble());
        if (version >= StateVersion.Held) (_tied, _runTied, _changeShare) = (reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble());
    }
}
