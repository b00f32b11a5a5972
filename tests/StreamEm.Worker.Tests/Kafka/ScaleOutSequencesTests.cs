using System.Globalization;
using StreamEm.Core.Snapshots;
using StreamEm.Sources.Tests.Kafka;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Commands;
using StreamEm.Worker.Kafka;
using StreamEm.Worker.ScaleOut;
using StreamEm.Worker.Tests.Commands;

namespace StreamEm.Worker.Tests.Kafka;

/// <summary>
/// The real executable, several times, with a hidden Markov model of many keys: each key begins in the first of two states and goes on for
/// ever, so that a worker that had forgotten where a sequence stood would learn that they begin in both.
/// </summary>
public sealed class ScaleOutSequencesTests(KafkaBroker broker)
{
    private const int Partitions = KafkaBroker.MockPartitions, Machines = 6, Rows = 1500, MalformedEvery = 50;
    private const double Stay = 0.9;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [Theory]
    [InlineData("off")]
    [InlineData("on")]
    public async Task Workers_KilledInTurn_LearnEverySequenceOnFromWhereItStood(string transactions)
    {
        broker.NeedsRealBroker("describes no topics");
        string topic = await broker.CreateTopicAsync(Partitions);
        using var fleet = new ScaleOutFleet(Configuration(topic, transactions));
        Produce(topic, 0, Rows / 3);
        fleet.Start("one", "two");
        await fleet.HasReducer();
        await Learned(fleet, Rows / 3);
        fleet.Start("three");
        Produce(topic, Rows / 3, Rows * 2 / 3);
        await fleet.KillAsync("one");
        await Learned(fleet, Rows * 2 / 3);
        await fleet.KillAsync("two");
        Produce(topic, Rows * 2 / 3, Rows);
        Checkpoint end = await Learned(fleet, Rows);
        await fleet.StopAsync("three");

        int malformed = Partitions * Enumerable.Range(0, Rows).Count(IsMalformed);
        Assert.Equal((Partitions * Rows - malformed, malformed), (end.Records, end.Rejections.ByReason.Sum()));
        Assert.All(end.Position.Partitions.Values, place => Assert.Equal(Rows, place.Next));
        CommandRun audit = await CommandRun.Of(
            AuditCommand.Create(), $"kafka://{broker.Address}/{topic}-model?model=machines", "--statistics", $"{topic}-statistics");
        Assert.True(audit.ExitCode == 0, audit.Error);
        AssertLearned(end.Latest!.Snapshot);
        AssertKnown(fleet, topic);
    }

    /// <summary>Steps 1 / t forget nothing: every sequence's beginning is in it, and none more.</summary>
    private static void AssertLearned(LearnedModel learned)
    {
        double[] means = Of("means"), start = Of("startprob"), moves = Of("transmat");
        int low = means[0] < means[1] ? 0 : 1, high = 1 - low;
        Assert.Equal([0.5, 10.5], [means[low], means[high]], (expected, found) => Math.Abs(expected - found) < 0.1);
        Assert.InRange(start[low], 0.97, 1);
        Assert.InRange(moves[3 * low], Stay - 0.05, Stay + 0.05);
        Assert.InRange(moves[3 * high], Stay - 0.05, Stay + 0.05);

        double[] Of(string block) => learned.Layout[block].Of(learned.Parameters.AsSpan()).ToArray();
    }

    /// <summary>Whoever is next goes on from the end, with every key.</summary>
    private static void AssertKnown(ScaleOutFleet fleet, string source)
    {
        var topics = new ScaleOutTopics(fleet.Model, TimeProvider.System);
        using var topic = new KafkaTopic(topics.Keys, topics.NewOutage(), CancellationToken.None);
        for (int partition = 0; partition < Partitions; partition++)
        {
            string name = string.Create(CultureInfo.InvariantCulture, $"{source}/{partition}");
            using var found = new KeyedPartition(fleet.Model, name, Guid.Empty, directory: null);
            KeyHistory history = found.ReadHistory();
            topic.ReadToEnd(since: null, record =>
            {
                if (record.Partition.Value == partition)
                    history.Take(record.Offset.Value, record.Message.Key, record.Message.Value);
            });
            found.Restore(history.Finish(), known: 0);
            Assert.Equal((Rows, Machines), (found.Position, found.Counts.Known));
        }
    }

    private static async Task<Checkpoint> Learned(ScaleOutFleet fleet, int rows)
    {
        var topics = new ScaleOutTopics(fleet.Model, TimeProvider.System);
        Checkpoint? state = null;
        await Eventually.True(() => (state = topics.ReadNewest(CancellationToken.None))?.Rejections.Read >= rows * Partitions,
            $"{rows} records of each partition", Patience);
        return state!;
    }

    private void Produce(string topic, int from, int to)
    {
        for (int partition = 0; partition < Partitions; partition++)
            broker.Produce(topic, partition, RowsOf(partition).Skip(from).Take(to - from));
    }

    private static IEnumerable<string> RowsOf(int partition)
    {
        var random = new Random(partition);
        int[] states = new int[Machines];
        bool[] hasBegun = new bool[Machines];
        for (int row = 0; row < Rows; row++)
        {
            int machine = random.Next(Machines);
            if (hasBegun[machine] && random.NextDouble() > Stay) states[machine] = 1 - states[machine];
            hasBegun[machine] |= !IsMalformed(row);
            yield return IsMalformed(row) ? "{\"x\":" : string.Create(CultureInfo.InvariantCulture,
                $"{{\"machine\":\"m{partition}-{machine}\",\"x\":{10 * states[machine] + random.NextDouble():F6}}}");
        }
    }

    private static bool IsMalformed(int row) => row % MalformedEvery == 7;

    private string Configuration(string topic, string transactions) => $$"""
        http: { address: 127.0.0.1:0 }
        models:
          - id: machines
            source: { kafka: { brokers: ["{{broker.Address}}"], topics: [{{topic}}] } }
            features: [x]
            key: machine
            model: { type: hidden_markov, states: 2, max_keys: 32 }
            learning:
              learn: always
              dead_components: keep
              step_size: { kappa: 1, t0: 0 }
              minibatch: { size: 32 }
              initialization: { buffer: 256, n_init: 1 }
            scale_out:
              statistics_topic: {{topic}}-statistics
              model_topic: {{topic}}-model
              keys_topic: {{topic}}-keys
              keys_every: 100
              group_id: streamem-{{topic}}
              session_timeout: 6s
              transactions: {{transactions}}
            rejected: { stop_above_ratio: 0.5 }
        """;
}
