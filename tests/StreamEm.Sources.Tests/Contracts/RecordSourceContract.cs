using StreamEm.Core.Features;

namespace StreamEm.Sources.Tests.Contracts;

/// <summary>What every source promises. An inheriting class says how to make one that holds <see cref="Lines"/>.</summary>
public abstract class RecordSourceContract
{
    private const int Records = 60;

    /// <summary>Features <c>a</c> and <c>b</c>, label <c>l</c>.</summary>
    protected static RecordSchema Schema { get; } = new() { Features = ["a", "b"], Label = "l" };

    /// <summary>NDJSON lines; every seventh cannot be used.</summary>
    protected static IReadOnlyList<string> Lines { get; } =
        [.. Enumerable.Range(0, Records)
            .Select(i => i % 7 == 3 ? $"{{\"a\":{i}" : $"{{\"a\":{i},\"b\":{i}.5,\"l\":\"{(char)('x' + (i % 2))}\"}}")];

    /// <summary>A source that holds <see cref="Lines"/> and then ends, at a position.</summary>
    protected abstract RecordSource Open(SourcePosition start);

    /// <summary>A source that has nothing to read for now.</summary>
    protected abstract RecordSource OpenIdle();

    [Fact]
    public async Task ReadAsync_WholeSource_YieldsEveryRecordInOrder()
    {
        await using RecordSource source = Open(new SourcePosition());
        List<ReadRecord> all = await ReadRecord.AllAsync(source, dimension: 2);

        Assert.Equal(Records, all.Count);
        for (int i = 0; i < Records; i++)
        {
            if (i % 7 == 3) Assert.Contains($"JsonSyntax: {Lines[i]}", all[i].Text, StringComparison.Ordinal);
            else Assert.StartsWith($"[{i} {i}.5] ", all[i].Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task ReadAsync_AtEveryBatchSize_YieldsTheSame()
    {
        await using RecordSource reference = Open(new SourcePosition());
        List<ReadRecord> expected = await ReadRecord.AllAsync(reference, dimension: 2, capacity: 1000);
        foreach (int capacity in new[] { 1, 2, 3, 10 })
        {
            await using RecordSource source = Open(new SourcePosition());
            List<ReadRecord> all = await ReadRecord.AllAsync(source, dimension: 2, capacity);
            Assert.Equal(expected.Select(record => record.Text), all.Select(record => record.Text));
        }
    }

    [Fact]
    public async Task ReadAsync_Positions_GrowAndEndWithEndOffset()
    {
        await using RecordSource source = Open(new SourcePosition());
        var batch = new RecordBatch(2, 4);
        var last = new Dictionary<string, long>(StringComparer.Ordinal);
        while (await source.ReadAsync(batch, TestContext.Current.CancellationToken))
        {
            Assert.NotEqual("", batch.PartitionName);
            long before = last.GetValueOrDefault(batch.PartitionName, -1);
            for (int row = 0; row < batch.Count; row++)
            {
                Assert.True(batch.NextOffset(row) > before);
                before = batch.NextOffset(row);
            }
            Assert.True(batch.EndOffset >= before);
            Assert.All(batch.Rejected, record => Assert.Equal(batch.PartitionName, record.PartitionName));
            last[batch.PartitionName] = batch.EndOffset;
        }
        Assert.Equal(0, batch.Count);
        Assert.Empty(batch.Rejected);
        Assert.False(await source.ReadAsync(batch, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task ReadAsync_FromEveryPosition_YieldsExactlyTheRest()
    {
        await using RecordSource whole = Open(new SourcePosition());
        if (!whole.IsReplayable) Assert.Skip("This source cannot be read again.");
        List<ReadRecord> all = await ReadRecord.AllAsync(whole, dimension: 2);
        var position = new SourcePosition();
        for (int i = 0; i < all.Count; i++)
        {
            if (all[i].Next < 0) continue;
            position.Set(all[i].PartitionName, new PartitionPosition(all[i].Next, all[i].Identity));
            await using RecordSource rest = Open(position.Copy());
            List<ReadRecord> left = await ReadRecord.AllAsync(rest, dimension: 2);
            Assert.Equal(all.Skip(i + 1).Select(record => record.Text), left.Select(record => record.Text));
        }
    }

    [Fact]
    public async Task ReadAsync_SameLabel_IsTheSameObject()
    {
        await using RecordSource source = Open(new SourcePosition());
        var batch = new RecordBatch(2, 1000);
        var labels = new HashSet<string>(ReferenceEqualityComparer.Instance);
        while (await source.ReadAsync(batch, TestContext.Current.CancellationToken))
        {
            for (int row = 0; row < batch.Count; row++) labels.Add(batch.Label(row)!);
        }
        Assert.Equal(2, labels.Count);
    }

    [Fact]
    public async Task ReadAsync_CancelledBeforehand_ThrowsAndLosesNothing()
    {
        await using RecordSource source = Open(new SourcePosition());
        var batch = new RecordBatch(2, 1000);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await source.ReadAsync(batch, new CancellationToken(canceled: true)));
        Assert.Equal(Records, (await ReadRecord.AllAsync(source, dimension: 2)).Count);
    }

    [Fact]
    public async Task Complete_WhileRecordsWait_LosesNone()
    {
        await using RecordSource source = Open(new SourcePosition());
        source.Complete();
        Assert.Equal(Records, (await ReadRecord.AllAsync(source, dimension: 2)).Count);
    }

    [Fact]
    public async Task Complete_WhileWaiting_EndsTheSourceIfItSaysSo()
    {
        await using RecordSource source = OpenIdle();
        using var cancel = new CancellationTokenSource();
        Task<bool> waiting = source.ReadAsync(new RecordBatch(2), cancel.Token).AsTask();

        bool endsItself = source.Complete();

        Assert.Equal(endsItself, source.Complete());
        if (endsItself) Assert.False(await waiting.WaitAsync(TestContext.Current.CancellationToken));
        else Assert.False(waiting.IsCompleted);
        await cancel.CancelAsync();
        if (!endsItself) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    [Fact]
    public async Task DisposeAsync_NeverRead_HasNothingToWaitFor()
    {
        RecordSource source = Open(new SourcePosition());
        await source.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task ReadAsync_CancelledWhileWaiting_Throws()
    {
        await using RecordSource source = OpenIdle();
        using var cancel = new CancellationTokenSource();
        var batch = new RecordBatch(2, 1000);
        Task<bool> waiting = source.ReadAsync(batch, cancel.Token).AsTask();
        Assert.False(waiting.IsCompleted);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }
}
