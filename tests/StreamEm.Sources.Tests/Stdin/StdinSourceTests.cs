using System.IO.Pipelines;
using System.Text;
using StreamEm.Sources.Decoding;
using StreamEm.Sources.Stdin;
using StreamEm.Sources.Tests.Contracts;

namespace StreamEm.Sources.Tests.Stdin;

[ContractOf(nameof(StdinSource))]
public sealed class StdinSourceTests : RecordSourceContract
{
    protected override RecordSource Open(SourcePosition start) =>
        new StdinSource(new StdinSourceOptions { BufferBytes = 64 }, new SourceContext(Schema, start, TimeProvider.System),
            new MemoryStream(Encoding.UTF8.GetBytes(string.Join('\n', Lines))));

    protected override RecordSource OpenIdle() =>
        new StdinSource(new StdinSourceOptions(), new SourceContext(Schema, new SourcePosition(), TimeProvider.System),
            new Pipe().Reader.AsStream());

    [Fact]
    public async Task ReadAsync_PartOfTheInput_ReturnsWhatIsAtHand()
    {
        var pipe = new Pipe();
        await using var source = new StdinSource(new StdinSourceOptions { Format = RecordFormat.Csv },
            new SourceContext(Schema, new SourcePosition(), TimeProvider.System), pipe.Reader.AsStream());
        var batch = new RecordBatch(2);
        await pipe.Writer.WriteAsync("a,b,l\n1,2,x\n3,"u8.ToArray(), TestContext.Current.CancellationToken);

        Assert.True(await source.ReadAsync(batch, TestContext.Current.CancellationToken));
        Assert.Equal(1, batch.Count);

        Task<bool> waiting = source.ReadAsync(batch, TestContext.Current.CancellationToken).AsTask();
        Assert.False(waiting.IsCompleted);
        await pipe.Writer.WriteAsync("4,y\n"u8.ToArray(), TestContext.Current.CancellationToken);
        Assert.True(await waiting);
        Assert.Equal([3.0, 4.0], batch.Row(0).ToArray());
    }

    [Fact]
    public async Task ReadAsync_CancelledDuringARead_KeepsTheBytesOfThatRead()
    {
        var pipe = new Pipe();
        await using var source = new StdinSource(
            new StdinSourceOptions(), new SourceContext(Schema, new SourcePosition(), TimeProvider.System), pipe.Reader.AsStream());
        var batch = new RecordBatch(2);
        using var cancel = new CancellationTokenSource();
        Task<bool> waiting = source.ReadAsync(batch, cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);

        await pipe.Writer.WriteAsync("{\"a\":1,\"b\":2}\n"u8.ToArray(), TestContext.Current.CancellationToken);
        Assert.True(await source.ReadAsync(batch, TestContext.Current.CancellationToken));
        Assert.Equal([1.0, 2.0], batch.Row(0).ToArray());
    }

    [Fact]
    public async Task ReadAsync_AfterAnEarlierRun_GoesOnCounting()
    {
        var start = new SourcePosition();
        start.Set(StdinSource.PartitionName, new PartitionPosition(100));
        await using var source = new StdinSource(
            new StdinSourceOptions(), new SourceContext(Schema, start, TimeProvider.System), new MemoryStream("{\"a\":1}\n"u8.ToArray()));
        var batch = new RecordBatch(2);
        Assert.True(await source.ReadAsync(batch, TestContext.Current.CancellationToken));
        Assert.Equal(108, batch.NextOffset(0));
        Assert.False(source.IsReplayable);
    }
}
