using System.Diagnostics;
using System.Text.RegularExpressions;
using StreamEm.House.Tests.Approved;
using StreamEm.House.Tests.Code;
using StreamEm.House.Tests.Support;

namespace StreamEm.House.Tests.Documents;

/// <summary>
/// The worked examples of the models' pages are run as they stand, in a shell: commands end well, print what the page shows after them, and
/// draw the pictures the page shows. The same bytes on every machine are what the engine promises. <c>STREAMEM_ACCEPT=1</c> puts tables and
/// pictures into the page.
/// </summary>
public sealed partial class WorkedExampleTests
{
    private const string Heading = "## Worked example", Pictures = "docs/images";

    public static TheoryData<string> Pages =>
        [.. Repository.Files("docs/models", "*.md").Where(page => Repository.Read(page).Contains(Heading, StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task Example_OfAModelsPage_DoesWhatThePageShows(string page)
    {
        using var folder = new TemporaryFolder();
        Directory.CreateSymbolicLink(Path.Combine(folder.Path, "samples"), Repository.PathOf("samples"));
        (Snippet Snippet, bool IsCommand)[] steps = [.. StepsOf(page).Select(step => (step, IsCommand(page, step)))];
        Assert.Contains(steps, step => step.IsCommand && step.Snippet.Text.StartsWith("streamem plot ", StringComparison.Ordinal));
        for (int at = 0; at < steps.Length; at++)
        {
            Snippet step = steps[at].Snippet;
            Match file = FileName().Match(step.Text);
            if (file.Success) folder.Write(file.Groups["name"].Value, step.Text);
            if (!steps[at].IsCommand) continue;
            (int code, string output, string error) = await RunAsync(folder.Path, step.Text);
            Assert.True(code == 0, $"{step}: exit code {code}\n{output}{error}");
            bool shows = at + 1 < steps.Length && steps[at + 1] is { IsCommand: false, Snippet.Language.Length: 0 };
            if (shows) AssertShows(page, steps[at + 1].Snippet, output);
            if (PictureName().Match(step.Text) is { Success: true } picture)
                AssertDraws(page, Path.Combine(folder.Path, picture.Groups["name"].Value), picture.Groups["name"].Value);
        }
    }

    private static IEnumerable<Snippet> StepsOf(string page)
    {
        string[] lines = Repository.Read(page).Split('\n');
        int first = Array.IndexOf(lines, Heading), next = Array.FindIndex(lines, first + 1,
            line => line.StartsWith("## ", StringComparison.Ordinal));
        return Markdown.Snippets(page).Where(step => step.Line > first && (next < 0 || step.Line <= next));
    }

    /// <summary>Commands are indented, what they print is between fences.</summary>
    private static bool IsCommand(string page, Snippet step) => step.Language.Length == 0
        && Repository.Read(page).Split('\n')[step.Line - 1].StartsWith("    ", StringComparison.Ordinal);

    private static void AssertShows(string page, Snippet shown, string output)
    {
        string[] printed = [.. output.Split('\n').Select(line => line.TrimEnd())];
        string[] missing = [.. shown.Text.Split('\n').Select(line => line.TrimEnd()).Except(printed, StringComparer.Ordinal)];
        if (missing.Length == 0) return;
        int table = Array.FindIndex(printed, line => line.StartsWith("  component", StringComparison.Ordinal));
        string found = string.Join('\n', table < 0 ? printed.Take(shown.Text.Split('\n').Length) : printed[table..]).TrimEnd();
        if (Approval.Accepts)
        {
            string whole = Repository.Read(page);
            Assert.True(whole.Split(shown.Text).Length == 2, $"{shown} stands in the page more than once.");
            File.WriteAllText(Repository.PathOf(page), whole.Replace(shown.Text, found, StringComparison.Ordinal));
            return;
        }

        Assert.Fail($"{shown} is not what is printed; missing\n{string.Join('\n', missing)}\nprinted\n{found}\n"
            + "If this is what you meant: ./build.sh accept, look at the difference, and commit it.");
    }

    private static void AssertDraws(string page, string drawn, string name)
    {
        Assert.Contains($"(../images/{name})", Repository.Read(page), StringComparison.Ordinal);
        string kept = Repository.PathOf($"{Pictures}/{name}"), found = File.ReadAllText(drawn);
        if (File.Exists(kept) && File.ReadAllText(kept) == found) return;
        if (Approval.Accepts) File.WriteAllText(kept, found);
        else
            Assert.Fail($"{page}: {Pictures}/{name} is not what is drawn. If this is what you meant: ./build.sh accept, look at it, commit "
                + "it.");
    }

    private static async Task<(int ExitCode, string Output, string Error)> RunAsync(string folder, string command)
    {
        using Process process = Process.Start(new ProcessStartInfo("bash", ["-c", $"set -euo pipefail\n{command}"])
        {
            WorkingDirectory = folder,
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["PATH"] = $"{AppContext.BaseDirectory}:{Environment.GetEnvironmentVariable("PATH")}" },
        })!;
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(3));
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

        return (process.ExitCode, await output, await error);
    }

    [GeneratedRegex("^# (?<name>[a-z0-9_.-]+\\.yaml)\n", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex FileName();

    [GeneratedRegex("^streamem plot .* -o (?<name>[a-z0-9_-]+\\.svg)\\b", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex PictureName();
}
