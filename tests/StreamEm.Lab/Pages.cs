using System.Text;

namespace StreamEm.Lab;

/// <summary>The laboratory's pages, Markdown with an SVG picture each.</summary>
internal static class Pages
{
    /// <summary>Where they are, from the checkout's root.</summary>
    public const string Folder = "docs/lab";

    /// <summary>The page of an experiment.</summary>
    public static string Page(Experiment experiment, Finding finding)
    {
        var page = new StringBuilder(Head(experiment));
        page.Append($" {finding.Sentence}\n\n");
        page.Append($"![{finding.Caption}]({experiment.Name}.svg)\n\n");
        page.Append($"{finding.Caption}.\n\n");
        page.Append($"## What is run\n\n{experiment.Setting} Seed {experiment.Seed}.\n\n");
        if (finding.Numbers is { } numbers)
        {
            page.Append($"| {string.Join(" | ", numbers.Columns.Select(Cell))} |\n");
            page.Append($"|{string.Concat(Enumerable.Repeat("---|", numbers.Columns.Count))}\n");
            foreach (IReadOnlyList<string> row in numbers.Rows) page.Append($"| {string.Join(" | ", row.Select(Cell))} |\n");
            page.Append('\n');
        }
        page.Append($"`./build.sh lab {experiment.Name}` runs `tests/StreamEm.Lab/Experiments/{experiment.GetType().Name}.cs` and writes ");
        page.Append(experiment.IsTimed ? "this page; its times are this machine's.\n" : "this page, the same on every machine.\n");
        return page.ToString();
    }

    /// <summary>Whether a page is of an experiment: what is claimed, and what becomes of it.</summary>
    public static bool IsOf(string page, Experiment experiment) => page.StartsWith(Head(experiment), StringComparison.Ordinal);

    /// <summary>The page that lists the others.</summary>
    public static string Index(IReadOnlyList<Experiment> experiments)
    {
        var page = new StringBuilder();
        page.Append("# The laboratory\n\n");
        page.Append("What textbooks and papers claim of EM, run on this engine. Every page has the claim and where it is from, what was\n");
        page.Append("found with its numbers, a picture, and the seed; the experiment ends badly when the sentence in it is not true any\n");
        page.Append("more. A claim that does not hold here is here too.\n\n");
        page.Append("    ./build.sh lab                # runs all and writes these pages\n");
        page.Append("    ./build.sh lab bound starts   # runs these\n\n");
        page.Append("Yardsticks that are not EM - samplers, gradient ascent, Newton's method, exhaustive sums - are in\n");
        page.Append("`tests/StreamEm.Lab/Yardsticks`, and nowhere in the product.\n\n");
        page.Append("| experiment | claim | here |\n|---|---|---|\n");
        foreach (Experiment experiment in experiments)
            page.Append($"| [{experiment.Title}]({experiment.Name}.md) | {Cell(experiment.Claim)} | {Short(experiment.Verdict)} |\n");
        return page.ToString();
    }

    private static string Head(Experiment experiment) =>
        $"# {experiment.Title}\n\n> {experiment.Claim}\n>\n> {experiment.Source}\n\n**{Says(experiment.Verdict)}**";

    /// <summary>A text as it may stand in a table's cell.</summary>
    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);

    private static string Says(Verdict verdict) => verdict switch
    {
        Verdict.Holds => "It holds.",
        Verdict.HoldsInPart => "It holds in part.",
        _ => "It does not hold here.",
    };

    private static string Short(Verdict verdict) => verdict switch
    {
        Verdict.Holds => "holds",
        Verdict.HoldsInPart => "in part",
        _ => "does not hold",
    };
}
