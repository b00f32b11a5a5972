using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Commands;

/// <summary>
/// Runs one command line. A command throws <see cref="CommandException"/> for what the user can mend and lets everything else through:
/// here, and only here, exceptions become exit codes and a line on stderr.
/// </summary>
public static class Cli
{
    /// <summary>The variable that, set to 1, shows stack traces, like <c>--log.level debug</c>.</summary>
    public const string DebugVariable = "STREAMEM_DEBUG";

    /// <summary>
    /// How long a command may take to stop after SIGINT or SIGTERM before the process ends without it: longer than the worker gives itself,
    /// which ends with a code and a reason.
    /// </summary>
    public static readonly TimeSpan ShutdownDeadline = Hosting.WorkerHost.ShutdownDeadline + TimeSpan.FromSeconds(5);

    /// <summary><c>--log.level</c>, accepted by every command.</summary>
    public static readonly Option<LogLevel> LogLevelOption = new("--log.level")
    {
        Description = "The least severe messages shown: trace, debug, information, warning, error, critical or none.",
        DefaultValueFactory = _ => LogLevel.Information,
        Recursive = true,
        HelpName = "level",
    };

    /// <summary>Parses and runs.</summary>
    /// <returns>One of <see cref="ExitCode"/>.</returns>
    public static async Task<int> RunAsync(RootCommand root, IReadOnlyList<string> args, TextWriter output, TextWriter error)
    {
        if (!root.Options.Contains(LogLevelOption)) root.Options.Add(LogLevelOption);
        ParseResult parsed = root.Parse(args);
        var invocation = new InvocationConfiguration
        {
            Output = output,
            Error = error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = ShutdownDeadline,
        };
        IReadOnlyList<string> mistakes = UnknownOptions.In(parsed, args);
        string afterwards = mistakes.Count > 0 ? " A file of that name comes after --." : "";
        if (mistakes.Count == 0 && parsed.Action is ParseErrorAction) mistakes = UsageMistakes.In(parsed);
        if (mistakes.Count > 0)
        {
            foreach (string line in mistakes) await error.WriteLineAsync(PrintableText.Of(line)).ConfigureAwait(false);
            await error.WriteLineAsync($"See '{HelpCall(parsed)}'.{afterwards}").ConfigureAwait(false);
            return ExitCode.Usage;
        }

        try
        {
            return await parsed.InvokeAsync(invocation).ConfigureAwait(false);
        }
        catch (CommandException failure)
        {
            await error.WriteLineAsync(PrintableText.Of(ShowsTraces(parsed) ? failure.ToString() : failure.Message)).ConfigureAwait(false);
            return failure.ExitCode;
        }
        catch (OperationCanceledException)
        {
            return ExitCode.Interrupted;
        }
        catch (IOException failure)
        {
            // Of what a command writes for the user: whoever reads or writes files of his own says more.
            string what = ShowsTraces(parsed) ? failure.ToString() : $"Reading or writing failed: {failure.Message}";
            await error.WriteLineAsync(PrintableText.Of(what)).ConfigureAwait(false);
            return ExitCode.InputOutput;
        }
        catch (Exception fault)
        {
            string hint = ShowsTraces(parsed)
                ? fault.ToString()
                : $"{fault.GetType().FullName}: {fault.Message} ({DebugVariable}=1 shows where)";
            await error.WriteLineAsync(PrintableText.Of($"internal error: {hint}")).ConfigureAwait(false);
            return ExitCode.Internal;
        }
    }

    private static bool ShowsTraces(ParseResult parsed) =>
        parsed.GetValue(LogLevelOption) <= LogLevel.Debug || Environment.GetEnvironmentVariable(DebugVariable) == "1";

    private static string HelpCall(ParseResult parsed) =>
        parsed.CommandResult.Parent is CommandResult { Command: not RootCommand } parent
            ? $"streamem {parent.Command.Name} {parsed.CommandResult.Command.Name} --help"
            : parsed.CommandResult.Command is RootCommand ? "streamem --help" : $"streamem {parsed.CommandResult.Command.Name} --help";
}
