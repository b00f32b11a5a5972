using System.Diagnostics;

namespace StreamEm.House.Tests.Support;

/// <summary>A Python of this machine.</summary>
internal static class Python
{
    private static readonly TimeSpan LongestRun = TimeSpan.FromMinutes(2);

    /// <summary>The first one that gets to the end of a program; null where none does.</summary>
    public static async Task<string?> FindAsync(string program)
    {
        foreach (string interpreter in (string[])["python3", "/usr/bin/python3"])
        {
            try
            {
                if ((await RunAsync(interpreter, Path.GetTempPath(), [], "-c", program)).Code == 0) return interpreter;
            }
            catch (System.ComponentModel.Win32Exception)
            {
                // It is not there.
            }
        }

        return null;
    }

    /// <summary>Runs it to its end.</summary>
    public static async Task<(int Code, string Output)> RunAsync(
        string interpreter, string folder, Dictionary<string, string> environment, params string[] arguments)
    {
        var start = new ProcessStartInfo(interpreter, arguments)
        {
            WorkingDirectory = folder,
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["PYTHONDONTWRITEBYTECODE"] = "1" },
        };
        foreach ((string name, string value) in environment) start.Environment[name] = value;
        using Process process = Process.Start(start)!;
        using var deadline = new CancellationTokenSource(LongestRun);
        Task<string> output = process.StandardOutput.ReadToEndAsync(deadline.Token),
            error = process.StandardError.ReadToEndAsync(deadline.Token);
        try
        {
            await process.WaitForExitAsync(deadline.Token);
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }

        return (process.ExitCode, await output + await error);
    }
}
