using System.Diagnostics;

namespace StreamEm.House.Tests.Support;

/// <summary>The real <c>streamem</c>, as it was built beside the tests.</summary>
internal static class Executable
{
    /// <summary>A run of minutes is one that hangs.</summary>
    private static readonly TimeSpan LongestRun = TimeSpan.FromMinutes(3);

    /// <summary>Starts it in a folder.</summary>
    public static Process Start(string folder, IEnumerable<string> arguments) => Process.Start(
        new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "streamem"), arguments)
        {
            WorkingDirectory = folder,
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["STREAMEM_TOKEN"] = "deploy/streamem.yaml takes it from here" },
        })!;

    /// <summary>Runs it to its end.</summary>
    public static async Task<(int ExitCode, string Output, string Error)> RunAsync(string folder, params string[] arguments)
    {
        using Process process = Start(folder, arguments);
        process.StandardInput.Close();
        using var deadline = new CancellationTokenSource(LongestRun);
        Task<string> output = process.StandardOutput.ReadToEndAsync(deadline.Token),
            error = process.StandardError.ReadToEndAsync(deadline.Token);
        try
        {
            await process.WaitForExitAsync(deadline.Token);
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }

        return (process.ExitCode, await output, await error);
    }
}
