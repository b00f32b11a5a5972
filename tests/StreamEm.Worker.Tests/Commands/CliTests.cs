using System.CommandLine;
using StreamEm.Worker.Commands;
using StreamEm.Worker.Failures;

namespace StreamEm.Worker.Tests.Commands;

public sealed class CliTests
{
    [Fact]
    public async Task UnknownVerb_Returns64AndNamesIt()
    {
        CommandRun run = await CommandRun.Of(new RootCommand { VersionCommand.Create() }, "versoin");

        Assert.Equal(ExitCode.Usage, run.ExitCode);
        Assert.Contains("'versoin'", run.Error, StringComparison.Ordinal);
        Assert.Contains("See 'streamem --help'.", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task UnknownOption_Returns64AndPointsToTheVerbsHelp()
    {
        CommandRun run = await CommandRun.Of(VersionCommand.Create(), "--jsn");

        Assert.Equal(ExitCode.Usage, run.ExitCode);
        Assert.Contains("See 'streamem version --help'.", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task NoVerb_Returns64() =>
        Assert.Equal(ExitCode.Usage, (await CommandRun.Of(new RootCommand { VersionCommand.Create() })).ExitCode);

    [Fact]
    public async Task UnknownLogLevel_Returns64() =>
        Assert.Equal(ExitCode.Usage, (await CommandRun.Of(VersionCommand.Create(), "--log.level", "loud")).ExitCode);

    [Fact]
    public async Task Help_Returns0AndListsTheVerbs()
    {
        CommandRun run = await CommandRun.Of(new RootCommand { VersionCommand.Create() }, "--help");

        Assert.Equal(ExitCode.Ok, run.ExitCode);
        Assert.Contains("version", run.Output, StringComparison.Ordinal);
        Assert.Contains("--log.level", run.Output, StringComparison.Ordinal);
        Assert.Empty(run.Error);
    }

    [Fact]
    public async Task CommandException_ReturnsItsCodeAndPrintsItsMessageAlone()
    {
        CommandRun run =
            await CommandRun.Of(Throwing(new CommandException(ExitCode.CannotCreate, "the state directory ./state is locked")));

        Assert.Equal(ExitCode.CannotCreate, run.ExitCode);
        Assert.Equal("the state directory ./state is locked\n", run.Error);
    }

    [Fact]
    public async Task OtherException_Returns70WithTypeAndMessageButNoTrace()
    {
        CommandRun run = await CommandRun.Of(Throwing(new InvalidOperationException("a thing that cannot be")));

        Assert.Equal(ExitCode.Internal, run.ExitCode);
        Assert.Contains("System.InvalidOperationException: a thing that cannot be", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OtherExceptionAtLogLevelDebug_ShowsTheTrace()
    {
        CommandRun run = await CommandRun.Of(Throwing(new InvalidOperationException("a thing that cannot be")), "--log.level", "debug");

        Assert.Equal(ExitCode.Internal, run.ExitCode);
        Assert.Contains("   at ", run.Error, StringComparison.Ordinal);
    }

    private static Command Throwing(Exception exception)
    {
        var command = new Command("fail");
        command.SetAction(int (_) => throw exception);
        return command;
    }
}
