using System.Text;
using StreamEm.Sources.Http;
using StreamEm.Sources.Tests.Contracts;

namespace StreamEm.Sources.Tests.Http;

[ContractOf(nameof(HttpPushSource))]
public sealed class HttpPushSourceTests : RecordSourceContract
{
    protected override RecordSource Open(SourcePosition start)
    {
        var source = new HttpPushSource(new HttpSourceOptions(), new SourceContext(Schema, start, TimeProvider.System));
        for (int i = 0; i < Lines.Count; i += 9) Push(source, string.Join('\n', Lines.Skip(i).Take(9)));
        source.Complete();
        return source;
    }

    protected override RecordSource OpenIdle() =>
        new HttpPushSource(new HttpSourceOptions(), new SourceContext(Schema, new SourcePosition(), TimeProvider.System));

    private static PushResult Push(HttpPushSource source, string body, RequestFormat format = RequestFormat.Ndjson) =>
        source.TryPush(Encoding.UTF8.GetBytes(body), format);

    [Fact]
    public async Task TryPush_SomeRejected_CountsBothAndKeepsPositions()
    {
        await using var source =
            new HttpPushSource(new HttpSourceOptions(), new SourceContext(Schema, new SourcePosition(), TimeProvider.System));
        Assert.Equal(new PushResult(PushStatus.Taken, 2, 1), Push(source, "{\"a\":1,\"b\":2}\n\nrubbish\n{\"a\":3,\"b\":4}\n"));
        Assert.Equal(3, source.Queued);

        var batch = new RecordBatch(2);
        Assert.True(await source.ReadAsync(batch, TestContext.Current.CancellationToken));
        Assert.Equal(2, batch.Count);
        Assert.Equal(1, batch.NextOffset(0));
        Assert.Equal(3, batch.NextOffset(1));
        RejectedRecord rejected = Assert.Single(batch.Rejected);
        Assert.Equal((RejectionReason.JsonSyntax, 1L, 1, "rubbish"), (rejected.Reason, rejected.Offset, rejected.BeforeRow, rejected.Text));
        Assert.Equal(0, source.Queued);
    }

    [Theory]
    [InlineData("{\"records\":[{\"a\":1,\"b\":2},{\"a\":3,\"b\":4}]}", 2, 0)]
    [InlineData("[{\"a\":1,\"b\":2},7,{\"a\":3,\"b\":4}]", 2, 1)]
    [InlineData("{\"a\":1,\"b\":[2]}", 0, 1)]
    [InlineData("{\"a\":1,\"b\":2}", 1, 0)]
    [InlineData("[]", 0, 0)]
    public void TryPush_Json_FindsTheRecords(string body, int accepted, int rejected)
    {
        var source = new HttpPushSource(new HttpSourceOptions(), new SourceContext(Schema, new SourcePosition(), TimeProvider.System));
        Assert.Equal(new PushResult(PushStatus.Taken, accepted, rejected), Push(source, body, RequestFormat.Json));
    }

    [Theory]
    [InlineData("\uFEFF{\"a\":1,\"b\":2}\n{\"a\":3,\"b\":4}\n")]
    [InlineData("\uFEFF\n{\"a\":1,\"b\":2}\r\n{\"a\":3,\"b\":4}")]
    public void TryPush_ByteOrderMark_IsPassedOver(string body)
    {
        var source = new HttpPushSource(new HttpSourceOptions(), new SourceContext(Schema, new SourcePosition(), TimeProvider.System));
        Assert.Equal(new PushResult(PushStatus.Taken, 2, 0), Push(source, body));
    }

    [Theory]
    [InlineData("")]
    [InlineData("7")]
    [InlineData("[{\"a\":1}")]
    [InlineData("[{\"a\":1}] x")]
    [InlineData("{\"records\":[],\"records\":[]}")]
    public void TryPush_NoJson_IsMalformedAndTakesNothing(string body)
    {
        var source = new HttpPushSource(new HttpSourceOptions(), new SourceContext(Schema, new SourcePosition(), TimeProvider.System));
        PushResult result = Push(source, body, RequestFormat.Json);
        Assert.Equal(PushStatus.Malformed, result.Status);
        Assert.Contains("expected {\"records\": [...]}", result.Detail, StringComparison.Ordinal);
        Assert.Equal(0, source.Queued);
    }

    [Fact]
    public async Task TryPush_NoRoom_TakesNothingUntilThereIs()
    {
        await using var source = new HttpPushSource(
            new HttpSourceOptions { CapacityRecords = 3 }, new SourceContext(Schema, new SourcePosition(), TimeProvider.System));
        const string Two = "{\"a\":1}\n{\"a\":2}";
        Assert.Equal(PushStatus.Taken, Push(source, Two).Status);
        PushResult full = Push(source, Two);
        Assert.Equal((PushStatus.Full, 0, 0), (full.Status, full.Accepted, full.Rejected));
        Assert.Equal("2 records wait, 2 more do not fit in 3; send them again later", full.Detail);
        Assert.Equal(PushStatus.TooMany, Push(source, Two + "\n" + Two).Status);

        var batch = new RecordBatch(2);
        await source.ReadAsync(batch, TestContext.Current.CancellationToken);
        Assert.Equal(PushStatus.Taken, Push(source, Two).Status);
        await source.ReadAsync(batch, TestContext.Current.CancellationToken);
        Assert.Equal(4, batch.EndOffset);
    }

    [Fact]
    public async Task ReadAsync_WhileWaiting_ReturnsWhenARequestComes()
    {
        await using var source =
            new HttpPushSource(new HttpSourceOptions(), new SourceContext(Schema, new SourcePosition(), TimeProvider.System));
        var batch = new RecordBatch(2);
        Task<bool> waiting = source.ReadAsync(batch, TestContext.Current.CancellationToken).AsTask();
        Assert.False(waiting.IsCompleted);
        Push(source, "{\"a\":1}");
        Assert.True(await waiting);
        Assert.Equal(1, batch.Count);
    }

    [Fact]
    public void TryPush_AfterComplete_IsClosed()
    {
        var source = new HttpPushSource(new HttpSourceOptions(), new SourceContext(Schema, new SourcePosition(), TimeProvider.System));
        source.Complete();
        Assert.Equal(PushStatus.Closed, Push(source, "{\"a\":1}").Status);
    }
}
