using StreamEm.Sources;

namespace StreamEm.Worker.Tests.Support;

/// <summary>
/// Records in memory, offset = index: every item is a row, or null for a record that is rejected. Replayable like a file.
/// </summary>
internal sealed class MemorySource(
    IReadOnlyList<double[]?> items, SourcePosition position, bool isReplayable = true, bool endless = false) : RecordSource
{
    private const string Partition = "memory";
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _next = position.Partitions.TryGetValue(Partition, out PartitionPosition? start) ? start.Next : 0;

    public override bool IsReplayable => isReplayable;

    /// <summary>Completes when an endless source has given all it has and waits.</summary>
    public Task Drained => _drained.Task;

    /// <summary>The most records a batch gets.</summary>
    public int MostPerBatch { get; init; } = int.MaxValue;

    public SourceException? FailAtEnd { get; init; }

    /// <summary>Key and time of the record at an offset; null: they have none.</summary>
    public Func<long, (string Key, long Timestamp)>? Names { get; init; }

    /// <summary>The trace that the record at an offset comes with; null: none does.</summary>
    public Func<long, RecordTrace>? Traces { get; init; }

    public override async ValueTask<bool> ReadAsync(RecordBatch batch, CancellationToken cancellationToken)
    {
        batch.Clear(Partition, identity: "same", _next);
        while (_next < items.Count && !batch.IsFull && batch.Count + batch.Rejected.Count < MostPerBatch)
        {
            long offset = _next++;
            if (items[(int)offset] is { } row)
            {
                row.CopyTo(batch.NextRow);
                if (Names?.Invoke(offset) is { } name) batch.Commit(_next, 1, key: batch.Texts.Number(name.Key), timestamp: name.Timestamp);
                else batch.Commit(_next);
                if (Traces is not null) batch.KeepTrace(batch.Count - 1, Traces(offset));
            }
            else
            {
                batch.Reject(RejectionReason.NotANumber, "column 'x' holds a text of 4 bytes, expected a number", offset, _next, "text");
            }
        }

        if (batch.Count > 0 || batch.Rejected.Count > 0) return true;
        _drained.TrySetResult();
        if (FailAtEnd is not null) throw FailAtEnd;
        if (endless) await Task.Delay(Timeout.Infinite, cancellationToken);
        return false;
    }
}
