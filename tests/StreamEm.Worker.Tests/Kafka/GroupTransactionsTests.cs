using System.Text;
using Confluent.Kafka;
using StreamEm.Sources.Kafka;
using StreamEm.Sources.Tests.Kafka;
using StreamEm.Worker.Kafka;

namespace StreamEm.Worker.Tests.Kafka;

/// <summary>What readers see of transactions, whoever is fenced, killed or no member any more.</summary>
public sealed class GroupTransactionsTests(KafkaBroker broker) : IDisposable
{
    private readonly List<IDisposable> _clients = [];

    public void Dispose()
    {
        foreach (IDisposable client in Enumerable.Reverse(_clients)) client.Dispose();
    }

    [Fact]
    public async Task Commit_OfAMember_MessagesAndOffsetsAreThere()
    {
        string topic = await Topic();
        IConsumer<Ignore, Ignore> member = Join(topic);
        long first = -1, second = -1;

        TransactionEnd end = Transactions(topic).Commit(
            [Message(topic, "a", at => first = at), Message(topic, "b", at => second = at)], Offsets(member, topic, 7), default);

        Assert.Equal(TransactionEnd.Committed, end);
        Assert.Equal(["a", "b"], Read(topic));
        Assert.Equal((0, 1), (first, second));
        Assert.Equal(7, Committed(member, topic));
    }

    /// <summary>Nothing is written at an offset that the transaction's end has taken.</summary>
    [Fact]
    public async Task Commit_AgainAndAgain_LeavesGapsThatNoReaderMinds()
    {
        string topic = await Topic();
        GroupTransactions transactions = Transactions(topic);
        var offsets = new List<long>();

        foreach (string value in (string[])["a", "b", "c"])
            Assert.Equal(TransactionEnd.Committed, transactions.Commit([Message(topic, value, offsets.Add)], read: null, default));

        Assert.Equal([0, 2, 4], offsets);
        Assert.Equal(["a", "b", "c"], Read(topic));
    }

    [Fact]
    public async Task Commit_OfOneWhosePartitionsChanged_IsAborted()
    {
        string topic = await Topic();
        IConsumer<Ignore, Ignore> member = Join(topic);
        GroupTransactions transactions = Transactions(topic);

        TransactionEnd end = transactions.Commit([Message(topic, "a")], Offsets(member, topic, 7, isValid: false), default);

        Assert.Equal(TransactionEnd.Aborted, end);
        Assert.Equal(TransactionEnd.Committed, transactions.Commit([Message(topic, "b")], Offsets(member, topic, 8), default));
        Assert.Equal(["b"], Read(topic));
        Assert.Equal(8, Committed(member, topic));
    }

    /// <summary>One that believes to be a member: only the brokers know better.</summary>
    [Fact]
    public async Task Commit_OfOneThatTheGroupHasLeftBehind_IsAborted()
    {
        string topic = await Topic();
        IConsumer<Ignore, Ignore> member = Join(topic);
        GroupOffsets stale = Offsets(member, topic, 7);
        member.Unsubscribe();
        member.Close();
        IConsumer<Ignore, Ignore> successor = Join(topic);
        GroupTransactions transactions = Transactions(topic);

        TransactionEnd end = transactions.Commit([Message(topic, "a")], stale, default);

        Assert.Equal(TransactionEnd.Aborted, end);
        Assert.Equal(TransactionEnd.Committed, transactions.Commit([Message(topic, "b")], read: null, default));
        Assert.Equal(["b"], Read(topic));
        Assert.Equal(Offset.Unset.Value, Committed(successor, topic));
    }

    [Fact]
    public async Task Begin_UnderAnIdThatIsTaken_FencesTheOther()
    {
        string topic = await Topic();
        GroupTransactions old = Transactions(topic), young = Transactions(topic);
        Assert.Equal(TransactionEnd.Committed, old.Commit([Message(topic, "a")], read: null, default));
        young.Begin(default);

        Assert.Equal(TransactionEnd.Fenced, old.Commit([Message(topic, "b")], read: null, default));

        Assert.Equal(TransactionEnd.Committed, young.Commit([Message(topic, "c")], read: null, default));
        Assert.Equal(["a", "c"], Read(topic));
    }

    /// <summary>What a killed one left open holds readers up no longer.</summary>
    [Fact]
    public async Task Begin_AfterOneThatWasKilled_AbortsWhatWasLeftOpen()
    {
        string topic = await Topic();
        using IProducer<byte[]?, byte[]?> killed =
            new ProducerBuilder<byte[]?, byte[]?>(Transactions(topic).Configure()).Build();
        killed.InitTransactions(TimeSpan.FromSeconds(10));
        killed.BeginTransaction();
        killed.Produce(topic, new Message<byte[]?, byte[]?> { Value = "half"u8.ToArray() });
        killed.Flush(TimeSpan.FromSeconds(10));
        broker.Produce(topic, 0, "whole");
        Assert.Empty(Read(topic));

        Transactions(topic).Begin(default);

        Assert.Equal(["whole"], Read(topic));
    }

    [Fact]
    public void Split_ByBytes_KeepsTheOrderAndLeavesNothingOut()
    {
        TransactionMessage[] messages = [.. ((string[])["aaa", "bb", "c", "dddddd", "e"]).Select(value => Message("t", value))];

        IEnumerable<TransactionMessage[]> parts = TransactionMessage.Split(messages, bytes: 5);

        Assert.Equal(["aaa bb", "c", "dddddd", "e"],
            parts.Select(part => string.Join(' ', part.Select(message => Encoding.UTF8.GetString(message.Message.Value!)))));
    }

    private async Task<string> Topic()
    {
        broker.NeedsRealBroker("fences nobody");
        return await broker.CreateTopicAsync(1);
    }

    private KafkaTarget Target(string topic) =>
        new([broker.Address], topic, new Dictionary<string, string>(StringComparer.Ordinal), "scale_out");

    private GroupTransactions Transactions(string topic)
    {
        var transactions = new GroupTransactions(Target(topic), $"{topic}-id", 1_000_000,
            new Outage([broker.Address], TimeSpan.FromSeconds(20), "scale_out", TimeProvider.System));
        _clients.Add(transactions);
        return transactions;
    }

    /// <summary>The only member of a group.</summary>
    private IConsumer<Ignore, Ignore> Join(string topic)
    {
        var config = new ConsumerConfig { BootstrapServers = broker.Address, GroupId = topic, EnableAutoCommit = false };
        IConsumer<Ignore, Ignore> member = new ConsumerBuilder<Ignore, Ignore>(config).SetLogHandler((_, _) => { }).Build();
        _clients.Add(member);
        member.Subscribe(topic);
        for (int poll = 0; member.Assignment.Count == 0; poll++)
        {
            Assert.True(poll < 200, "the group takes no member");
            member.Consume(TimeSpan.FromMilliseconds(100));
        }

        return member;
    }

    private static TransactionMessage Message(string topic, string value, Action<long>? written = null) =>
        new(new TopicPartition(topic, 0), new Message<byte[]?, byte[]?> { Value = Encoding.UTF8.GetBytes(value) }, written);

    private static GroupOffsets Offsets(IConsumer<Ignore, Ignore> member, string topic, long next, bool isValid = true) =>
        new(new GroupClaim(member.ConsumerGroupMetadata, () => isValid), [new TopicPartitionOffset(topic, 0, next)]);

    private static long Committed(IConsumer<Ignore, Ignore> member, string topic) =>
        Assert.Single(member.Committed([new TopicPartition(topic, 0)], TimeSpan.FromSeconds(10))).Offset.Value;

    private IEnumerable<string> Read(string topic) =>
        TopicLog.Read(broker, topic).Select(message => Encoding.UTF8.GetString(message.Value!));
}
