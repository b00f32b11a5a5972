using System.Text.Json;
using StreamEm.Core.Snapshots;

namespace StreamEm.Worker.Snapshots;

/// <summary>Which snapshot a JSON text is, read from its beginning without the parameters.</summary>
/// <param name="ModelId"><c>model.id</c>.</param>
/// <param name="RunId"><c>model.run_id</c>.</param>
/// <param name="Version"><c>version</c>.</param>
/// <param name="CreatedAt"><c>created_at</c>.</param>
public sealed record SnapshotIdentity(string ModelId, string RunId, long Version, DateTimeOffset CreatedAt)
{
    /// <summary>The instant as the snapshot writes it.</summary>
    public string CreatedAtText => SnapshotJson.Timestamp(CreatedAt);

    /// <summary>Reads the identity; null when the text does not begin as a snapshot does.</summary>
    public static SnapshotIdentity? Read(ReadOnlySpan<byte> json)
    {
        try
        {
            return ReadFields(json);
        }
        catch (Exception failure) when (failure is JsonException or FormatException or InvalidOperationException)
        {
            return null;
        }
    }

    private static SnapshotIdentity? ReadFields(ReadOnlySpan<byte> json)
    {
        string? id = null, run = null;
        long? version = null;
        DateTimeOffset? created = null;
        var reader = new Utf8JsonReader(json);
        while ((id is null || run is null || version is null || created is null) && reader.Read())
        {
            if (reader.TokenType != JsonTokenType.PropertyName) continue;
            // Of the top level only "model" is entered, so depth 2 is inside it.
            bool isTop = reader.CurrentDepth == 1, isModel = reader.CurrentDepth == 2;
            if (isTop && reader.ValueTextEquals("version")) version = Value(ref reader).GetInt64();
            else if (isTop && reader.ValueTextEquals("created_at")) created = Value(ref reader).GetDateTimeOffset();
            else if (isModel && reader.ValueTextEquals("id")) id ??= Value(ref reader).GetString();
            else if (isModel && reader.ValueTextEquals("run_id")) run ??= Value(ref reader).GetString();
            else if (isTop && !reader.ValueTextEquals("model")) reader.Skip();
        }

        return id is not null && run is not null && version is { } v && created is { } at ? new SnapshotIdentity(id, run, v, at) : null;
    }

    private static ref Utf8JsonReader Value(ref Utf8JsonReader reader)
    {
        reader.Read();
        return ref reader;
    }
}
