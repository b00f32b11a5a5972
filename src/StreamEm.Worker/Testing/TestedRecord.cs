using System.Text.Json.Nodes;
using StreamEm.Sources;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Testing;

/// <summary>What became of one record of a test.</summary>
/// <param name="Offset">Where it begins, in its text or file.</param>
internal sealed record TestedRecord(long Offset)
{
    /// <summary>Its line of scores; null where it has none.</summary>
    public JsonObject? Scores { get; set; }

    /// <summary>Why it was rejected; null where it was not.</summary>
    public RejectedRecord? Rejected { get; set; }

    /// <summary>Whether the model is not about it.</summary>
    public bool IsFiltered { get; set; }

    /// <summary>How it differs from what was expected.</summary>
    public IEnumerable<string> Differences(JsonObject expected, Comparison comparison)
    {
        if (expected.Count == 0) return [];
        bool expectsFiltered = IsSaid(expected, "filtered"), expectsRejected = expected.ContainsKey("rejected");
        string wanted = expectsFiltered
            ? "expected to be passed over"
            : expectsRejected ? "expected to be rejected" : "expected to be scored";
        if (IsFiltered) return expectsFiltered ? [] : [$"passed over, 'where' is not about it; {wanted}"];
        if (Rejected is { } rejected)
        {
            string reason = SnakeCase.Of(rejected.Reason);
            if (!expectsRejected) return [$"rejected ({reason}: {rejected.Detail}); {wanted}"];
            string said = expected["rejected"]?.ToString() ?? "true";
            return said == "true" || said == reason ? [] : [$"rejected as {reason} ({rejected.Detail}); expected {said}"];
        }

        if (expectsFiltered || expectsRejected) return [$"scored; {wanted}"];
        return Scores is { } line
            ? comparison.FieldDifferences(expected, line)
            : ["not scored: there are no parameters yet. Name data to learn from with 'learn', or parameters with 'from'"];
    }

    private static bool IsSaid(JsonObject expected, string key) => expected[key]?.ToString() == "true";
}
