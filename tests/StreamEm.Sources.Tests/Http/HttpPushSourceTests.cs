using System.Text;
using Microsoft.Extensions.Time.Testing;
using StreamEm.Core.Features;
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
        PushResult result = Push(source, "{\"a\":1,\"b\":2}\n\nrubbish\n{\"a\":3,\"b\":4}\n");
        Assert.Equal((PushStatus.Taken, 2, 1), (result.Status, result.Accepted, result.Rejected));
        Assert.Equal((1, RejectionReason.JsonSyntax), (result.Rejections!.First[0].Record, result.Rejections.First[0].Reason));
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

    [Fact]
    public async Task TryPush_RequestsWithTraces_GiveThemToTheirRecordsAndNoOthers()
    {
        await using var source =
            new HttpPushSource(new HttpSourceOptions(), new SourceContext(Schema, new SourcePosition(), TimeProvider.System));
        byte[] body = "{\"a\":1,\"b\":2}\n{\"a\":3,\"b\":4}\n"u8.ToArray();
        RecordTrace one = new([1], null), other = new([2], [3]);
        foreach (RecordTrace trace in (RecordTrace[])[one, default, other])
            Assert.Equal(PushStatus.Taken, source.TryPush(body, RequestFormat.Ndjson, trace: trace).Status);

        var batch = new RecordBatch(2);
        Assert.True(await source.ReadAsync(batch, TestContext.Current.CancellationToken));
        Assert.Equal([one, one, default, default, other, other], Enumerable.Range(0, batch.Count).Select(batch.Trace));
        source.TryPush(body, RequestFormat.Ndjson);
        Assert.True(await source.ReadAsync(batch, TestContext.Current.CancellationToken));
        Assert.False(batch.HasTraces);
        Assert.True(batch.Trace(1).IsNone);
    }

    [Theory]
    [InlineData("{\"records\":[{\"a\":1,\"b\":2},{\"a\":3,\"b\":4}]}", PushStatus.Taken, 2, 0)]
    [InlineData("[{\"a\":1,\"b\":2},7,{\"a\":3,\"b\":4}]", PushStatus.Taken, 2, 1)]
    [InlineData("{\"a\":1,\"b\":[2]}", PushStatus.Unusable, 0, 1)]
    [InlineData("{\"a\":1,\"b\":2}", PushStatus.Taken, 1, 0)]
    [InlineData("[]", PushStatus.Taken, 0, 0)]
    public void TryPush_Json_FindsTheRecords(string body, PushStatus status, int accepted, int rejected)
    {
        var source = new HttpPushSource(new HttpSourceOptions(), new SourceContext(Schema, new SourcePosition(), TimeProvider.System));
        PushResult result = Push(source, body, RequestFormat.Json);
        Assert.Equal((status, accepted, rejected), (result.Status, result.Accepted, result.Rejected));
        Assert.Equal(accepted + rejected, source.Queued);
        Assert.Equal(1, source.Requests(status));
    }

    [Theory]
    [InlineData("\uFEFF{\"a\":1,\"b\":2}\n{\"a\":3,\"b\":4}\n")]
    [InlineData("\uFEFF\n{\"a\":1,\"b\":2}\r\n{\"a\":3,\"b\":4}")]
    public void TryPush_ByteOrderMark_IsPassedOver(string body)
    {
        var source = new HttpPushSource(new HttpSourceOptions(), new SourceContext(Schema, new SourcePosition(), TimeProvider.System));
        PushResult result = Push(source, body);
        Assert.Equal((PushStatus.Taken, 2, 0), (result.Status, result.Accepted, result.Rejected));
    }

    [Fact]
    public void TryPush_NoJson_IsMalformedAndTakesNothing()
    {
        var source = new HttpPushSource(new HttpSourceOptions(), new SourceContext(Schema, new SourcePosition(), TimeProvider.System));
        PushResult result = Push(source, "[{\"a\":1}", RequestFormat.Json);
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

    [Fact]
    public async Task TryPush_ManySmallRequests_ShareBatchesAndAreReadInTheirOrder()
    {
        await using var source =
            new HttpPushSource(new HttpSourceOptions(), new SourceContext(Schema, new SourcePosition(), TimeProvider.System));
        byte[][] bodies = [.. Enumerable.Range(0, 8000).Select(i => Encoding.UTF8.GetBytes(
            i % 10 == 9 ? "rubbish" : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{{\"a\":{i},\"b\":1}}")))];
        source.TryPush(bodies[0], RequestFormat.Ndjson);

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 1; i < bodies.Length; i++) source.TryPush(bodies[i], RequestFormat.Ndjson);
        long each = (GC.GetAllocatedBytesForCurrentThread() - before) / bodies.Length;

        // Its row of 16 bytes with its place of 8, twice over while the batch grows, and of one record in ten that is rejected its text and
        // what is told of it. A batch of its own for each request would be two hundred thousand.
        Assert.InRange(each, 0, 1000);
        var batch = new RecordBatch(2);
        var values = new List<double>();
        var offsets = new List<long>();
        while (values.Count < 7200)
        {
            await source.ReadAsync(batch, TestContext.Current.CancellationToken);
            for (int row = 0; row < batch.Count; row++) values.Add(batch.Row(row)[0]);
            for (int row = 0; row < batch.Count; row++) offsets.Add(batch.NextOffset(row) - 1);
        }

        Assert.Equal(Enumerable.Range(0, 8000).Where(i => i % 10 != 9).Select(i => (double)i), values);
        Assert.Equal(values, offsets.Select(offset => (double)offset));
    }

    [Fact]
    public async Task TryPush_MoreBytesThanMayWait_IsRefusedUntilThereIsRoom()
    {
        var schema = new RecordSchema { Features = [.. Enumerable.Range(0, 1000).Select(d => $"f{d}")] };
        await using var source = new HttpPushSource(
            new HttpSourceOptions { CapacityBytes = 1 << 20 }, new SourceContext(schema, new SourcePosition(), TimeProvider.System));
        string hundred = string.Concat(Enumerable.Repeat("{\"f0\":1}\n", 100));

        Assert.Equal(PushStatus.Taken, Push(source, hundred).Status);
        Assert.Equal(PushStatus.Full, Push(source, hundred).Status);
        Assert.Equal(PushStatus.TooMany, Push(source, hundred + hundred).Status);

        var batch = new RecordBatch(schema, 128);
        await source.ReadAsync(batch, TestContext.Current.CancellationToken);
        Assert.Equal(PushStatus.Taken, Push(source, hundred).Status);
    }

    [Fact]
    public async Task TryPush_DistinctLongKeys_DoNotStayInMemory()
    {
        var schema = new RecordSchema { Features = ["a"], Key = "k" };
        await using var source =
            new HttpPushSource(new HttpSourceOptions(), new SourceContext(schema, new SourcePosition(), TimeProvider.System));
        var batch = new RecordBatch(schema);
        for (int i = 0; i < 400; i++)
        {
            Push(source, "{\"a\":1,\"k\":\"" + i + new string('k', 60_000) + "\"}");
            await source.ReadAsync(batch, TestContext.Current.CancellationToken);
            Assert.InRange(batch.Texts.Bytes, 0, 5 << 20);
        }
    }

    [Fact]
    public void TryPush_Throttled_KeepsOnlySoMuchOfWhatCannotBeUsedAndAllThatCan()
    {
        var time = new FakeTimeProvider();
        var source = new HttpPushSource(new HttpSourceOptions(), new SourceContext(Schema, new SourcePosition(), time));
        string rubbish = string.Concat(Enumerable.Repeat(new string('r', 1000) + "\n", 200));
        int kept = 0;
        PushResult result;
        while ((result = source.TryPush(Encoding.UTF8.GetBytes(rubbish), RequestFormat.Ndjson, isThrottled: true)).AreKept) kept++;

        Assert.Equal((PushStatus.Unusable, 200), (result.Status, result.Rejected));
        Assert.InRange(kept, 3, 8);
        int queued = source.Queued;
        Assert.Equal(kept * 200, queued);
        byte[] mixed = Encoding.UTF8.GetBytes("{\"a\":1,\"b\":2}\n" + rubbish);
        Assert.Equal(PushStatus.Throttled, source.TryPush(mixed, RequestFormat.Ndjson, isThrottled: true).Status);
        Assert.Equal(queued, source.Queued);
        Assert.Equal(PushStatus.Taken, source.TryPush("{\"a\":1,\"b\":2}"u8, RequestFormat.Ndjson, isThrottled: true).Status);

        // The bucket fills again.
        time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(PushStatus.Taken, source.TryPush(mixed, RequestFormat.Ndjson, isThrottled: true).Status);
    }
}
