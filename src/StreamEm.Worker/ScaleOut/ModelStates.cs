using StreamEm.Worker.Checkpoints;

namespace StreamEm.Worker.ScaleOut;

/// <summary>
/// The states of one model as its topic holds them, of which the one counts that has folded most. Of two runs that two reducers may have
/// begun at once the first in the topic is the model's; what another run writes does not count.
/// <para>How much one has folded is told by the offset of the next message, which grows with every message folded. Only where the log was
/// cut or created again it falls: who finds that counts it in the state, and that count goes before the offset. So what is folded after the
/// cut is newer than all before it, and what a reducer that slept through it still writes of the log that is gone is not. Two who find the
/// same cut count the same; of their states, each of which has every record once or not at all, the one that is further is newer.</para>
/// </summary>
internal sealed class ModelStates
{
    /// <summary>The state that counts; null while there is none.</summary>
    public Checkpoint? Newest { get; private set; }

    /// <summary>Begins with a state that was found before.</summary>
    public void Begin(Checkpoint state) => Newest = state;

    /// <summary>Takes the next record of the topic.</summary>
    /// <param name="value">Its value; null takes nothing away: the model goes on.</param>
    /// <returns>Whether the state that counts is another one now.</returns>
    public bool Take(byte[]? value)
    {
        if (value is null || !CheckpointFile.IsCheckpoint(value)) return false;
        Checkpoint state;
        try
        {
            state = CheckpointFile.DecodeState(value);
        }
        catch (InvalidDataException)
        {
            // A damaged state is passed over: an earlier one and the statistics after it give the same.
            return false;
        }

        if (Newest is { } newest && (state.RunId != newest.RunId || !IsNewer(state, newest))) return false;
        Newest = state;
        return true;
    }

    /// <summary>Whether a state has more than another of the same run.</summary>
    public static bool IsNewer(Checkpoint state, Checkpoint than) =>
        (state.StatisticsCuts ?? 0, state.StatisticsNext ?? 0).CompareTo((than.StatisticsCuts ?? 0, than.StatisticsNext ?? 0)) > 0;
}
