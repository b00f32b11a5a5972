using StreamEm.Worker.Checkpoints;

namespace StreamEm.Worker.ScaleOut;

/// <summary>
/// The states of one model as its topic holds them, of which the one counts that has folded most. Of two runs that two reducers may have
/// begun at once the first in the topic is the model's; what another run writes does not count.
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

        if (Newest is { } newest && (state.RunId != newest.RunId || state.StatisticsNext <= newest.StatisticsNext)) return false;
        Newest = state;
        return true;
    }
}
