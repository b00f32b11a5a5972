using System.Diagnostics;

namespace StreamEm.Tests.Shared;

/// <summary>Prometheus' own checker, where it is installed.</summary>
internal static class Promtool
{
    public const string Missing = "promtool is not installed (Debian: apt-get install prometheus).";

    public static bool IsThere { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Any(folder => File.Exists(Path.Combine(folder, "promtool")));

    /// <summary>Runs it.</summary>
    public static async Task<(int Code, string Output)> Run(string input, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo("promtool", arguments)
        { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + await errors);
    }
}
