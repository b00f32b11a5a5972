using System.Text;
using System.Text.RegularExpressions;
using StreamEm.House.Tests.Approved;
using StreamEm.House.Tests.Code;
using StreamEm.House.Tests.Support;

namespace StreamEm.House.Tests.Documents;

/// <summary>
/// <c>docs/notebook.md</c> is run cell by cell on a worker: every cell prints what the page shows after it, and the pictures are those of
/// the page. <c>STREAMEM_ACCEPT=1</c> puts both into the page.
/// </summary>
public sealed partial class NotebookTests
{
    private const string Page = "docs/notebook.md", Images = "docs/images", Mark = "----- cell -----";

    /// <summary>
    /// The same release of matplotlib draws the same pixels, to rounding; pictures of another one, whose letters and edges differ, are only
    /// held to be much alike.
    /// </summary>
    private const string Comparison = """
        import re, sys
        import numpy as np
        from matplotlib.image import imread
        one, other = (imread(name)[..., :3] for name in sys.argv[1:])
        assert one.shape == other.shape, f"{one.shape} and {other.shape}"
        difference = np.abs(one - other).mean()
        releases = {re.search(rb"Matplotlib version[0-9.]+", open(name, "rb").read()).group() for name in sys.argv[1:]}
        assert difference < (1e-5 if len(releases) == 1 else 0.02), f"mean difference {difference}"
        """;

    [Fact]
    public async Task Notebook_CellByCell_ShowsWhatItsCellsDo()
    {
        string? python = await Python.FindAsync("import numpy, matplotlib; import sys; assert sys.version_info >= (3, 9)");
        Assert.SkipWhen(python is null, "Python with numpy and matplotlib is not installed.");
        Snippet[] steps = [.. Markdown.Snippets(Page)];
        string[] page = Repository.Read(Page).Split('\n');
        Snippet[] cells = [.. steps.Where(step => step.Language == "python")];
        using var folder = new TemporaryFolder();
        Directory.CreateSymbolicLink(Path.Combine(folder.Path, "samples"), Repository.PathOf("samples"));
        await using HouseWorker worker = await HouseWorker.StartAsync(
            steps.Single(step => step.Language == "yaml").Text.Replace("127.0.0.1:8080", "\"127.0.0.1:0\"", StringComparison.Ordinal)
                + $"\nstate_directory: {folder.Path}/state\n");
        var script = new StringBuilder();
        foreach (Snippet cell in cells) script.Append(cell.Text).Append($"\nprint(\"{Mark}\", flush=True)\n");
        folder.Write("page.py", script.ToString().Replace("http://localhost:8080", worker.Address, StringComparison.Ordinal));

        (int code, string output) = await Python.RunAsync(python, folder.Path, Environment, "page.py");

        Assert.True(code == 0, output);
        string[] printed = output.Split(Mark + "\n");
        for (int at = 0; at < cells.Length; at++)
        {
            Snippet? after = steps.SkipWhile(step => step != cells[at]).Skip(1).FirstOrDefault();
            bool shows = after is { Language.Length: 0 } && page[after.Line - 2].StartsWith("```", StringComparison.Ordinal);
            Assert.True(shows || printed[at].Length == 0, $"{cells[at]} prints what the page does not show:\n{printed[at]}");
            if (shows) AssertShows(cells[at], after!, printed[at].TrimEnd());
        }

        foreach (Match picture in PictureName().Matches(Repository.Read(Page)))
            await AssertDrawsAsync(python, Path.Combine(folder.Path, picture.Groups["name"].Value), picture.Groups["name"].Value);
    }

    private static Dictionary<string, string> Environment => new(StringComparer.Ordinal)
    {
        ["PYTHONPATH"] = Repository.PathOf("clients/python"),
        ["MPLBACKEND"] = "Agg",
    };

    private static void AssertShows(Snippet cell, Snippet shown, string printed)
    {
        if (shown.Text == printed) return;
        if (!Approval.Accepts)
            Assert.Fail($"{cell} prints\n{printed}\nand the page shows\n{shown.Text}\n"
                + "If this is what you meant: ./build.sh accept, look at the difference, and commit it.");
        string[] lines = Repository.Read(Page).Split('\n');
        int first = Array.IndexOf(lines, cell.Text.Split('\n')[^1]) + 4;
        int end = Array.IndexOf(lines, "```", first);
        Assert.Equal("```", lines[first - 1]);
        File.WriteAllText(Repository.PathOf(Page), string.Join('\n', (string[])[.. lines[..first], printed, .. lines[end..]]));
    }

    private static async Task AssertDrawsAsync(string python, string drawn, string name)
    {
        string kept = Repository.PathOf($"{Images}/{name}");
        (int code, string said) = File.Exists(kept)
            ? await Python.RunAsync(python, Path.GetTempPath(), Environment, "-c", Comparison, kept, drawn)
            : (1, "there is none");
        if (code != 0 && Approval.Accepts) File.Copy(drawn, kept, overwrite: true);
        else
            Assert.True(code == 0, $"{Images}/{name} is not what is drawn: {said}\n"
                + "If this is what you meant: ./build.sh accept, look at it, and commit it.");
    }

    [GeneratedRegex("\\(images/(?<name>notebook-[a-z]+\\.png)\\)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex PictureName();
}
