using System.CommandLine;
using StreamEm.Worker.Commands;

namespace StreamEm.Worker.Tests.Commands;

/// <summary>What one command line returned and printed.</summary>
internal sealed record CommandRun(int ExitCode, string Output, string Error)
{
    public static async Task<CommandRun> Of(RootCommand root, params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        int exitCode = await Cli.RunAsync(root, args, output, error);
        return new CommandRun(exitCode, output.ToString(), error.ToString());
    }

    public static Task<CommandRun> Of(Command command, params string[] args) => Of(new RootCommand { command }, [command.Name, .. args]);
}
