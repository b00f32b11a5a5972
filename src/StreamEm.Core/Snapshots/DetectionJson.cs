using System.Globalization;
using System.Text.Json;
using StreamEm.Core.Growing;

namespace StreamEm.Core.Snapshots;

/// <summary>
/// What a snapshot of a mixture that grew has beside others: how its records are scored (<c>detection</c>), and what happened to its
/// components with this version (<c>events</c>).
/// </summary>
internal static class DetectionJson
{
    /// <summary>The status of a component that holds what is not confirmed as normal.</summary>
    public const string Quarantined = "quarantined";

    /// <summary>Writes <c>detection</c>.</summary>
    public static void Write(Utf8JsonWriter json, DetectionRule detection)
    {
        json.WriteStartObject("detection");
        SnapshotJson.WriteNumber(json, "floor", detection.Floor);
        SnapshotJson.WriteNumbers(json, "bulk_mean", [.. detection.BulkMean]);
        SnapshotJson.WriteNumbers(json, "bulk_variance", [.. detection.BulkVariance]);
        json.WriteBoolean("shared_covariance", detection.IsShared);
        json.WriteEndObject();
    }

    /// <summary>Reads <c>detection</c>.</summary>
    /// <exception cref="InvalidDataException">A number is none.</exception>
    public static DetectionRule Read(JsonElement detection, int dimension, IReadOnlyList<string> componentStatus)
    {
        double floor = SnapshotReader.Member(detection, "floor").GetDouble();
        double[] mean = SnapshotReader.Numbers(SnapshotReader.Member(detection, "bulk_mean"), dimension),
            variance = SnapshotReader.Numbers(SnapshotReader.Member(detection, "bulk_variance"), dimension);
        if (!(floor > 0) || variance.Any(value => !(value > 0)))
            throw new InvalidDataException("The detection has a variance that is not above 0.");
        bool[] quarantined = [.. componentStatus.Select(status => status == Quarantined)];
        if (quarantined.All(held => held)) throw new InvalidDataException("The detection has no component that is normal.");
        return new DetectionRule(floor, mean, variance, SnapshotReader.Member(detection, "shared_covariance").GetBoolean(), quarantined);
    }

    /// <summary>Writes <c>events</c>.</summary>
    public static void WriteEvents(Utf8JsonWriter json, IReadOnlyList<GrowthEvent> events)
    {
        json.WriteStartArray("events");
        foreach (GrowthEvent item in events)
        {
            json.WriteStartObject();
            json.WriteString("event", JsonNamingPolicy.SnakeCaseLower.ConvertName(item.Kind.ToString()));
            json.WriteNumber("record", item.Record);
            if (item.Component >= 0) json.WriteString("component", Id(item.Component));
            if (item.Other >= 0) json.WriteString("merged_from", Id(item.Other));
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static string Id(int number) => string.Create(CultureInfo.InvariantCulture, $"c{number}");
}
