using System.CommandLine;
using System.Runtime.InteropServices;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Commands;

/// <summary><c>streamem version</c>.</summary>
public static class VersionCommand
{
    /// <summary>The verb.</summary>
    public static Command Create()
    {
        Option<bool> json = new("--json") { Description = "As one JSON object." };
        Command command = new("version", "Prints the version of the program and its runtime.") { json };
        command.SetAction(parsed =>
        {
            TextWriter output = parsed.InvocationConfiguration.Output;
            output.WriteLine(parsed.GetValue(json)
                ? ProgramVersion.Json()
                : $"streamem {ProgramVersion.Version} ({RuntimeInformation.FrameworkDescription}, {RuntimeInformation.RuntimeIdentifier})");
            return ExitCode.Ok;
        });
        return command;
    }
}
