using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using StreamEm.House.Tests.Code;
using StreamEm.House.Tests.Support;

namespace StreamEm.House.Tests.Documents;

/// <summary>
/// Pages that a reader types from the first line to the last are run so, in one shell: commands that are indented, configurations that
/// begin with their file's name, programs of the languages that are here. What is between fences of <c>sh</c> needs another machine and is
/// shown.
/// </summary>
public sealed partial class PageTests
{
    private static readonly TimeSpan LongestRun = TimeSpan.FromMinutes(3);

    /// <summary>Programs in documents: an interpreter, what it has to do to be of use, and the file's ending.</summary>
    private static readonly (string Language, string Interpreter, string Question, string Ending)[] Languages =
    [
        ("python", "python3", "-c 'import numpy, pandas, sklearn'", "py"),
        ("python", "/usr/bin/python3", "-c 'import numpy, pandas, sklearn'", "py"),
        ("js", "node", "--version", "mjs"), ("r", "Rscript", "--version", "R"),
    ];

    public static TheoryData<string> Pages =>
        ["docs/python.md", "docs/clients.md", "docs/quick-start.md", .. Repository.Files("docs/questions", "*.md")];

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task Page_TypedAsItStands_Works(string page)
    {
        using var folder = new TemporaryFolder();
        Directory.CreateSymbolicLink(Path.Combine(folder.Path, "samples"), Repository.PathOf("samples"));
        (string Language, string Interpreter, string, string Ending)[] here =
            [.. Languages.Where(language => IsHere($"{language.Interpreter} {language.Question}"))
                .DistinctBy(language => language.Language)];
        string[] needed = [.. Markdown.Snippets(page).Select(step => step.Language).Distinct()
            .Where(language => Languages.Any(known => known.Language == language))];
        Assert.SkipUnless(needed.Length == 0 || needed.Intersect(here.Select(language => language.Language)).Any(),
            $"{string.Join(", ", needed)} with its libraries is not installed.");

        (int code, string output) = await RunAsync(folder, Script(page, folder, here));

        Assert.True(code == 0, $"{page}: exit code {code}\n{output}");
    }

    /// <summary>The page as a script. A language's programs are one, which runs where the last of them stands.</summary>
    private static string Script(
        string page, TemporaryFolder folder, (string Language, string Interpreter, string Question, string Ending)[] here)
    {
        Snippet[] steps = [.. Markdown.Snippets(page)];
        var script = new StringBuilder(
            "set -eE\ntrap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT\ntrap 'echo \"at: $BASH_COMMAND\"' ERR\n");
        foreach (Snippet step in steps)
        {
            if (FileName().Match(step.Text) is { Success: true } file && step.Language is "yaml")
                folder.Write(file.Groups["name"].Value, step.Text);
            else if (step.Language.Length == 0
                && Repository.Read(page).Split('\n')[step.Line - 1].StartsWith("    ", StringComparison.Ordinal))
                script.Append(step.Text).Append('\n');
            else if (Array.Find(here, language => language.Language == step.Language) is ({ }, { } interpreter, _, { } ending)
                && step == steps.Last(other => other.Language == step.Language))
            {
                folder.Write($"page.{ending}",
                    WithPort(string.Join('\n', steps.Where(other => other.Language == step.Language).Select(other => other.Text)), folder));
                script.Append($"{interpreter} page.{ending}\n");
            }
        }

        foreach (string written in Directory.GetFiles(folder.Path, "*.yaml"))
            File.WriteAllText(written, WithPort(File.ReadAllText(written), folder));
        return WithPort(script.ToString(), folder);
    }

    /// <summary>A port that nobody else uses, the same for all of a page.</summary>
    private static string WithPort(string text, TemporaryFolder folder)
    {
        string kept = Path.Combine(folder.Path, ".port");
        if (!File.Exists(kept))
        {
            using var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            File.WriteAllText(kept, $"{((IPEndPoint)listener.LocalEndpoint).Port}");
        }

        return text.Replace(":8080", $":{File.ReadAllText(kept)}", StringComparison.Ordinal);
    }

    private static bool IsHere(string question)
    {
        using Process process = Process.Start(new ProcessStartInfo("/bin/bash", ["-c", question])
        { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }

    private static async Task<(int Code, string Output)> RunAsync(TemporaryFolder folder, string script)
    {
        folder.Write("page.sh", script);
        using Process process = Process.Start(new ProcessStartInfo("/bin/bash", ["-c", "bash page.sh >page.log 2>&1 </dev/null"])
        {
            WorkingDirectory = folder.Path,
            UseShellExecute = false,
            Environment =
            {
                ["PATH"] = $"{AppContext.BaseDirectory}:{Environment.GetEnvironmentVariable("PATH")}",
                ["NO_COLOR"] = "1",
                // As if the module were installed.
                ["PYTHONPATH"] = Repository.PathOf("clients/python"),
                ["PYTHONDONTWRITEBYTECODE"] = "1",
            },
        })!;
        using var deadline = new CancellationTokenSource(LongestRun);
        try
        {
            await process.WaitForExitAsync(deadline.Token);
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }

        string log = File.ReadAllText(Path.Combine(folder.Path, "page.log"));
        return (process.ExitCode, log[Math.Max(0, log.Length - 6000)..]);
    }

    [GeneratedRegex("^# (?<name>[a-z][a-z-]*\\.yaml)$", RegexOptions.ExplicitCapture | RegexOptions.Multiline, 1000)]
    private static partial Regex FileName();
}
