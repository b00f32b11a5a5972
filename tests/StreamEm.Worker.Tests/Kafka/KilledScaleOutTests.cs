using System.Globalization;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using StreamEm.Sources.Tests.Kafka;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Commands;
using StreamEm.Worker.ScaleOut;
using StreamEm.Worker.Tests.Commands;

namespace StreamEm.Worker.Tests.Kafka;

/// <summary>
/// Workers that learn one model together on a cluster of three brokers, and everything that can happen to them: killed at random moments,
/// frozen until others have their work, their brokers killed and stopped and leaders changed, partitions added, a worker more and one less.
/// All of them may fold; the two that are beyond the partitions, while there are two, do nothing else.
/// </summary>
public sealed class KilledScaleOutTests(ITestOutputHelper report)
{
    private const string KillsVariable = "STREAMEM_SCALE_KILLS", RecordsVariable = "STREAMEM_SCALE_RECORDS";
    private const int Nodes = 3, FirstPartitions = 3, LastPartitions = 5, Disturbances = 6, ManyKills = 50;

    /// <summary>Without a new record in the model, while the source has some.</summary>
    private static readonly TimeSpan LongestStall = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);
    private static readonly string[] Workers = ["w0", "w1", "w2", "w3", "w4"];

    private readonly int _kills = Setting(KillsVariable, 5), _records = Setting(RecordsVariable, 30_000);
    private readonly Random _random = new(Setting(KillsVariable, 5));
    private int _partitions = FirstPartitions;

    [Theory]
    [InlineData("off")]
    [InlineData("on")]
    public async Task Killed_OnAClusterThatIsDisturbedToo_CountsEveryRecordOnce(string transactions)
    {
        bool isLong = Environment.GetEnvironmentVariable(KillsVariable) is not null;
        Assert.SkipUnless(isLong || transactions == "off", $"minutes more; set {KillsVariable}, as ./build.sh chaos does");
        await using var broker = new KafkaBroker { Nodes = Nodes, Settings = _ => ["group.min.session.timeout.ms=1000"] };
        await broker.InitializeAsync();
        broker.NeedsOwnBroker();
        string topic = await broker.CreateTopicAsync(FirstPartitions);
        using var fleet = new ScaleOutFleet(Configuration(broker, topic, transactions));
        fleet.Start(Workers);
        await fleet.HasReducer();
        await using var watch = new ModelWatch(fleet.Model);

        await DisturbAsync(broker, fleet, watch, topic);
        await ProduceAsync(broker, watch, topic, _records);
        Checkpoint end = await watch.Until(_records, Patience);
        foreach (string name in fleet.Names.ToArray()) await fleet.StopAsync(name);

        Assert.Equal(_records, end.Rejections.Read);
        Assert.Equal(HashedRecords.Malformed(_records), end.Rejections.ByReason.Sum());
        Assert.Equal(LastPartitions, end.Position.Partitions.Count);
        Assert.Equal(_records, end.Position.Partitions.Values.Sum(place => place.Next));
        Checksum learned = HashedRecords.Of(fleet.Model, Start(broker, $"{topic}-model", end.RunId),
            TopicLog.Read(broker, $"{topic}-statistics").Select(message => message.Value!), out Dictionary<Verdict, int> verdicts);
        Assert.Equal(HashedRecords.Of(_records), learned);
        // A run of many minutes finds its topic compacted; what is left of it has to fit.
        string[] gaps = _kills < ManyKills ? [] : ["--allow-gaps"];
        CommandRun audit = await CommandRun.Of(AuditCommand.Create(),
            [$"kafka://{broker.Address.Split(',')[0]}/{topic}-model?model=bits", "--statistics", $"{topic}-statistics", .. gaps]);
        Assert.True(audit.ExitCode == 0, audit.Error);
        report.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"transactions {transactions}, {_kills} kills, {_records} records, {end.Updates} versions; messages: ")
            + string.Create(CultureInfo.InvariantCulture,
                $"{string.Join(", ", verdicts)}; longest stall {watch.LongestStall.TotalSeconds:F1} s."));
        // A short run shares its machine with other tests, which may be what it waits for.
        if (isLong) Assert.InRange(watch.LongestStall, TimeSpan.Zero, LongestStall);
    }

    /// <summary>Kills a worker after a share of the records, so many times, now and then with something else.</summary>
    private async Task DisturbAsync(KafkaBroker broker, ScaleOutFleet fleet, ModelWatch watch, string topic)
    {
        int every = Math.Max(1, _kills / (10 * Disturbances));
        for (int kill = 0; kill < _kills; kill++)
        {
            long read = watch.Read;
            Task producing = ProduceAsync(broker, watch, topic, (kill + 1L) * _records / (_kills + 1));
            if (_random.Next(3) > 0) await watch.Until(read + 1, Patience);
            await Task.Delay(_random.Next(400));
            if (kill % every > 0)
            {
                await KillAsync(fleet);
                await producing;
                continue;
            }

            switch (kill / every % Disturbances)
            {
                case 0: await FreezeAsync(fleet, watch, await fleet.Reducer() ?? Any(fleet), producing); break;
                case 1: await WithoutNodeAsync(broker, isKilled: true, () => KillAsync(fleet)); break;
                case 2:
                    fleet.Start("more");
                    await KillAsync(fleet);
                    break;
                case 3: await WithoutNodeAsync(broker, isKilled: false, () => KillAsync(fleet)); break;
                case 4:
                    await fleet.StopAsync("more");
                    await KillAsync(fleet);
                    break;
                default: await FreezeAsync(fleet, watch, Any(fleet), producing); break;
            }

            await producing;
            if (kill >= _kills / 2 && _partitions == FirstPartitions) await AddPartitionsAsync(broker, topic);
        }
    }

    /// <summary>Writes on to where a share of the records ends.</summary>
    private Task ProduceAsync(KafkaBroker broker, ModelWatch watch, string topic, long to)
    {
        (long from, int partitions) = (watch.Written, _partitions);
        return Task.Run(() =>
        {
            HashedRecords.Produce(broker, topic, partitions, from, to);
            watch.Written = to;
        });
    }

    private string Any(ScaleOutFleet fleet, string? but = null)
    {
        string[] names = [.. fleet.Names.Where(name => name != but).Order(StringComparer.Ordinal)];
        return names[_random.Next(names.Length)];
    }

    private async Task KillAsync(ScaleOutFleet fleet, string? but = null)
    {
        string name = Any(fleet, but);
        await fleet.KillAsync(name);
        fleet.Start(name);
    }

    /// <summary>
    /// Stops a worker where it is until everything there was is learned without it, so that its session is over; then it goes on with what
    /// it was at, and believes to have what others have now.
    /// </summary>
    private async Task FreezeAsync(ScaleOutFleet fleet, ModelWatch watch, string name, Task producing)
    {
        fleet[name].Signal("STOP");
        // Where there are many kills, for 10 to 20 s at least.
        Task lasting = Task.Delay(_kills < ManyKills ? 0 : 10_000 + _random.Next(10_000));
        await KillAsync(fleet, but: name);
        await producing;
        await watch.Until(watch.Written, Patience);
        await lasting;
        fleet[name].Signal("CONT");
    }

    /// <summary>Something happens while one of the nodes is away; then leaders go back to where they were.</summary>
    private async Task WithoutNodeAsync(KafkaBroker broker, bool isKilled, Func<Task> act)
    {
        int node = 1 + _random.Next(Nodes);
        await broker.StopNodeAsync(node, isKilled);
        await act();
        await broker.StartNodeAsync(node);
        await Eventually.True(() => Partitions(broker).All(partition => partition.InSyncReplicas.Length == Nodes), "all replicas in sync",
            Patience);
        try
        {
            await broker.Admin.ElectLeadersAsync(ElectionType.Preferred, null, new ElectLeadersOptions());
        }
        catch (ElectLeadersException)
        {
            // Some are where they were.
        }
    }

    private async Task AddPartitionsAsync(KafkaBroker broker, string topic)
    {
        await broker.Admin.CreatePartitionsAsync([new PartitionsSpecification { Topic = topic, IncreaseTo = LastPartitions }]);
        // The producer, whose handle this is, knows them too then.
        await Eventually.True(() => broker.Admin.GetMetadata(topic, TimeSpan.FromSeconds(10)).Topics.Single().Partitions.Count
            == LastPartitions, "more partitions", Patience);
        _partitions = LastPartitions;
    }

    private static IEnumerable<PartitionMetadata> Partitions(KafkaBroker broker) =>
        broker.Admin.GetMetadata(TimeSpan.FromSeconds(10)).Topics.SelectMany(topic => topic.Partitions);

    private static Checkpoint Start(KafkaBroker broker, string topic, string runId)
    {
        byte[] key = ScaleOutTopics.StartKey("bits", runId);
        return CheckpointFile.Decode(TopicLog.Read(broker, topic).First(message => message.Key.AsSpan().SequenceEqual(key)).Value!);
    }

    private static int Setting(string name, int otherwise) =>
        int.Parse(Environment.GetEnvironmentVariable(name) ?? $"{otherwise}", CultureInfo.InvariantCulture);

    /// <summary>Steps 1 / t of one component, so that what a minibatch says can be added up.</summary>
    private static string Configuration(KafkaBroker broker, string topic, string transactions) => $$"""
        http: { address: 127.0.0.1:0 }
        models:
          - id: bits
            source:
              kafka:
                brokers: [{{string.Join(", ", broker.Address.Split(',').Select(node => $"\"{node}\""))}}]
                topics: [{{topic}}]
                format: float64
                properties: { topic.metadata.refresh.interval.ms: "1000" }
            features: [{{HashedRecords.Features}}]
            model: { type: gaussian_mixture, components: 1, covariance_type: diag }
            learning:
              learn: always
              dead_components: keep
              step_size: { kappa: 1, t0: 0 }
              minibatch: { size: 200 }
              initialization: { buffer: 256, n_init: 1 }
            scale_out:
              statistics_topic: {{topic}}-statistics
              model_topic: {{topic}}-model
              group_id: {{topic}}
              session_timeout: 3s
              transactions: {{transactions}}
            rejected: { stop_above_ratio: 0.5 }
        """;
}
