using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace StreamEm.Worker.Telemetry;

/// <summary>Which program runs.</summary>
public static class ProgramVersion
{
    /// <summary>The version, as in the assembly, without the source revision.</summary>
    public static string Version => Informational.Split('+')[0];

    /// <summary>The source revision it was built from; null when the build did not know it.</summary>
    public static string? Revision => Informational.Split('+') is [_, var revision] ? revision : null;

    private static string Informational =>
        typeof(ProgramVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0.0.0";

    /// <summary>
    /// <c>{"version", "revision", "runtime", "platform"}</c>: what <c>streamem version --json</c> and <c>GET /version</c> answer.
    /// </summary>
    public static string Json() => JsonSerializer.Serialize(new Dictionary<string, string?>
    {
        ["version"] = Version,
        ["revision"] = Revision,
        ["runtime"] = RuntimeInformation.FrameworkDescription,
        ["platform"] = RuntimeInformation.RuntimeIdentifier,
    });
}
