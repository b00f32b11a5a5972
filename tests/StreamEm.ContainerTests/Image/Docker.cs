using System.Diagnostics;

namespace StreamEm.ContainerTests.Image;

/// <summary>The container engine's command line.</summary>
internal static class Docker
{
    /// <summary>What a command gave back.</summary>
    public sealed record Answer(int Code, string Output, string Errors)
    {
        /// <summary>What it wrote, with the end of its lines; fails when it did not end well.</summary>
        public string Text => Code == 0 ? Output.Trim() : throw new InvalidOperationException($"exit code {Code}\n{Output}\n{Errors}");
    }

    /// <summary>Runs <c>docker</c>.</summary>
    public static Task<Answer> Run(params string[] arguments) => Start("docker", arguments);

    /// <summary>Runs a command to its end, however long that is.</summary>
    public static async Task<Answer> Start(string file, IReadOnlyList<string> arguments, string? folder = null)
    {
        using Process process = Process.Start(new ProcessStartInfo(file, arguments)
        {
            WorkingDirectory = folder ?? Directory.GetCurrentDirectory(),
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return new Answer(process.ExitCode, await output, await errors);
    }
}
