using Microsoft.Extensions.Time.Testing;
using StreamEm.Core.Features;
using StreamEm.Sources.Kafka;

namespace StreamEm.Sources.Tests.Kafka;

/// <summary>The partitions that one worker of several has: none of them holds up the others.</summary>
public sealed class SharedTurnsTests : IAsyncDisposable
{
    private const int Minibatch = 8;
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(200);

    private readonly FakeTimeProvider _time = new();
    private readonly RecordBatch _batch = new(1, 64);
    private readonly KafkaPartition[] _partitions = [.. Enumerable.Range(0, 2).Select(number => new KafkaPartition(
        new PartitionId("t", number), new PartitionPosition(0) { Turn = new PartitionTurn(0, 0, IsIdle: false) }))];
    private readonly long[] _put = new long[2], _read = new long[2];
    private readonly int[] _rests = new int[2];
    private KafkaSource? _source;

    public async ValueTask DisposeAsync()
    {
        if (_source is not null) await _source.DisposeAsync();
    }

    [Fact]
    public void Trickle_BesideAPartitionWithMany_CostsOneSmallMinibatchASecond()
    {
        Open();
        Put(1, 1000);

        // Ten seconds in which one partition gets a record five times a second.
        for (int step = 0; step < 50; step++)
        {
            Put(0, 1);
            PutEnd(0);
            Put(1, 12 * Minibatch);
            for (long goal = _read[1] + 12 * Minibatch; _read[1] < goal;) Read();
            _time.Advance(Step);
        }

        Assert.Equal(50 * 12 * Minibatch, _read[1]);
        Assert.InRange(_rests[0], 8, 12);
        Assert.InRange(_read[0], 44, 50);
    }

    [Fact]
    public async Task Turn_OfOneThatIsNotKnownToBeAtItsEnd_EndsAfterAMoment()
    {
        Open();
        Put(1, 100);

        Task<bool> reading = _source!.ReadAsync(_batch, TestContext.Current.CancellationToken).AsTask();
        Assert.False(reading.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(100));
        await Eventually.Within(reading);

        Assert.Equal(("t/0", true), (_batch.PartitionName, _batch.IsDecision));
        Read();
        Assert.Equal(("t/1", Minibatch), (_batch.PartitionName, _batch.Count));
    }

    [Fact]
    public void Resting_WithAMinibatchAtHand_IsTakenBackAtOnce()
    {
        Open();
        Put(1, 1000);
        PutEnd(0);
        while (_rests[0] == 0) Read();

        Put(0, Minibatch - 1);
        for (int turn = 0; turn < 5; turn++) Read();
        Assert.Equal(0, _read[0]);
        Put(0, 1);
        while (_read[0] < Minibatch) Read();

        Assert.Equal(1, _rests[0]);
    }

    [Fact]
    public void Resting_WithNobodyElseInTheRotation_IsTakenBackAtOnce()
    {
        Open();
        PutEnd(0);
        Put(1, 1);
        PutEnd(1);
        while (_read[1] == 0) Read();
        // Partition 1 has its turn; the other has given way to it and has a record again, and then this one is idle.
        Assert.Equal(1, _rests[0]);
        _time.Advance(TimeSpan.FromSeconds(1));
        Put(0, 1);
        while (_read[0] == 0) Read();

        Assert.Equal(1, _rests[1]);
    }

    [Fact]
    public void End_BehindOffsetsWithoutARecord_IsReached()
    {
        Open();
        Put(0, 1);
        // What ends a transaction takes an offset too.
        PutEnd(0, markers: 1);
        Put(1, 1000);
        while (_rests[0] == 0) Read();
        Assert.Equal(2, _batch.EndPosition.Next);

        PutEnd(0, markers: 2);
        do Read();
        while (_batch.PartitionName != "t/0");

        Assert.Equal((4, true), (_batch.EndPosition.Next, _batch.EndPosition.Turn!.IsIdle));
        Assert.True(_batch.IsDecision);
    }

    [Fact]
    public void End_OfAnIdlePartition_IsReachedToo()
    {
        Open();
        PutEnd(0, markers: 1);
        PutEnd(1, markers: 3);
        _time.Advance(TimeSpan.FromSeconds(1));
        Read();
        Assert.Equal(("t/0", 1), (_batch.PartitionName, _batch.EndPosition.Next));
        Read();
        Assert.Equal(("t/1", 3), (_batch.PartitionName, _batch.EndPosition.Next));
    }

    [Fact]
    public async Task Turn_OfAWorkerAlone_WaitsAsLongAsEver()
    {
        Open(isShared: false);
        Put(0, 1);
        PutEnd(0);
        Put(1, 100);
        while (_read[0] == 0) Read();

        Task<bool> reading = _source!.ReadAsync(_batch, TestContext.Current.CancellationToken).AsTask();
        _time.Advance(TimeSpan.FromMilliseconds(999));
        Assert.False(reading.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await Eventually.Within(reading);

        Assert.Equal(("t/0", true), (_batch.PartitionName, _batch.IsDecision));
    }

    private void Open(bool isShared = true)
    {
        var options = new KafkaSourceOptions { Brokers = ["nobody:1"], Topics = ["t"], Only = isShared ? ["t/0", "t/1"] : null };
        _source = new KafkaSource(options,
            new SourceContext(new RecordSchema { Features = ["x"] }, new SourcePosition(), _time) { MinibatchSize = Minibatch })
        { IsFed = true };
        _source.Inbox.Join(_partitions);
        Read();
        Read();
    }

    private void Put(int partition, int count)
    {
        byte[] value = KafkaBroker.Json(partition);
        _source!.Inbox.Put(_partitions[partition], [.. Enumerable.Range(0, count).Select(_ => new KafkaMessage(
            _put[partition]++, new MessageBytes(value, 0, value.Length), default, null, RecordBatch.NoTimestamp))]);
        _source.Inbox.Nudge();
    }

    private void PutEnd(int partition, int markers = 0) =>
        _source!.Inbox.PutEnd(_partitions[partition], _put[partition] += markers);

    /// <summary>Reads what is at hand: nothing is waited for.</summary>
    private void Read()
    {
        ValueTask<bool> reading = _source!.ReadAsync(_batch, TestContext.Current.CancellationToken);
        Assert.True(reading.IsCompletedSuccessfully, $"after {_read[0]} and {_read[1]} records it waits");
        int partition = _batch.PartitionName[^1] - '0';
        _read[partition] += _batch.Count;
        if (_batch.EndPosition.Turn is { IsIdle: true }) _rests[partition]++;
    }
}
