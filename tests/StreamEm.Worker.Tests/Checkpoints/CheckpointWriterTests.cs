using Microsoft.Extensions.Time.Testing;
using StreamEm.Sources;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Rejections;
using StreamEm.Worker.Storage;
using StreamEm.Worker.Telemetry;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Checkpoints;

/// <summary>A full disk passes; after any other error nothing the kernel said before is to be trusted.</summary>
public sealed class CheckpointWriterTests : IDisposable
{
    private const int InputOutputError = 5;

    private readonly TemporaryDirectory _state = new();
    private readonly ModelMetrics _metrics = new();
    private readonly FakeTimeProvider _time = new();
    private readonly ListLogger _log = new();
    private readonly List<long> _durable = [];
    private readonly DiskRecord _record;
    private DurableAct? _fails;
    private int _error;

    public CheckpointWriterTests() => _record = new DiskRecord(_state)
    {
        Before = step =>
        {
            if (step.Act == _fails) throw new IOException("from the kernel", _error);
        },
    };

    public void Dispose()
    {
        _record.Dispose();
        _state.Dispose();
    }

    [Fact]
    public async Task Write_Checkpoint_TakesEveryStepInItsOrderBeforeItIsSaidToBeDurable()
    {
        CheckpointWriter writer = Writer();
        _record.Clear();

        writer.Begin(Sample(1), () => _record.Note("rejected records are durable"));
        await Eventually.Within(writer.InFlight);

        Assert.Equal(
            [
                "rejected records are durable",
                "write boiler/checkpoint-00000000000000000001.sem.tmp",
                "sync boiler/checkpoint-00000000000000000001.sem.tmp",
                "rename to boiler/checkpoint-00000000000000000001.sem",
                "sync directory boiler",
                "durable 1",
            ],
            _record.Events);
    }

    [Fact]
    public async Task Write_MoreThanKept_DeletesTheOldOnesAfterTheNewOneIsOnDisk()
    {
        CheckpointWriter writer = Writer();
        for (int updates = 1; updates <= 3; updates++)
        {
            _record.Clear();
            writer.Begin(Sample(updates), () => { });
            await Eventually.Within(writer.InFlight);
        }

        Assert.Equal(
            ["sync directory boiler", "delete boiler/checkpoint-00000000000000000001.sem", "durable 3"],
            _record.Events.TakeLast(3));
    }

    [Theory]
    [InlineData(DurableAct.Write)]
    [InlineData(DurableAct.Sync)]
    [InlineData(DurableAct.Rename)]
    [InlineData(DurableAct.SyncDirectory)]
    internal async Task Write_FullDiskAtAnyStep_IsToldAndTheNextOneIsWritten(DurableAct step)
    {
        CheckpointWriter writer = Writer();
        StateKeeper keeper = Keeper(writer);
        (_fails, _error) = (step, DurableFile.NoSpaceLeft);
        keeper.Changed(1);
        keeper.KeepIfDue(isUrgent: true);
        await Eventually.Within(keeper.InFlight);

        Assert.Equal(new Obstacle(ObstacleKind.CheckpointsNotWritten, "the disk is full"), writer.Obstacle);
        Assert.Equal([new KeyValuePair<string, long>("no_space", 1)], _metrics.CheckpointFailures);
        Assert.Contains("checkpoint_failed", _log.Events);
        Assert.Empty(_durable);
        Assert.Equal(ExitCode.InputOutput, Assert.Throws<CommandException>(keeper.KeepNow).ExitCode);
        Assert.NotNull(keeper.Remaining);

        // Nothing has changed since, but the state is not kept: the next one is due with the clock.
        _fails = null;
        _time.Advance(new CheckpointOptions().Every);
        keeper.KeepIfDue(isUrgent: false);
        await Eventually.Within(keeper.InFlight);
        Assert.Equal([1L], _durable);
        Assert.Null(writer.Obstacle);
        Assert.Null(keeper.Remaining);
        Assert.Empty(Directory.GetFiles(_state["boiler"], "*.tmp"));
    }

    [Theory]
    [InlineData(DurableAct.Write)]
    [InlineData(DurableAct.Sync)]
    [InlineData(DurableAct.Rename)]
    [InlineData(DurableAct.SyncDirectory)]
    internal async Task Write_OtherErrorAtAnyStep_EndsWith74AndIsNeverDurable(DurableAct step)
    {
        CheckpointWriter writer = Writer();
        (_fails, _error) = (step, InputOutputError);

        writer.Begin(Sample(1), () => { });

        CommandException failure = await Assert.ThrowsAsync<CommandException>(() => Eventually.Within(writer.InFlight));
        Assert.Equal(ExitCode.InputOutput, failure.ExitCode);
        Assert.Contains("from the kernel", failure.Message, StringComparison.Ordinal);
        Assert.Empty(_durable);
        Assert.Null(writer.Obstacle);
        Assert.Equal([new KeyValuePair<string, long>("io", 1)], _metrics.CheckpointFailures);
        Assert.Throws<CommandException>(() => writer.Begin(Sample(2), () => { }));
    }

    [Fact]
    public async Task Write_NotAllowed_EndsWith74AndIsCountedAsThat()
    {
        CheckpointWriter writer = Writer();

        writer.Begin(Sample(1), () => throw new UnauthorizedAccessException("read only"));

        CommandException failure = await Assert.ThrowsAsync<CommandException>(() => Eventually.Within(writer.InFlight));
        Assert.Equal("The checkpoint of model 'boiler' could not be made durable: read only The worker stops; the checkpoint before is "
            + "intact.", failure.Message);
        Assert.Equal([new KeyValuePair<string, long>("denied", 1)], _metrics.CheckpointFailures);
    }

    [Fact]
    public async Task Write_Checkpoint_IsMeasured()
    {
        CheckpointWriter writer = Writer();
        _time.SetUtcNow(DateTimeOffset.UnixEpoch.AddDays(30_000));

        writer.Begin(Sample(1), () => _time.Advance(TimeSpan.FromSeconds(2)));
        await Eventually.Within(writer.InFlight);

        Assert.Equal(new FileInfo(_state["boiler/checkpoint-00000000000000000001.sem"]).Length, _metrics.CheckpointSize);
        Assert.Equal((2.0, (30_000 * 86_400L) + 2.0), (_metrics.LongestCheckpointSeconds, _metrics.LastCheckpointSeconds));
        Assert.Contains("checkpoint_written", _log.Events);
    }

    [Fact]
    public async Task Begin_OneIsBeingWritten_IsAFaultOfTheProgram()
    {
        CheckpointWriter writer = Writer();
        using var go = new ManualResetEventSlim();
        writer.Begin(Sample(1), () => go.Wait(TestContext.Current.CancellationToken));

        Assert.True(writer.IsBusy);
        Assert.Equal("A checkpoint is being written.",
            Assert.Throws<InvalidOperationException>(() => writer.Begin(Sample(2), () => { })).Message);
        go.Set();
        await Eventually.Within(writer.InFlight);
    }

    [Fact]
    public async Task Write_ErrorInWhatGoesBefore_LeavesNoFile()
    {
        CheckpointWriter writer = Writer();

        writer.Begin(Sample(1), () => throw new IOException("rejected file", InputOutputError));

        await Assert.ThrowsAsync<CommandException>(() => Eventually.Within(writer.InFlight));
        Assert.Empty(Directory.GetFiles(_state["boiler"]));
        Assert.Empty(_durable);
    }

    private CheckpointWriter Writer() =>
        new(new CheckpointDirectory(_state.Path, "boiler", keep: 2, _log), _metrics, _time, _log)
        {
            Durable = checkpoint =>
            {
                _durable.Add(checkpoint.Updates);
                _record.Note($"durable {checkpoint.Updates}");
            },
        };

    private StateKeeper Keeper(CheckpointWriter writer) => new(
        new CheckpointSchedule(new CheckpointOptions(), _time, updates: 0), writer, new RejectionSinks([]), () => Sample(1));

    private static Checkpoint Sample(int updates) => new()
    {
        ModelId = "boiler",
        RunId = "run",
        ConfigHash = "sha256:1",
        CreatedAt = DateTimeOffset.UnixEpoch,
        Updates = updates,
        Records = updates,
        Position = new SourcePosition(),
        Rejections = new RejectionCounts(),
        RejectedFileLength = null,
        Latest = null,
        Outbox = [],
        Learner = Array.Empty<byte>(),
    };
}
