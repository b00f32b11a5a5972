using Confluent.Kafka;
using Microsoft.Extensions.Logging.Abstractions;
using StreamEm.Sources.Kafka;
using StreamEm.Sources.Tests.Kafka;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.ScaleOut;
using StreamEm.Worker.Shown;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Telemetry;
using StreamEm.Worker.Tests.ScaleOut;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Kafka;

/// <summary>Brokers that go away while a worker has nothing to read, so that nothing tells it that they are back.</summary>
public sealed class BrokersAwayTests(UnansweredTests.OwnBroker own) : IClassFixture<UnansweredTests.OwnBroker>, IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    private readonly KafkaBroker _broker = own.Broker;
    private readonly LaterTime _time = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly SnapshotFeed _feed = new();

    public void Dispose()
    {
        _stop.Cancel();
        _feed.Dispose();
    }

    [Fact]
    public async Task Worker_WithNothingToRead_OutlivesAShortOutage_AndNoLongOne()
    {
        _broker.NeedsOwnBroker();
        ModelOptions model = Model(await _broker.CreateTopicAsync(1));
        var topics = new ScaleOutTopics(model, _time);
        topics.Prepare(default);
        _broker.Produce(topics.Model.Topic, 0, [new Message<byte[]?, byte[]?>
        {
            Key = topics.StateKey,
            Value = CheckpointFile.Encode(new SimulatedCluster(seed: 1).First),
        }]);
        // One of them folds, the other stands by.
        ModelContext first = Context(model), second = Context(model);
        Reducer one = new(first, topics, "one", () => null), other = new(second, topics, "other", () => null);
        var follower = new ModelFollower(topics, _feed, _time);
        var members = new Membership(topics.Statistics, topics.Group, "one", topics.Sources, model.ScaleOut!, topics.NewOutage(), _time);
        Task[] running = [Start(one.Run), Start(other.Run), Start(follower.Run), Start(Poll)];
        await Becomes(() => first.Metrics.IsReducer != second.Metrics.IsReducer && follower.Newest is not null
            && members.Assigned.Count == 1, "workers at work");

        await _broker.KillAsync();
        await Becomes(() => Problems().All(problem => problem is not null), "an outage");
        await _broker.StartAsync();
        await Becomes(() => Problems().All(problem => problem is null), "the end of the outage");
        _time.Pass(Limit);
        // Still at it.
        await _broker.KillAsync();
        await Becomes(() => Problems().All(problem => problem is not null), "another outage");
        _time.Pass(Limit);
        foreach (Task part in running)
            Assert.Equal(ExitCode.Unavailable, (await Assert.ThrowsAsync<CommandException>(() => Eventually.Within(part))).ExitCode);

        IEnumerable<string?> Problems() => [one.Problem, other.Problem, follower.Problem, members.Problem];

        Task Becomes(Func<bool> condition, string what) => Eventually.True(() =>
        {
            Assert.All(running, part => Assert.False(part.IsCompleted, part.Exception?.Message));
            return condition();
        }, what);

        void Poll(CancellationToken stop)
        {
            using (members)
                while (!stop.WaitHandle.WaitOne(TimeSpan.FromMilliseconds(50))) members.Poll();
        }
    }

    private Task Start(Action<CancellationToken> part) => Task.Factory.StartNew(
        () => part(_stop.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private ModelContext Context(ModelOptions model) => new(
        model, new ModelMetrics(model.Id), new ShownRecords(model.Schema, _time), _time, NullLogger.Instance);

    private ModelOptions Model(string topic) => SimulatedCluster.Options with
    {
        Source = new KafkaSourceOptions { Brokers = [_broker.Address], Topics = [topic], UnavailableAfter = Limit },
        ScaleOut = new ScaleOutOptions
        {
            StatisticsTopic = $"{topic}-statistics",
            ModelTopic = $"{topic}-model",
            GroupId = topic,
        },
    };
}
