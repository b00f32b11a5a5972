using StreamEm.Worker.Failures;
using StreamEm.Worker.Storage;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Storage;

public sealed class StateLockTests
{
    [Fact]
    public void Acquire_WhileHeld_IsRefusedWith73AndNamesTheProcess()
    {
        using var directory = new TemporaryDirectory();
        using StateLock first = StateLock.Acquire(directory["state"]);

        CommandException refusal = Assert.Throws<CommandException>(() => StateLock.Acquire(directory["state"]));

        Assert.Equal(ExitCode.CannotCreate, refusal.ExitCode);
        Assert.Contains($"another streamem (process {Environment.ProcessId}).", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Acquire_AfterRelease_Succeeds()
    {
        using var directory = new TemporaryDirectory();
        StateLock.Acquire(directory["state"]).Dispose();

        using StateLock second = StateLock.Acquire(directory["state"]);
    }
}
