using System.Text.Json;

namespace StreamEm.Core.Snapshots;

/// <summary>A snapshot's <c>candidates</c>.</summary>
internal static class CandidateStandingJson
{
    /// <summary>Writes them, in the order of their numbers.</summary>
    public static void Write(Utf8JsonWriter json, IReadOnlyList<CandidateStanding> candidates)
    {
        json.WriteStartArray("candidates");
        foreach (CandidateStanding candidate in candidates)
        {
            json.WriteStartObject();
            json.WriteNumber("components", candidate.Components);
            json.WriteNumber("records", candidate.Records);
            if (double.IsFinite(candidate.MeanLogLikelihood))
                SnapshotJson.WriteNumber(json, "mean_log_likelihood", candidate.MeanLogLikelihood);
            else json.WriteNull("mean_log_likelihood");
            json.WriteNumber("rank", candidate.Rank);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    /// <summary>Reads them; none where there are none.</summary>
    /// <exception cref="InvalidDataException">One is none.</exception>
    public static CandidateStanding[] Read(JsonElement root) => root.TryGetProperty("candidates", out JsonElement candidates)
        ? [.. candidates.EnumerateArray().Select(item => new CandidateStanding(
            SnapshotReader.Member(item, "components").GetInt32(), SnapshotReader.Count(SnapshotReader.Member(item, "records")),
            SnapshotReader.NumberOrNaN(item, "mean_log_likelihood"), SnapshotReader.Member(item, "rank").GetInt32()))]
        : [];
}
