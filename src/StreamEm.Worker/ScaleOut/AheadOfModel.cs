using StreamEm.Sources;
using StreamEm.Worker.Checkpoints;

namespace StreamEm.Worker.ScaleOut;

/// <summary>
/// What others have written of partitions and the model does not have yet: with transactions their next worker begins behind it, as if it
/// were its own.
/// </summary>
internal static class AheadOfModel
{
    /// <summary>Moves the places of partitions behind it.</summary>
    /// <param name="topics">The topics.</param>
    /// <param name="newest">The model.</param>
    /// <param name="partitions">The partitions.</param>
    /// <param name="places">Where the model stands; moved.</param>
    /// <param name="inFlight">What is sent and not in the model; this is added.</param>
    /// <param name="stop">Stops it.</param>
    /// <returns>The ranges.</returns>
    public static List<RecordRange> Pass(ScaleOutTopics topics, Checkpoint newest, IReadOnlyCollection<string> partitions,
        SourcePosition places, InFlight inFlight, CancellationToken stop)
    {
        var ranges = new RangeLedger(places);
        var ahead = new List<RecordRange>();
        topics.ReadAhead(newest, Take, stop);
        return ahead;

        void Take(long offset, StatisticsMessage message)
        {
            RecordRange range = message.Range;
            bool isNext = message.ModelId == newest.ModelId && message.RunId == newest.RunId && partitions.Contains(range.Partition)
                && ranges.FitOf(range, message.Begins) == RangeFit.Next;
            if (!isNext) return;
            ranges.Advance(range, message.Identity);
            inFlight.Add(range)(offset);
            ahead.Add(range);
        }
    }
}
