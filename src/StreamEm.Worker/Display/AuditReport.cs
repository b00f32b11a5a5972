using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using StreamEm.Core.Snapshots;
using StreamEm.Worker.Auditing;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Display;

/// <summary>What an audit found, for a person and for a program.</summary>
internal static class AuditReport
{
    /// <summary>A line a run.</summary>
    public static void Write(FeedAudit audit, TextWriter output)
    {
        foreach (AuditedRun run in audit.Runs.Where(run => run.Versions > 0))
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{PrintableText.Of(run.ModelId)} run {PrintableText.Of(run.RunId)}: versions {run.First} to {run.Last}, {run.Versions} "
                    + $"snapshots, {run.Records} records{Besides(run)}"));
            foreach (SnapshotParent origin in run.Origins)
                output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"  from version {origin.Version} of run {PrintableText.Of(origin.RunId)}"));
            if (run.HashOf(run.Last) is { } hash) output.WriteLine($"  {hash}");
        }

        if (audit.Break is null) output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{audit.Snapshots} snapshots, whole"));
    }

    /// <summary>One JSON object.</summary>
    public static string Json(FeedAudit audit)
    {
        var result = new JsonObject
        {
            ["whole"] = audit.Break is null,
            ["snapshots"] = audit.Snapshots,
            ["runs"] = new JsonArray([.. audit.Runs.Where(run => run.Versions > 0).Select(run => (JsonNode)new JsonObject
            {
                ["model"] = run.ModelId,
                ["run_id"] = run.RunId,
                ["first"] = run.First,
                ["last"] = run.Last,
                ["versions"] = run.Versions,
                ["missing"] = run.Missing,
                ["repeats"] = run.Repeats,
                ["without_hash"] = run.Unsigned,
                ["records"] = run.Records,
                ["hash"] = run.HashOf(run.Last),
                ["origins"] = new JsonArray([.. run.Origins.Select(origin => (JsonNode)new JsonObject
                {
                    ["run_id"] = origin.RunId,
                    ["version"] = origin.Version,
                    ["hash"] = origin.Hash,
                })]),
            })]),
        };
        if (audit.Break is { } broken)
            result["first_break"] = new JsonObject
            {
                ["kind"] = JsonNamingPolicy.SnakeCaseLower.ConvertName(broken.Kind.ToString()),
                ["place"] = broken.Place,
                ["text"] = broken.Text,
            };
        return result.ToJsonString();
    }

    private static string Besides(AuditedRun run)
    {
        var facts = new List<string>();
        if (run.Missing > 0) facts.Add(string.Create(CultureInfo.InvariantCulture, $"{run.Missing} versions missing"));
        if (run.Repeats > 0) facts.Add(string.Create(CultureInfo.InvariantCulture, $"{run.Repeats} repeated"));
        if (run.Unsigned > 0)
            facts.Add(string.Create(CultureInfo.InvariantCulture, $"{run.Unsigned} without a hash, of a release that wrote none"));
        return facts.Count == 0 ? "" : $" ({string.Join(", ", facts)})";
    }
}
