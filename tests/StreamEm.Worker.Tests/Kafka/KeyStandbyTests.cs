using System.Collections.Concurrent;
using System.Globalization;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using StreamEm.Core.Catalog;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models.Emissions;
using StreamEm.Sources.Kafka;
using StreamEm.Sources.Tests.Kafka;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Kafka;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.ScaleOut;
using StreamEm.Worker.Shown;
using StreamEm.Worker.Telemetry;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Kafka;

/// <summary>A worker that follows what others write of their keys, and gets their partitions.</summary>
public sealed class KeyStandbyTests : IDisposable
{
    private const int Partitions = KafkaBroker.MockPartitions, Number = 2;

    private readonly KafkaBroker _broker;
    private readonly TemporaryDirectory _directory = new();
    private readonly Events _log = new();
    private readonly ModelMetrics _metrics = new();
    private readonly ModelOptions _options;
    private readonly ScaleOutTopics _topics;
    private readonly KeyRestorer _restorer;
    private int _written;
    private byte _salt;

    public KeyStandbyTests(KafkaBroker broker)
    {
        _broker = broker;
        broker.NeedsRealBroker("describes no topics");
        _options = Options(broker.Address);
        _topics = new ScaleOutTopics(_options, TimeProvider.System);
        _restorer = Restorer(_options, "standby", _metrics, _log);
    }

    public void Dispose()
    {
        _restorer?.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task WhoFollows_ReadsOnlyWhatCameSince_AndHasTheSame()
    {
        await FollowFrom(30);
        KeyedPartition first = Restore("a", read: 0, copied: 30);
        // What this worker has it does not follow; another partition of the source has the same number.
        Write(12);
        KeyedPartition second = Restore("b", read: 12, copied: 30);

        _restorer.Close(first);
        _restorer.Close(second);
        await Followed();
        _restorer.Close(Restore("a", read: 0, copied: 42));

        Assert.DoesNotContain("keys_standby_dropped", _log.Names);
        _restorer.Dispose();
        Assert.Empty(Directory.GetFiles(_directory["standby"], "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task ATopicThatWasCreatedAgain_IsReadFromItsStart()
    {
        await FollowFrom(20);
        KeyedPartition held = Restore("a", read: 0, copied: 20);
        await _broker.Admin.DeleteTopicsAsync([_topics.Keys.Topic]);
        _written = 0;
        await Eventually.Succeeds<CommandException>(() => Task.Run(Prepare), "a topic of the same name");
        // More than before, so that no offset tells; other states.
        _salt++;
        Write(25);

        KeyedPartition found = Restore("b", read: 25, copied: 0);

        Assert.Contains("keys_standby_dropped", _log.Names);
        // The copies of all partitions are begun anew, and followed.
        _restorer.Close(held);
        _restorer.Close(found);
        await Followed();
        _restorer.Close(Restore("b", read: 0, copied: 25));
    }

    [Fact]
    public async Task ACopyThatIsDamaged_IsBegunAnew()
    {
        await FollowFrom(20);
        KeyedPartition held = Restore("a", read: 0, copied: 20);
        string file = Assert.Single(Directory.GetFiles(_directory["standby"], $"{Number}.skc", SearchOption.AllDirectories));
        using (var stream = new FileStream(file, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete))
        {
            stream.Position = stream.Length / 2;
            stream.Write([1, 2, 3, 4]);
        }

        _restorer.Close(Restore("b", read: 20, copied: 0));

        Assert.Contains("keys_standby_dropped", _log.Names);
        _restorer.Close(held);
        await Followed();
        _restorer.Close(Restore("b", read: 0, copied: 20));
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(4, false)]
    public void ACopyOfALogThatWasCut_DoesNotCount(int epoch, bool counts)
    {
        Prepare();
        Write(20);
        // Of another leader: these records were lost, and others have come in their place.
        using var copy = new KeyCopy(_directory["copy"], start: 0, Identify());
        for (int offset = 0; offset < 12; offset++) copy.Append(offset, [1], [2], epoch);
        using var part = new KeyedPartition(_options, NameOf("a"), Guid.Empty, directory: null);
        var copies = new Dictionary<int, KeyCopy> { [Number] = copy };
        var reading = new KeyReading(_topics, new[] { part.ReadHistory() }.ToLookup(_ => Number), copies);

        if (!counts)
        {
            KeyCopyException failure = Assert.Throws<KeyCopyException>(() => (object)Read());
            Assert.Equal((Number, KeyStandby.Cut), (failure.Number, failure.Message));
            return;
        }

        Assert.True(Read());
        Assert.Equal((12, 8), (reading.Copied, reading.Read));

        bool Read() => reading.TryRead(() => true, CancellationToken.None);
    }

    private async Task FollowFrom(int records)
    {
        Prepare();
        Write(records);
        _restorer.Open();
        await Followed();
    }

    /// <summary>Restores, and compares with somebody who reads all of the topic.</summary>
    private KeyedPartition Restore(string source, int read, int copied)
    {
        KeyedPartition found = Only(_restorer);
        Assert.Equal((read, copied), _log.Restored);
        using KeyRestorer alone = Restorer(
            _options with { ScaleOut = _options.ScaleOut! with { Standby = false } }, "alone", new ModelMetrics(), new Events());
        KeyedPartition whole = Only(alone);
        string[] keys = [.. Enumerable.Range(0, _written).Select(KeyOf)];
        Assert.Equal((_written + (source == "a" ? 1 : 0)) / 2, found.Counts.Known);
        Assert.Equal(whole.States(keys), found.States(keys),
            (one, other) => one.Key == other.Key && one.State.AsSpan().SequenceEqual(other.State));
        Assert.Equal(whole.Position, found.Position);
        alone.Close(whole);
        return found;

        KeyedPartition Only(KeyRestorer restorer) => Assert.Single(
            restorer.TryRestore([NameOf(source)], new KeyedParts(MaxKeys: 4), () => true, CancellationToken.None)!);
    }

    private void Prepare() => _topics.PrepareKeys(Partitions, CancellationToken.None);

    private string? Identify()
    {
        using var topic = new KafkaTopic(_topics.Keys, _topics.NewOutage(), CancellationToken.None);
        return topic.Identify();
    }

    /// <summary>States of keys of both partitions of the source in turn.</summary>
    private void Write(int count)
    {
        var messages = new List<Message<byte[]?, byte[]?>>();
        for (; count > 0; count--, _written++)
        {
            byte[] name = new KeyNames(_options.Id, NameOf(_written % 2 == 0 ? "a" : "b")).Of(KeyOf(_written));
            byte[] state = [_salt, (byte)_written, .. new byte[50]];
            messages.Add(new Message<byte[]?, byte[]?> { Key = name, Value = KeyEntry.Encode(name, Guid.Empty, to: 40, alarm: [], state) });
        }

        _broker.Produce(_topics.Keys.Topic, Number, messages);
    }

    /// <summary>The copies have all there is.</summary>
    private Task Followed() => Eventually.True(() => _log.Followed == Partitions && _metrics.StandbyLag == 0, "copies of all");

    private KeyRestorer Restorer(ModelOptions options, string folder, ModelMetrics metrics, ILogger log) => new(
        new ModelContext(options, metrics, new ShownRecords(options.Schema, TimeProvider.System), TimeProvider.System, log),
        new ScaleOutTopics(options, TimeProvider.System), _directory[folder]);

    private static string NameOf(string source) => string.Create(CultureInfo.InvariantCulture, $"{source}/{Number}");

    private static string KeyOf(int number) => string.Create(CultureInfo.InvariantCulture, $"m{number}");

    private static ModelOptions Options(string address) => new()
    {
        Id = $"machines-{Guid.CreateVersion7():N}",
        Source = new KafkaSourceOptions { Brokers = address.Split(','), Topics = ["a", "b"] },
        Schema = new RecordSchema { Features = ["value"], Key = "machine" },
        Model = ModelCatalog.MixtureOf(new GaussianOptions(), components: 3),
        Learning = new LearningOptions { Learn = LearnMode.Always, DeadComponents = DeadComponents.Keep },
        PerKey = true,
        ScaleOut = new ScaleOutOptions { StatisticsTopic = "statistics", ModelTopic = "model", Standby = true },
    };

    /// <summary>Keeps what the log says.</summary>
    private sealed class Events : ILogger
    {
        private volatile int _followed;

        public ConcurrentQueue<string> Names { get; } = new();

        /// <summary>Records of the last restore, from the topic and from the copy.</summary>
        public (int Read, int Copied) Restored { get; private set; }

        /// <summary>Partitions that are followed.</summary>
        public int Followed => _followed;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            var values = ((IEnumerable<KeyValuePair<string, object?>>)state!)
                .ToDictionary(one => one.Key, one => one.Value, StringComparer.Ordinal);
            Names.Enqueue(eventId.Name ?? "");
            int Number(string name) => Convert.ToInt32(values[name], CultureInfo.InvariantCulture);
            if (eventId.Name == "keys_restored") Restored = (Number("Read"), Number("Copied"));
            if (eventId.Name == "keys_standby_following") _followed = Number("Count");
        }
    }
}
