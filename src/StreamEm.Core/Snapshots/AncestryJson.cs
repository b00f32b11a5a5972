using System.Text.Json;

namespace StreamEm.Core.Snapshots;

/// <summary><c>ancestry</c> of a snapshot. A parent of another run says so; one without <c>run_id</c> is of the snapshot's own.</summary>
internal static class AncestryJson
{
    private const string Name = "ancestry", Run = "run_id";

    public static void Write(Utf8JsonWriter json, Ancestry ancestry, string runId)
    {
        json.WriteStartObject(Name);
        json.WriteString("hash", ancestry.Hash);
        json.WriteStartArray("parents");
        foreach (SnapshotParent parent in ancestry.Parents)
        {
            json.WriteStartObject();
            if (parent.RunId != runId) json.WriteString(Run, parent.RunId);
            json.WriteNumber("version", parent.Version);
            json.WriteString("hash", parent.Hash);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>Reads it; null of a snapshot without.</summary>
    /// <exception cref="InvalidDataException">It is none.</exception>
    public static Ancestry? Read(JsonElement root, string runId)
    {
        if (!root.TryGetProperty(Name, out JsonElement element)) return null;
        return new Ancestry(Hash(element), [.. SnapshotReader.Member(element, "parents").EnumerateArray().Select(parent =>
            new SnapshotParent(
                parent.TryGetProperty(Run, out JsonElement other) ? other.GetString() ?? "" : runId,
                SnapshotReader.Count(SnapshotReader.Member(parent, "version")), Hash(parent)))]);
    }

    private static string Hash(JsonElement element) => SnapshotReader.Text(element, "hash") is var hash && Ancestry.IsHash(hash)
        ? hash
        : throw new InvalidDataException("A hash in 'ancestry' is none: expected 'sha256:' and 64 hexadecimal digits.");
}
