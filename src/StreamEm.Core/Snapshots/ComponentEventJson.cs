using System.Text.Json;
using StreamEm.Core.Settings;

namespace StreamEm.Core.Snapshots;

/// <summary>The events of a snapshot's <c>health</c>.</summary>
internal static class ComponentEventJson
{
    /// <summary>Writes them as <c>events</c>.</summary>
    public static void Write(Utf8JsonWriter json, IReadOnlyList<ComponentEvent> events)
    {
        json.WriteStartArray("events");
        foreach (ComponentEvent item in events)
        {
            json.WriteStartObject();
            json.WriteString("event", JsonNamingPolicy.SnakeCaseLower.ConvertName(item.Kind.ToString()));
            json.WriteString("component", item.Component);
            json.WriteNumber("version", item.Version);
            json.WriteNumber("until", item.Until);
            json.WriteNumber("count", item.Count);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    /// <summary>Reads them; none where the snapshot is older than they are.</summary>
    /// <exception cref="InvalidDataException">One is no event.</exception>
    public static ComponentEvent[] Read(JsonElement health) => health.TryGetProperty("events", out JsonElement events)
        ? [.. events.EnumerateArray().Select(Of)]
        : [];

    private static ComponentEvent Of(JsonElement item)
    {
        string name = SnapshotReader.Text(item, "event");
        if (!new ChoiceKind<ComponentEventKind>().TryParse(name, out ComponentEventKind kind))
            throw new InvalidDataException($"'{name}' is no event of a component.");
        return new ComponentEvent(
            kind, SnapshotReader.Member(item, "component").GetString(), SnapshotReader.Count(SnapshotReader.Member(item, "version")),
            SnapshotReader.Count(SnapshotReader.Member(item, "until")), SnapshotReader.Count(SnapshotReader.Member(item, "count")));
    }
}
