using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using StreamEm.Core.Catalog;
using StreamEm.Core.Models;
using StreamEm.Worker.Api;
using StreamEm.Worker.Configuration;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Telemetry;

namespace StreamEm.House.Tests.Approved;

/// <summary>The pages of reference are made of the tables that the program itself reads, and say what those say.</summary>
public sealed partial class ReferenceTests
{
    private const string Folder = "docs/reference", Note = "<!-- Made of the program's own tables by ./build.sh accept. -->\n";

    [Fact]
    public void Keys_OfAConfiguration_AreThePage()
    {
        StringBuilder page = Page("Keys of a configuration",
            "Every key, by the place it has; `[]` is an item of a list. [Writing configurations](../configuration.md) says how they work "
                + "together, `streamem schema` tells the same to editors. What a model may have may also stand in `defaults`.");
        Keys(ConfigurationLoader.Schema(), "", "The file", page);
        Verify("configuration", page);
    }

    [Fact]
    public void Settings_OfTheModels_AreThePage()
    {
        StringBuilder page = Page("Models and their settings",
            "Every `type` of `model`, as `streamem models` tells them; a page with formulas for each is among "
                + "[what it learns](../../README.md#what-it-learns). `fit` takes every setting as an option: `--reg-covar 0.001`.");
        foreach (ModelEntry entry in ModelCatalog.Entries)
        {
            LatentModelOptions options = entry.CreateOptions();
            page.Append(CultureInfo.InvariantCulture, $"\n## {entry.Type}\n\n{Cell(entry.Description)}\n\n");
            Table(page, ["setting", "default", "expected", "holds"], entry.Settings.Select(setting => (string[])
                [Code(setting.Key), Code(setting.Format(options)), Cell(setting.Expected), Cell(setting.Description)]));
        }

        Verify("models", page);
    }

    [Fact]
    public void Families_OfMetrics_AreThePage()
    {
        StringBuilder page = Page("Metrics",
            "What `/metrics` tells in Prometheus' text format, and OTLP where `OTEL_EXPORTER_OTLP_ENDPOINT` is set. A family without a "
                + "number - no Kafka, no alarms - is left out. Those of the process (`process_...`, `dotnet_collection_count_total`) are "
                + "prometheus-net's. [Operations](../operations.md) says which to watch.");
        IEnumerable<string[]> read = MetricFamilies.All.Select(family => (string[])
            [Code(family.Name), family.IsCounter ? "counter" : "gauge", Labels(family.Labels), Cell(family.Help)]);
        IEnumerable<string[]> counted = WorkerHistograms.Families.Select(family => (string[])
            [Code(family.Name), "histogram", Labels(family.Labels), Cell(family.Help)]);
        page.Append('\n');
        Table(page, ["metric", "type", "labels", "says"], read.Concat(counted).OrderBy(row => row[0], StringComparer.Ordinal));
        Verify("metrics", page);
    }

    [Fact]
    public void Codes_OfTheProcess_AreThePage()
    {
        StringBuilder page = Page("Exit codes",
            "After BSD's sysexits. [Operations](../operations.md) says what ends a worker, and what to do.");
        page.Append('\n');
        Table(page, ["code", "means"], ExitCode.Meanings.Select(code => (string[])[$"{code.Code}", Cell(code.Meaning)]));
        Verify("exit-codes", page);
    }

    private static StringBuilder Page(string title, string text) => new($"{Note}\n# {title}\n\n{text}\n");

    private static void Verify(string name, StringBuilder page) => Approval.VerifyFile(
        $"{Folder}/{name}.md", $"{Folder}/{name}.received.md", page.ToString(), approved => approved, page.ToString());

    /// <summary>A table of a mapping's keys, then those of what is in them. The settings of a model have their own page.</summary>
    private static void Keys(JsonObject mapping, string path, string title, StringBuilder page)
    {
        var keys = (JsonObject)mapping["properties"]!;
        page.Append(CultureInfo.InvariantCulture, $"\n## {title}\n\n");
        Table(page, ["key", "default", "expected", "holds"], keys.Select(key => Row(path, key.Key, (JsonObject)key.Value!,
            (mapping["required"] as JsonArray ?? []).Any(needed => (string?)needed == key.Key))));
        foreach ((string key, JsonNode? value) in keys)
        {
            string here = path.Length == 0 ? key : $"{path}.{key}";
            if (here is "defaults" || here.EndsWith(".model", StringComparison.Ordinal)) continue;
            foreach ((JsonObject inner, string place) in Mappings((JsonObject)value!, here)) Keys(inner, place, $"`{place}`", page);
        }
    }

    /// <summary>The mappings that a value may be: itself, or the items of a list.</summary>
    private static IEnumerable<(JsonObject Mapping, string Place)> Mappings(JsonObject value, string place)
    {
        if (value["properties"] is JsonObject) yield return (value, place);
        IEnumerable<JsonNode?> others = value["anyOf"] as JsonArray ?? [];
        foreach (JsonObject other in others.OfType<JsonObject>())
            foreach ((JsonObject, string) mapping in Mappings(other, place)) yield return mapping;
        if (value["items"] is JsonObject items)
            foreach ((JsonObject, string) mapping in Mappings(items, $"{place}[]")) yield return mapping;
    }

    private static string[] Row(string path, string key, JsonObject schema, bool isRequired)
    {
        Match said = Said().Match((string?)schema["description"] ?? "");
        string place = path.Length == 0 ? key : $"{path}.{key}";
        string holds = place.EndsWith(".model", StringComparison.Ordinal)
            ? "What is learned: `type`, and the [settings of that model](models.md)."
            : Cell(said.Groups["holds"].Value);
        bool hasKeys = Mappings(schema, place).Any() && place is not "defaults" && !place.EndsWith(".model", StringComparison.Ordinal);
        return
        [
            Code(key), isRequired ? "required" : Code(said.Groups["default"].Value), Cell(said.Groups["expected"].Value),
            hasKeys && holds.Length == 0 ? "Its keys are below." : holds,
        ];
    }

    private static void Table(StringBuilder page, string[] head, IEnumerable<string[]> rows)
    {
        Line(head);
        Line([.. head.Select(_ => "---")]);
        foreach (string[] row in rows) Line(row);

        void Line(string[] cells) => page.Append("| ").AppendJoin(" | ", cells).Append(" |\n");
    }

    private static string Labels(string[] names) => string.Join(", ", names.Select(Code));

    private static string Code(string text) => text.Length == 0 ? "" : $"`{text.Replace("|", "\\|", StringComparison.Ordinal)}`";

    /// <summary>A text in a table's cell, in which nothing is markup.</summary>
    private static string Cell(string text) => Markup().Replace(text.ReplaceLineEndings(" "), @"\$0");

    [GeneratedRegex(@"^(?<holds>.*?)( ?Expected: (?<expected>.*?)\.( Default: (?<default>.*)\.)?)?$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Said();

    [GeneratedRegex(@"[|<>*\[\]`\\]", RegexOptions.None, 1000)]
    private static partial Regex Markup();
}
