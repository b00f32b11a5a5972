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
        Assert.Equal("Unknown command 'versoin'; did you mean 'version'?\nSee 'streamem --help'.\n", run.Error);
        Assert.Empty(run.Output);
    }

    [Theory]
    [InlineData("sttae ls", "Unknown command 'sttae'; did you mean 'state'?\nSee 'streamem --help'.\n")]
    [InlineData("state lss", "Unknown command 'lss'; did you mean 'ls'?\nSee 'streamem state --help'.\n")]
    [InlineData("zzzzzzzz", "Unknown command 'zzzzzzzz'; there are run, fit, init, score,")]
    public async Task UnknownVerb_IsAllThatIsSaid(string words, string expected)
    {
        CommandRun run = await CommandRun.Of(Verbs.CreateRoot(), words.Split(' '));

        Assert.Equal(ExitCode.Usage, run.ExitCode);
        Assert.StartsWith(expected, run.Error, StringComparison.Ordinal);
        Assert.Empty(run.Output);
    }

    /// <summary>What somebody else chose - the name of a file, a word that was pasted - gives a terminal no orders.</summary>
    [Theory]
    [InlineData("ver\u001b[31msion")]
    [InlineData("version --\u001b[2Jx")]
    [InlineData("version --log.level \u009b31m")]
    [InlineData("inspect no\u001b]0;x\u0007thing.json")]
    [InlineData("validate -c \u001b[5mno.yaml")]
    [InlineData("fit -c no.yaml --model \u001b[5m data.csv")]
    public async Task Messages_GiveTheTerminalNoOrders(string words)
    {
        CommandRun run = await CommandRun.Of(Verbs.CreateRoot(), words.Split(' '));

        Assert.NotEqual(ExitCode.Ok, run.ExitCode);
        Assert.DoesNotContain(run.Error + run.Output, character => char.IsControl(character) && character != '\n');
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Failures_GiveTheTerminalNoOrders(bool isIo)
    {
        const string text = "no \u001b[31mred";
        CommandRun run = await CommandRun.Of(Throwing(isIo ? new IOException(text) : new InvalidOperationException(text)));

        Assert.Equal(isIo ? ExitCode.InputOutput : ExitCode.Internal, run.ExitCode);
        Assert.Contains("no ?[31mred", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("fit data.csv -c nothing.yaml", ExitCode.Configuration)]
    [InlineData("run -c nothing.yaml", ExitCode.Configuration)]
    [InlineData("score nothing.json data.csv", ExitCode.InputMissing)]
    [InlineData("inspect nothing.json", ExitCode.InputMissing)]
    public async Task MissingFiles_AConfigurationIs78AndAnyOther66(string words, int expected)
    {
        CommandRun run = await CommandRun.Of(Verbs.CreateRoot(), words.Split(' '));

        Assert.Equal(expected, run.ExitCode);
        Assert.Contains("nothing", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task UnknownOption_Returns64AndPointsToTheVerbsHelp()
    {
        CommandRun run = await CommandRun.Of(VersionCommand.Create(), "--jsn");

        Assert.Equal(ExitCode.Usage, run.ExitCode);
        Assert.Contains("See 'streamem version --help'.", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("run", "--onec", "'--onec'; did you mean '--once'?")]
    [InlineData("run", "--log.levl=debug", "'--log.levl'; did you mean '--log.level'?")]
    [InlineData("fit", "--batsh data.csv", "'--batsh'; did you mean '--batch'?")]
    [InlineData("fit", "data.csv -o --tarce trace.ndjson", "'--tarce'; did you mean '--trace'?")]
    [InlineData("fit", "data.csv --passe=3", "'--passe'; did you mean '--passes'?")]
    [InlineData("fit", "data.csv -z", "'-z'; did you mean")]
    [InlineData("fit", "--this-is-nothing-like-one data.csv", "'--this-is-nothing-like-one'\n")]
    [InlineData("score", "--formt csv boiler.json data.csv", "'--formt'; did you mean '--format'?")]
    [InlineData("inspect", "--ouput out.json", "'--ouput'; did you mean '--output'?")]
    [InlineData("plot", "boiler.json data.csv -o a.svg --ring 3", "'--ring'; did you mean '--rings'?")]
    [InlineData("validate", "--conifg a.yaml", "'--conifg'; did you mean '--config'?")]
    [InlineData("models", "--jsn", "'--jsn'; did you mean '--json'?")]
    [InlineData("healthcheck", "--ulr http://127.0.0.1", "'--ulr'; did you mean '--url'?")]
    [InlineData("version", "--jsn", "'--jsn'; did you mean '--json'?")]
    public async Task UnknownOption_OfAnyVerb_IsNeverTakenForAFile(string verb, string words, string expected)
    {
        CommandRun run = await CommandRun.Of(Verbs.CreateRoot(), [verb, .. words.Split(' ')]);

        Assert.Equal(ExitCode.Usage, run.ExitCode);
        Assert.StartsWith($"Unknown option {expected}", run.Error, StringComparison.Ordinal);
        Assert.Contains($"See 'streamem {verb} --help'.", run.Error, StringComparison.Ordinal);
        Assert.Empty(run.Output);
    }

    [Fact]
    public async Task UnknownOption_EveryVerb_RefusesOne()
    {
        foreach (Command verb in Verbs.CreateRoot().Subcommands)
        {
            // As many words as any verb takes, so that nothing is missing.
            CommandRun run = await CommandRun.Of(Verbs.CreateRoot(), verb.Name, "one", "--nothing", "two");
            Assert.Equal(ExitCode.Usage, run.ExitCode);
            Assert.StartsWith("Unknown option '--nothing'", run.Error, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("score nothing.json -- --data.csv")]
    [InlineData("score -- -nothing.json data.csv")]
    [InlineData("plot nothing.json data.csv -o a.svg --title=--x")]
    [InlineData("inspect nothing.json -o -")]
    public async Task Words_ThatBeginWithDashesAndAreMeant_AreTaken(string words)
    {
        CommandRun run = await CommandRun.Of(Verbs.CreateRoot(), words.Split(' '));

        // What is missing is the snapshot, which is opened first.
        Assert.Equal(ExitCode.InputMissing, run.ExitCode);
        Assert.Contains("nothing.json' cannot be read", run.Error, StringComparison.Ordinal);
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
