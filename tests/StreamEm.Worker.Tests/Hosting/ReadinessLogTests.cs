using Microsoft.Extensions.Time.Testing;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Hosting;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Hosting;

public sealed class ReadinessLogTests
{
    private static readonly Obstacle DiskFull = new(ObstacleKind.CheckpointsNotWritten, "the disk is full");

    private readonly ListLogger _log = new();

    [Fact]
    public void Look_AnObstacleComesStaysAndGoes_IsLoggedOnceEach()
    {
        IReadOnlyList<Obstacle> obstacles = [];
        var readiness = new ReadinessLog(() => obstacles, TimeProvider.System, _log);
        readiness.Look();
        Assert.Empty(_log.Events);

        obstacles = [Unpublished("not acknowledged for 10 s")];
        readiness.Look();
        obstacles = [Unpublished("not acknowledged for 11 s")];
        readiness.Look();
        Assert.Equal(["not_ready"], _log.Events);

        obstacles = [Unpublished("not acknowledged for 12 s"), DiskFull];
        readiness.Look();
        obstacles = [];
        readiness.Look();
        readiness.Look();
        Assert.Equal(["not_ready", "not_ready", "ready_again"], _log.Events);
    }

    [Fact]
    public void Look_TheSameWordsOfAnotherSubject_AreAnotherObstacle()
    {
        IReadOnlyList<Obstacle> obstacles = [DiskFull.OfModel("boiler")];
        var readiness = new ReadinessLog(() => obstacles, TimeProvider.System, _log);
        readiness.Look();

        obstacles = [DiskFull.OfModel("boiler"), DiskFull.OfModel("boiler2")];
        readiness.Look();
        obstacles = [DiskFull.OfModel("boiler2")];
        readiness.Look();

        Assert.Equal(["not_ready", "not_ready"], _log.Events);
    }

    [Fact]
    public async Task Run_UntilStopped_LooksEverySecond()
    {
        var time = new FakeTimeProvider();
        using var stop = new CancellationTokenSource();
        Task running = new ReadinessLog(() => [DiskFull], time, _log).RunAsync(stop.Token);
        Assert.Empty(_log.Events);

        time.Advance(TimeSpan.FromSeconds(1));
        await Eventually.True(() => !_log.Events.IsEmpty, "the obstacle is logged");
        await stop.CancelAsync();

        await Eventually.Within(running);
        Assert.Equal(["not_ready"], _log.Events);
    }

    private static Obstacle Unpublished(string text) => new(ObstacleKind.SnapshotsNotPublished, text) { Subject = "kafka:models" };
}
