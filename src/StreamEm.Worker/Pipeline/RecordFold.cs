using StreamEm.Core.Learning;
using StreamEm.Sources;
using StreamEm.Worker.Rejections;
using StreamEm.Worker.Scoring;

namespace StreamEm.Worker.Pipeline;

/// <summary>
/// Walks batches of records in order and folds them into a learner: rejected records are counted and kept aside at their place among the
/// others, accepted ones are learned from, and the position follows. One thread at a time.
/// </summary>
internal sealed class RecordFold(
    Learner learner, SourcePosition position, RejectionLedger rejections, RejectionSink? sink, double stopAboveRatio)
{
    /// <summary>What learns.</summary>
    public Learner Learner => learner;

    /// <summary>The next record of every partition, as of the last update or the end of the last batch.</summary>
    public SourcePosition Position => position;

    /// <summary>What was read and rejected.</summary>
    public RejectionLedger Rejections => rejections;

    /// <summary>Where rejected records go; null counts them only.</summary>
    public RejectionSink? RejectedTo => sink;

    /// <summary>Called after every update, with the position already at the next record.</summary>
    public required Action Updated { get; init; }

    /// <summary>Called with the records that are taken next, before they are.</summary>
    public Action<TakenRecords>? Taking { get; init; }

    /// <summary>Called before what is pending is learned from although it is less than a minibatch.</summary>
    public Action<bool>? Flushing { get; init; }

    /// <summary>Called for every rejected record, before it is kept aside.</summary>
    public Action<RejectedRecord>? Rejected { get; init; }

    /// <summary>Folds the rows of a batch until its end, or until <paramref name="stop"/> is asked for and an update is finished.</summary>
    /// <returns>What to tell the user when too many records were rejected; else null.</returns>
    public string? Fold(RecordBatch batch, CancellationToken stop = default)
    {
        int rejected = 0, row = 0;
        foreach (MovedPartition moved in batch.Moved) position.Take(moved);
        while (row < batch.Count)
        {
            bool anyRejected = false;
            for (; rejected < batch.Rejected.Count && batch.Rejected[rejected].BeforeRow <= row; rejected++, anyRejected = true)
                Reject(batch.Rejected[rejected]);

            // Up to the next update or rejected record at once; after a rejected record one, so that the check below comes where it always
            // does.
            int end = rejected < batch.Rejected.Count ? batch.Rejected[rejected].BeforeRow : batch.Count;
            int count = anyRejected ? 1 : Math.Min(end - row, learner.Room);
            Add(batch, row, count);
            row += count;
            bool updated = learner.TryUpdate();
            if (updated) UpdateAt(batch, row - 1);

            string? excess = anyRejected ? rejections.Excess(stopAboveRatio, atEnd: false) : null;
            if (excess is null && !(updated && stop.IsCancellationRequested)) continue;
            position.Set(batch.PartitionName, batch.PositionAfter(row - 1));
            return excess;
        }

        bool anyLeft = rejected < batch.Rejected.Count;
        for (; rejected < batch.Rejected.Count; rejected++) Reject(batch.Rejected[rejected]);
        rejections.FilterOut(batch.FilteredOut);
        position.Set(batch.PartitionName, batch.EndPosition);
        return anyLeft ? rejections.Excess(stopAboveRatio, atEnd: false) : null;
    }

    /// <summary>Learns from what is pending as far as that is enough.</summary>
    public void CatchUp()
    {
        while (learner.TryUpdate()) Updated();
    }

    /// <summary>Learns from what is pending although it is less than a minibatch.</summary>
    /// <param name="hasEnded">Whether no more records will come: every sequence is over then.</param>
    public void Flush(bool hasEnded = true)
    {
        Flushing?.Invoke(hasEnded);
        while (learner.TryUpdate(flush: true, hasEnded)) Updated();
    }

    private void Add(RecordBatch batch, int first, int count)
    {
        var taken = new TakenRecords(batch, first, count, learner.Features?.Make(batch.Records, first, count) ?? batch.Records);
        Taking?.Invoke(taken);
        rejections.Accept(batch, first, count);
        learner.Add(taken.Made, taken.FirstMade, count);
    }

    private void UpdateAt(RecordBatch batch, int row)
    {
        position.Set(batch.PartitionName, batch.PositionAfter(row));
        do Updated();
        while (learner.TryUpdate());
    }

    private void Reject(RejectedRecord record)
    {
        rejections.Reject(record.Reason);
        // Before the record is written, which may have to wait for brokers: it is known by then what they are waited for.
        Rejected?.Invoke(record);
        sink?.Write(record);
    }
}
