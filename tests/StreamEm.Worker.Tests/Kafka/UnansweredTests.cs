using Confluent.Kafka;
using StreamEm.Sources.Kafka;
using StreamEm.Sources.Tests.Kafka;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Kafka;
using StreamEm.Worker.ScaleOut;
using StreamEm.Worker.Tests.Support;
using static StreamEm.Worker.Tests.Kafka.TransactionalClients;

namespace StreamEm.Worker.Tests.Kafka;

/// <summary>Brokers that take what they are asked and answer nobody: within a transaction, and when a worker is to end.</summary>
public sealed class UnansweredTests(UnansweredTests.OwnBroker own) : IClassFixture<UnansweredTests.OwnBroker>, IAsyncDisposable
{
    private const int Partitions = KafkaBroker.MockPartitions, Rows = 4000;

    private readonly KafkaBroker _broker = own.Broker;
    private readonly TransactionalClients _clients = new(own.Broker);

    /// <summary>Messages and offsets are both there in the end, or neither.</summary>
    [Fact]
    public async Task Commit_WhoseAnswerDoesNotCome_IsUnknownUntilTheNextBegins()
    {
        string topic = await Topic(1);
        IConsumer<Ignore, Ignore> member = _clients.Join(topic);
        GroupTransactions transactions = _clients.Transactions(topic, longest: TimeSpan.FromSeconds(2));
        transactions.Begin(default);
        int asked = 0;
        long offset = -1;

        TransactionEnd end = transactions.Commit(
            [Message(topic, "a", at => offset = at)],
            Offsets(member, topic, 7, () => ++asked < 2 || Freeze()), default);

        Assert.Equal((TransactionEnd.Unknown, -1), (end, offset));
        await _broker.ThawAsync();
        Assert.Equal(TransactionEnd.Committed, transactions.Commit([Message(topic, "b")], read: null, default));
        string[] read = [.. _clients.Read(topic)];
        bool isThere = read.Contains("a");
        Assert.Equal(isThere ? ["a", "b"] : ["b"], read);
        Assert.Equal(isThere ? 7 : Offset.Unset.Value, Committed(member, topic));
    }

    /// <summary>Neither the end of what is written, nor that of what is not to be.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task End_OfATransaction_DoesNotOutliveTheStop(bool isValid)
    {
        string topic = await Topic(1);
        IConsumer<Ignore, Ignore> member = _clients.Join(topic);
        // Much longer than is waited for.
        GroupTransactions transactions = _clients.Transactions(topic, longest: TimeSpan.FromMinutes(5));
        transactions.Begin(default);
        using var stop = new CancellationTokenSource();
        int asked = 0;
        bool FreezeAndStop()
        {
            if (++asked == 1) return true;
            Freeze();
            stop.Cancel();
            return isValid;
        }

        Task<TransactionEnd> ending = Task.Run(() => transactions.Commit(
            [Message(topic, "a")], Offsets(member, topic, 7, FreezeAndStop), stop.Token));

        if (isValid) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Eventually.Within(ending));
        else Assert.Equal(TransactionEnd.Aborted, await Eventually.Within(ending));
    }

    /// <summary>Nobody waits for them, so that who looks at them has to be told.</summary>
    [Fact]
    public async Task Statistics_ThatAreNotAcknowledged_AreAProblem_AndInTheEndAFailure()
    {
        string topic = await Topic(1);
        var time = new LaterTime();
        var target = new KafkaTarget([_broker.Address], topic, new Dictionary<string, string>(StringComparer.Ordinal), "scale_out");
        TimeSpan limit = TimeSpan.FromMinutes(5), silence = TimeSpan.FromSeconds(10);
        using var writer = new PlainWriter(
            new KafkaProducer(target, 1_000_000, isBatched: false, new Outage([_broker.Address], limit, "scale_out", time), time), time);
        long offset = -1;
        Send();
        await Eventually.True(() => writer.Look() && offset == 0, "a message");
        await _broker.FreezeAsync();
        // However long nothing was sent.
        time.Pass(limit);
        Send();
        Assert.True(writer.Look());
        Assert.Null(writer.Problem);
        time.Pass(silence);
        Assert.True(writer.Look());
        Assert.Contains("have not been acknowledged for 10 s", writer.Problem, StringComparison.Ordinal);

        await _broker.ThawAsync();
        await Eventually.True(() => writer.Look() && writer.Problem is null, "an acknowledgement");
        Assert.Equal(1, offset);

        await _broker.FreezeAsync();
        Send();
        time.Pass(silence);
        Assert.True(writer.Look());
        time.Pass(limit);
        Assert.Equal(ExitCode.Unavailable, Assert.Throws<CommandException>(() => writer.Look()).ExitCode);

        void Send() => writer.Send(new Message<byte[]?, byte[]?> { Value = [1] }, new RecordRange("a/0", 0, 1), at => offset = at);
    }

    /// <summary>Whatever it waits for then, it ends in order: nothing that counts is on its disk.</summary>
    [Theory]
    [InlineData("off")]
    [InlineData("on")]
    public async Task Worker_ThatIsAskedToEnd_Ends(string transactions)
    {
        string topic = await Topic(Partitions);
        using var fleet = new ScaleOutFleet(ScaleOutFleet.Clouds(_broker, topic, transactions: transactions));
        fleet.Start("one");
        await fleet.HasReducer();
        ClusteredRows.Produce(_broker, topic, 0, Rows);
        await using (var watch = new ModelWatch(fleet.Model))
        {
            await watch.Until(Rows);
            // More than is learned at once: the worker is at it when nobody answers any more.
            ClusteredRows.Produce(_broker, topic, 1, 10 * Rows);
            await watch.Until(2 * Rows);
            await _broker.FreezeAsync();
            Assert.True(watch.Read < 11 * Rows);
        }

        await fleet.StopAsync("one");
    }

    public async ValueTask DisposeAsync()
    {
        if (_broker.IsOurs) await _broker.ThawAsync();
        _clients.Dispose();
    }

    private async Task<string> Topic(int partitions)
    {
        _broker.NeedsOwnBroker();
        return await _broker.CreateTopicAsync(partitions);
    }

    /// <summary>In the middle of a call that does not know of tasks.</summary>
    private bool Freeze()
    {
        Task.Run(_broker.FreezeAsync).GetAwaiter().GetResult();
        return true;
    }

    /// <summary>A broker that nobody else waits for.</summary>
    public sealed class OwnBroker : IAsyncLifetime
    {
        public KafkaBroker Broker { get; } = new();

        public ValueTask InitializeAsync() => Broker.InitializeAsync();

        public ValueTask DisposeAsync() => Broker.DisposeAsync();
    }
}
