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

    [Fact]
    public void Acquire_DirectoryThatAnyoneMayWrite_IsRefusedWith73()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no such modes.");
        using var directory = new TemporaryDirectory();
        StateLock.Acquire(directory["state"]).Dispose();
        SetMode(directory["state"], (UnixFileMode)0b111_111_111);

        CommandException refusal = Assert.Throws<CommandException>(() => StateLock.Acquire(directory["state"]));

        Assert.Equal(ExitCode.CannotCreate, refusal.ExitCode);
        Assert.Contains("chmod o-w", refusal.Message, StringComparison.Ordinal);
        SetMode(directory["state"], (UnixFileMode)0b111_111_101);
        StateLock.Acquire(directory["state"]).Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Acquire_LinkInPlaceOfTheLock_IsNotFollowed(bool targetExists)
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("Links need rights there.");
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(directory["state"]);
        if (targetExists) File.WriteAllText(directory["precious"], "precious");
        File.CreateSymbolicLink(directory["state/LOCK"], directory["precious"]);

        CommandException refusal = Assert.Throws<CommandException>(() => StateLock.Acquire(directory["state"]));

        Assert.Equal(ExitCode.CannotCreate, refusal.ExitCode);
        Assert.Equal(targetExists, File.Exists(directory["precious"]));
        if (targetExists) Assert.Equal("precious", File.ReadAllText(directory["precious"]));
    }

    private static void SetMode(string path, UnixFileMode mode)
    {
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, mode);
    }
}
