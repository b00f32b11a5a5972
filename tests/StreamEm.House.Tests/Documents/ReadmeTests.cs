using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using StreamEm.House.Tests.Support;

namespace StreamEm.House.Tests.Documents;

/// <summary>What the README tells a person to type works, and what it says the API answers is there.</summary>
public sealed partial class ReadmeTests
{
    private const string Readme = "README.md";

    /// <summary>No port that somebody else may use.</summary>
    private static readonly string[] AnyPort = ["-s", "http.address=127.0.0.1:0"];

    [Fact]
    public async Task YourOwnStream_TypedAsItStands_Works()
    {
        IReadOnlyList<Snippet> snippets = Markdown.Snippets(Readme);
        Snippet configuration = snippets.First(block => block.Language == "yaml");
        Snippet calls =
            snippets.First(block => block.Language.Length == 0 && block.Text.StartsWith("streamem validate", StringComparison.Ordinal));
        using TemporaryFolder folder = FolderWithData(configuration.Text);

        foreach (string line in calls.Text.Split('\n'))
        {
            List<string> arguments = [.. CommandTests.Split(line.Split(" # ")[0]).Skip(1)];
            if (arguments[0] == "run") arguments.AddRange([.. AnyPort, "--once"]);
            (int code, string output, string error) = await Executable.RunAsync(folder.Path, [.. arguments]);
            Assert.True(code == 0, $"{line}\nended with exit code {code}:\n{output}\n{error}");
        }

        string[] written = ["snapshot.json", "trace.ndjson", "scores.ndjson", "picture.svg", "out/snapshots.ndjson"];
        Assert.All(written, file => Assert.True(new FileInfo(Path.Combine(folder.Path, file)).Length > 0, file));
    }

    [Fact]
    public async Task Routes_OfTheTable_AreThoseOfTheRunningWorker()
    {
        string yaml = Markdown.Snippets(Readme).First(block => block.Language == "yaml").Text;
        using TemporaryFolder folder = FolderWithData(SourceLine().Replace(yaml, "source: { http: {} }"));
        using Process worker = Executable.Start(folder.Path, ["run", .. AnyPort]);
        try
        {
            HashSet<string> found = await RoutesOf(await AddressOf(worker));
            string[] named = [.. NamedRoutes().Distinct(StringComparer.Ordinal)];
            Assert.True(named.Length >= 12, string.Join(", ", named));
            Violations.None(named.Except(found, StringComparer.Ordinal));
            Violations.None(found.Except(named, StringComparer.Ordinal));
        }
        finally
        {
            worker.Kill();
        }
    }

    /// <summary>Data for the README's configuration: two clusters, so that there is something to learn.</summary>
    private static TemporaryFolder FolderWithData(string yaml)
    {
        var folder = new TemporaryFolder();
        var rows = new StringBuilder("temperature,pressure\n");
        for (int row = 0; row < 4000; row++)
        {
            double swing = Math.Sin(row * 0.7) + Math.Sin(row * row * 0.13);
            rows.Append(CultureInfo.InvariantCulture,
                $"{(row % 3 == 0 ? 70 : 20) + swing:F3},{(row % 3 == 0 ? 1.3 : 1) + 0.05 * Math.Cos(row * 1.9) + 0.02 * swing:F4}\n");
        }

        folder.Write("streamem.yaml", yaml.Replace("follow: true", "follow: false", StringComparison.Ordinal));
        folder.Write("data/rows.csv", rows.ToString());
        folder.Write("data.csv", rows.ToString());
        folder.Write("new.csv", "temperature,pressure\n21.5,1.01\n,1.3\n");
        return folder;
    }

    internal static async Task<Uri> AddressOf(Process worker)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (await worker.StandardOutput.ReadLineAsync(deadline.Token) is { } line)
        {
            using var entry = JsonDocument.Parse(line);
            if (entry.RootElement.GetProperty("event").GetString() == "http_listening")
                return new Uri(entry.RootElement.GetProperty("address").GetString()!);
        }

        throw new InvalidOperationException(
            $"The worker ended before it listened: {await worker.StandardError.ReadToEndAsync(deadline.Token)}");
    }

    private static async Task<HashSet<string>> RoutesOf(Uri address)
    {
        const string Document = "/openapi/v1.json";
        using var client = new HttpClient { BaseAddress = address };
        using var document = JsonDocument.Parse(await client.GetStringAsync(Document));
        return
        [
            $"GET {Document}",
            .. from path in document.RootElement.GetProperty("paths").EnumerateObject()
               from verb in path.Value.EnumerateObject()
               select $"{verb.Name.ToUpperInvariant()} {path.Name}",
        ];
    }

    /// <summary>The routes of the table; dots stand for the model's path, a route without a verb is a GET.</summary>
    private static IEnumerable<string> NamedRoutes() =>
        from span in Markdown.CodeSpans(Readme)
        let match = Route().Match(span)
        where match.Success
        let verb = match.Groups["verb"].Value
        select $"{(verb.Length > 0 ? verb : "GET")} "
            + $"{match.Groups["path"].Value.Replace("...", "/v1/models/{id}", StringComparison.Ordinal)}";

    [GeneratedRegex("^((?<verb>GET|POST|PUT|DELETE) )?(?<path>(/|\\.\\.\\./)[a-z][\\w/{}.-]*)$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Route();

    [GeneratedRegex("source:\n +file: .*", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex SourceLine();
}
