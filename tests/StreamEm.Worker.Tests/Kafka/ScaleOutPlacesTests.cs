using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Confluent.Kafka.Admin;
using StreamEm.Sources.Tests.Kafka;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.ScaleOut;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Kafka;

/// <summary>Where a model that workers learn together stands in its source, where that is not told by records that count.</summary>
public sealed class ScaleOutPlacesTests(KafkaBroker broker) : IDisposable
{
    private const int Size = 16;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Stretch_OfRecordsThatTheModelIsNotAbout_IsPassed()
    {
        broker.NeedsRealBroker("describes no topics");
        string topic = await broker.CreateTopicAsync(1);
        using var fleet = new ScaleOutFleet(Yaml(topic, where: "kind == \"pump\""));
        broker.Produce(topic, 0, Rows("pump", 2 * Size));
        broker.Produce(topic, 0, Rows("fan", 50));
        fleet.Start("one");
        await fleet.HasReducer();

        Checkpoint state = await Reaches(fleet, at => at.Position.Partitions.GetValueOrDefault($"{topic}/0")?.Next == 2 * Size + 50);
        Assert.Equal((2, 2 * Size), (state.Updates, state.Records));

        // A tombstone and filtered records alone, which no record that counts follows.
        broker.Produce(topic, 0, [null, .. Rows("fan", 9)]);
        state = await Reaches(fleet, at => at.Position.Partitions[$"{topic}/0"].Next == 2 * Size + 60);
        Assert.Equal((2, 2 * Size), (state.Updates, state.Records));
        using var client = new HttpClient { BaseAddress = await fleet["one"].Address() };
        await Eventually.True(() =>
        {
            JsonElement work = client.GetFromJsonAsync<JsonElement>("/v1/models/clouds/workers").GetAwaiter().GetResult();
            return work.GetProperty("lag").GetInt64() == 0;
        }, "nothing is left", Patience);
        await fleet.StopAsync("one");
    }

    [Fact]
    public async Task Start_Latest_IsDecidedOnceForAllPartitions()
    {
        broker.NeedsRealBroker("describes no topics");
        string topic = await broker.CreateTopicAsync(2);
        using var fleet = new ScaleOutFleet(Yaml(topic, start: "latest"));
        for (int partition = 0; partition < 2; partition++) broker.Produce(topic, partition, Rows("old", 40 + partition));
        fleet.Start("one");
        await fleet.HasReducer();
        Checkpoint begun = await Reaches(fleet, _ => true);
        Assert.Equal([40L, 41L], Places(begun));

        broker.Produce(topic, 0, Rows("new", Size));
        await Reaches(fleet, at => at.Records == Size);
        await fleet.StopAsync("one");
        // While nobody runs: in a partition of which nothing was read yet, and in one that was not there.
        broker.Produce(topic, 1, Rows("new", Size));
        await broker.Admin.CreatePartitionsAsync([new PartitionsSpecification { Topic = topic, IncreaseTo = 3 }]);
        await Eventually.True(() => broker.Admin.GetMetadata(topic, TimeSpan.FromSeconds(5)).Topics[0].Partitions.Count == 3,
            "the broker shows the new partition");
        broker.Produce(topic, 2, Rows("new", Size));
        fleet.Start("two");

        Checkpoint end = await Reaches(fleet, at => at.Records >= 3 * Size);
        Assert.Equal((begun.RunId, 3L * Size, 3L * Size), (end.RunId, end.Records, end.Rejections.Read));
        Assert.Equal([40L + Size, 41L + Size, Size], Places(end));
        await fleet.StopAsync("two");
    }

    private static IEnumerable<long> Places(Checkpoint state) =>
        state.Position.Partitions.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => pair.Value.Next);

    private static IEnumerable<string> Rows(string kind, int count) => Enumerable.Range(0, count).Select(i => string.Create(
        CultureInfo.InvariantCulture, $"{{\"a\":{i % 7},\"b\":{i % 5},\"kind\":\"{kind}\"}}"));

    private static async Task<Checkpoint> Reaches(ScaleOutFleet fleet, Func<Checkpoint, bool> reached)
    {
        var topics = new ScaleOutTopics(fleet.Model, TimeProvider.System);
        Checkpoint? state = null;
        await Eventually.True(
            () => (state = topics.ReadNewest(CancellationToken.None)) is not null && reached(state), "the model to get there", Patience);
        return state!;
    }

    private string Yaml(string topic, string where = "a >= 0", string start = "earliest")
    {
        File.WriteAllText(_directory["start.json"], """
            {"parameters": {"weights": [0.5, 0.5], "means": [[0, 0], [5, 5]], "covariances": [[[4, 0], [0, 4]], [[4, 0], [0, 4]]]}}
            """);
        return $$"""
            http: { address: 127.0.0.1:0 }
            models:
              - id: clouds
                source: { kafka: { brokers: ["{{broker.Address}}"], topics: [{{topic}}], start: {{start}}, idle_after: 100ms } }
                features: [a, b]
                where: '{{where}}'
                model: { type: gaussian_mixture, components: 2 }
                learning:
                  learn: always
                  dead_components: keep
                  standardize: false
                  minibatch: { size: {{Size}} }
                  initialization: { from: "{{_directory["start.json"]}}" }
                scale_out: { statistics_topic: {{topic}}-statistics, model_topic: {{topic}}-model, group_id: {{topic}} }
            """;
    }
}
