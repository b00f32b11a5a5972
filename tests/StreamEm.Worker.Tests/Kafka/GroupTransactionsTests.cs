using System.Text;
using Confluent.Kafka;
using StreamEm.Sources.Tests.Kafka;
using StreamEm.Worker.Kafka;
using static StreamEm.Worker.Tests.Kafka.TransactionalClients;

namespace StreamEm.Worker.Tests.Kafka;

/// <summary>What readers see of transactions, whoever is fenced, killed or no member any more.</summary>
public sealed class GroupTransactionsTests(KafkaBroker broker) : IDisposable
{
    private readonly TransactionalClients _clients = new(broker);

    public void Dispose() => _clients.Dispose();

    [Fact]
    public async Task Commit_OfAMember_MessagesAndOffsetsAreThere()
    {
        string topic = await _clients.Topic();
        IConsumer<Ignore, Ignore> member = _clients.Join(topic);
        long first = -1, second = -1;

        TransactionEnd end = _clients.Transactions(topic).Commit(
            [Message(topic, "a", at => first = at), Message(topic, "b", at => second = at)], Offsets(member, topic, 7), default);

        Assert.Equal(TransactionEnd.Committed, end);
        Assert.Equal(["a", "b"], _clients.Read(topic));
        Assert.Equal((0, 1), (first, second));
        Assert.Equal(7, Committed(member, topic));
    }

    /// <summary>Nothing is written at an offset that the transaction's end has taken.</summary>
    [Fact]
    public async Task Commit_AgainAndAgain_LeavesGapsThatNoReaderMinds()
    {
        string topic = await _clients.Topic();
        GroupTransactions transactions = _clients.Transactions(topic);
        var offsets = new List<long>();

        foreach (string value in (string[])["a", "b", "c"])
            Assert.Equal(TransactionEnd.Committed, transactions.Commit([Message(topic, value, offsets.Add)], read: null, default));

        Assert.Equal([0, 2, 4], offsets);
        Assert.Equal(["a", "b", "c"], _clients.Read(topic));
    }

    [Fact]
    public async Task Commit_OfOneWhosePartitionsChanged_IsAborted()
    {
        string topic = await _clients.Topic();
        IConsumer<Ignore, Ignore> member = _clients.Join(topic);
        GroupTransactions transactions = _clients.Transactions(topic);

        TransactionEnd end = transactions.Commit([Message(topic, "a")], Offsets(member, topic, 7, () => false), default);

        Assert.Equal(TransactionEnd.Aborted, end);
        Assert.Equal(TransactionEnd.Committed, transactions.Commit([Message(topic, "b")], Offsets(member, topic, 8), default));
        Assert.Equal(["b"], _clients.Read(topic));
        Assert.Equal(8, Committed(member, topic));
    }

    /// <summary>One that believes to be a member: only the brokers know better.</summary>
    [Fact]
    public async Task Commit_OfOneThatTheGroupHasLeftBehind_IsAborted()
    {
        string topic = await _clients.Topic();
        IConsumer<Ignore, Ignore> member = _clients.Join(topic);
        GroupOffsets stale = Offsets(member, topic, 7);
        member.Unsubscribe();
        member.Close();
        IConsumer<Ignore, Ignore> successor = _clients.Join(topic);
        GroupTransactions transactions = _clients.Transactions(topic);

        TransactionEnd end = transactions.Commit([Message(topic, "a")], stale, default);

        Assert.Equal(TransactionEnd.Aborted, end);
        Assert.Equal(TransactionEnd.Committed, transactions.Commit([Message(topic, "b")], read: null, default));
        Assert.Equal(["b"], _clients.Read(topic));
        Assert.Equal(Offset.Unset.Value, Committed(successor, topic));
    }

    [Fact]
    public async Task Begin_UnderAnIdThatIsTaken_FencesTheOther()
    {
        string topic = await _clients.Topic();
        GroupTransactions old = _clients.Transactions(topic), young = _clients.Transactions(topic);
        Assert.Equal(TransactionEnd.Committed, old.Commit([Message(topic, "a")], read: null, default));
        young.Begin(default);

        Assert.Equal(TransactionEnd.Fenced, old.Commit([Message(topic, "b")], read: null, default));

        Assert.Equal(TransactionEnd.Committed, young.Commit([Message(topic, "c")], read: null, default));
        Assert.Equal(["a", "c"], _clients.Read(topic));
    }

    /// <summary>What a killed one left open holds readers up no longer.</summary>
    [Fact]
    public async Task Begin_AfterOneThatWasKilled_AbortsWhatWasLeftOpen()
    {
        string topic = await _clients.Topic();
        using IProducer<byte[]?, byte[]?> killed =
            new ProducerBuilder<byte[]?, byte[]?>(_clients.Transactions(topic).Configure()).Build();
        killed.InitTransactions(TimeSpan.FromSeconds(10));
        killed.BeginTransaction();
        killed.Produce(topic, new Message<byte[]?, byte[]?> { Value = "half"u8.ToArray() });
        killed.Flush(TimeSpan.FromSeconds(10));
        broker.Produce(topic, 0, "whole");
        Assert.Empty(_clients.Read(topic));

        _clients.Transactions(topic).Begin(default);

        Assert.Equal(["whole"], _clients.Read(topic));
    }

    [Fact]
    public void Split_ByBytes_KeepsTheOrderAndLeavesNothingOut()
    {
        TransactionMessage[] messages = [.. ((string[])["aaa", "bb", "c", "dddddd", "e"]).Select(value => Message("t", value))];

        IEnumerable<TransactionMessage[]> parts = TransactionMessage.Split(messages, bytes: 5);

        Assert.Equal(["aaa bb", "c", "dddddd", "e"],
            parts.Select(part => string.Join(' ', part.Select(message => Encoding.UTF8.GetString(message.Message.Value!)))));
    }
}
