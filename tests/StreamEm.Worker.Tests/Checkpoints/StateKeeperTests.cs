using Microsoft.Extensions.Logging.Abstractions;
using StreamEm.Sources;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Rejections;
using StreamEm.Worker.Telemetry;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Checkpoints;

public sealed class StateKeeperTests : IDisposable
{
    private readonly TemporaryDirectory _state = new();

    public void Dispose() => _state.Dispose();

    [Fact]
    public async Task Begin_RejectedRecordsNotDurableYet_WritesNothingBeforeTheyAre()
    {
        using var sink = new HeldSink();
        StateKeeper keeper = Keeper(sink);
        keeper.Demand();

        keeper.KeepIfDue(isUrgent: false);
        await Eventually.Within(sink.Asked.Task);
        Assert.True(sink.IsFlushed);
        Assert.Empty(Files());
        Assert.False(keeper.InFlight.IsCompleted);

        sink.Answer.SetResult();
        await Eventually.Within(keeper.InFlight);
        Assert.Single(Files());
    }

    [Fact]
    public async Task Begin_RejectedRecordsLost_FailsWithoutACheckpoint()
    {
        using var sink = new HeldSink();
        sink.Answer.SetException(new CommandException(ExitCode.Unavailable, "brokers away"));
        StateKeeper keeper = Keeper(sink);
        keeper.Demand();

        keeper.KeepIfDue(isUrgent: false);

        CommandException failure = await Assert.ThrowsAsync<CommandException>(() => Eventually.Within(keeper.InFlight));
        Assert.Equal(ExitCode.Unavailable, failure.ExitCode);
        Assert.Empty(Files());
    }

    private StateKeeper Keeper(RejectionSink sink)
    {
        var directory = new CheckpointDirectory(_state.Path, "boiler", keep: 3, NullLogger.Instance);
        var writer = new CheckpointWriter(directory, new ModelMetrics(), TimeProvider.System, NullLogger.Instance) { Durable = _ => { } };
        return new StateKeeper(new CheckpointSchedule(new CheckpointOptions(), TimeProvider.System, updates: 0), writer, sink, Sample);
    }

    private string[] Files() => Directory.GetFiles(_state["boiler"], "*.sem");

    private static Checkpoint Sample() => new()
    {
        ModelId = "boiler",
        RunId = "run",
        ConfigHash = "sha256:1",
        CreatedAt = DateTimeOffset.UnixEpoch,
        Updates = 1,
        Records = 1,
        Position = new SourcePosition(),
        Rejections = new RejectionCounts(),
        RejectedFileLength = null,
        Latest = null,
        Outbox = [],
        Learner = Array.Empty<byte>(),
    };

    /// <summary>Durable when the test says so.</summary>
    private sealed class HeldSink : RejectionSink
    {
        public TaskCompletionSource Asked { get; } = new();

        public TaskCompletionSource Answer { get; } = new();

        public bool IsFlushed { get; private set; }

        public override void Write(RejectedRecord record)
        {
        }

        public override void Flush() => IsFlushed = true;

        public override void MakeDurable()
        {
            Asked.SetResult();
            Answer.Task.GetAwaiter().GetResult();
        }

        public override void Dispose()
        {
        }
    }
}
