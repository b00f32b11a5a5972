using StreamEm.Sources;

namespace StreamEm.Worker.Tests.Support;

/// <summary>Records in memory, offset = index, as many as the test has given so far. Replayable like a file that grows.</summary>
internal sealed class GivenSource : RecordSource
{
    private const string Partition = "memory";
    private readonly SemaphoreSlim _more = new(0);
    private readonly IReadOnlyList<double[]?> _items;
    private long _next;
    private volatile int _limit;

    public GivenSource(IReadOnlyList<double[]?> items, SourcePosition position, int given)
    {
        (_items, _limit) = (items, given);
        _next = position.Partitions.TryGetValue(Partition, out PartitionPosition? start) ? start.Next : 0;
    }

    public override bool IsReplayable => true;

    /// <summary>Records handed out so far, those before the start included.</summary>
    public long Given => Volatile.Read(ref _next);

    /// <summary>Records given so far.</summary>
    public int Limit => _limit;

    /// <summary>Gives some more.</summary>
    public void Give(int count)
    {
        _limit += count;
        _more.Release();
    }

    public override async ValueTask<bool> ReadAsync(RecordBatch batch, CancellationToken cancellationToken)
    {
        while (_next >= _limit) await _more.WaitAsync(cancellationToken);
        batch.Clear(Partition, identity: "same", _next);
        for (; _next < _limit && !batch.IsFull; Volatile.Write(ref _next, _next + 1))
        {
            _items[(int)_next]!.CopyTo(batch.NextRow);
            batch.Commit(_next + 1);
        }

        return true;
    }
}
