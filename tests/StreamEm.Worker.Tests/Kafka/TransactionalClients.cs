using System.Text;
using Confluent.Kafka;
using StreamEm.Sources.Kafka;
using StreamEm.Sources.Tests.Kafka;
using StreamEm.Worker.Kafka;

namespace StreamEm.Worker.Tests.Kafka;

/// <summary>Clients that write in transactions, and members of groups whose offsets go with them, until the end of a test.</summary>
internal sealed class TransactionalClients(KafkaBroker broker) : IDisposable
{
    private readonly List<IDisposable> _clients = [];

    public void Dispose()
    {
        foreach (IDisposable client in Enumerable.Reverse(_clients)) client.Dispose();
    }

    /// <summary>A new topic of one partition.</summary>
    public async Task<string> Topic()
    {
        broker.NeedsRealBroker("fences nobody");
        return await broker.CreateTopicAsync(1);
    }

    /// <summary>Under the id of the topic.</summary>
    public GroupTransactions Transactions(string topic, TimeSpan? longest = null)
    {
        var target = new KafkaTarget([broker.Address], topic, new Dictionary<string, string>(StringComparer.Ordinal), "scale_out");
        var transactions = new GroupTransactions(target, $"{topic}-id", 1_000_000,
            new Outage([broker.Address], TimeSpan.FromSeconds(20), "scale_out", TimeProvider.System))
        { Longest = longest ?? TimeSpan.FromSeconds(10) };
        _clients.Add(transactions);
        return transactions;
    }

    /// <summary>The only member of a group.</summary>
    public IConsumer<Ignore, Ignore> Join(string topic)
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

    /// <summary>What readers of what is committed see.</summary>
    public IEnumerable<string> Read(string topic) =>
        TopicLog.Read(broker, topic).Select(message => Encoding.UTF8.GetString(message.Value!));

    public static TransactionMessage Message(string topic, string value, Action<long>? written = null) =>
        new(new TopicPartition(topic, 0), new Message<byte[]?, byte[]?> { Value = Encoding.UTF8.GetBytes(value) }, written);

    public static GroupOffsets Offsets(IConsumer<Ignore, Ignore> member, string topic, long next, Func<bool>? isValid = null) =>
        new(new GroupClaim(member.ConsumerGroupMetadata, isValid ?? (() => true)), [new TopicPartitionOffset(topic, 0, next)]);

    public static long Committed(IConsumer<Ignore, Ignore> member, string topic) =>
        Assert.Single(member.Committed([new TopicPartition(topic, 0)], TimeSpan.FromSeconds(10))).Offset.Value;
}
