using System.CommandLine;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace StreamEm.Worker.Commands;

/// <summary><c>streamem version</c>.</summary>
public static class VersionCommand
{
    /// <summary>The program's version, as in the assembly, without the source revision.</summary>
    public static string Version => Informational.Split('+')[0];

    /// <summary>The source revision it was built from; null when the build did not know it.</summary>
    public static string? Revision => Informational.Split('+') is [_, var revision] ? revision : null;

    private static string Informational =>
        typeof(VersionCommand).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0.0.0";

    /// <summary>The verb.</summary>
    public static Command Create()
    {
        Option<bool> json = new("--json") { Description = "As one JSON object." };
        Command command = new("version", "Prints the version of the program and its runtime.") { json };
        command.SetAction(parsed =>
        {
            TextWriter output = parsed.InvocationConfiguration.Output;
            output.WriteLine(parsed.GetValue(json) ? Json() : $"streamem {Version} ({RuntimeInformation.FrameworkDescription}, {RuntimeInformation.RuntimeIdentifier})");
            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary><c>{"version", "revision", "runtime", "platform"}</c>, as <c>GET /version</c> answers too.</summary>
    public static string Json() => JsonSerializer.Serialize(new Dictionary<string, string?>
    {
        ["version"] = Version,
        ["revision"] = Revision,
        ["runtime"] = RuntimeInformation.FrameworkDescription,
        ["platform"] = RuntimeInformation.RuntimeIdentifier,
    });
}
