using System.Text.Json;
using System.Text.Json.Serialization;
using StreamEm.Sources;

namespace StreamEm.Worker.Checkpoints;

/// <summary>
/// A position as an object of its partitions. Columns of files are written once: a file with the same as an earlier one names that one in
/// <c>columns_of</c>.
/// </summary>
internal sealed class SavedPositionConverter : JsonConverter<SourcePosition>
{
    /// <inheritdoc/>
    public override SourcePosition Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var position = new SourcePosition();
        Dictionary<string, SavedPartition?> saved =
            JsonSerializer.Deserialize<Dictionary<string, SavedPartition?>>(ref reader, options) ?? [];
        foreach ((string name, SavedPartition? partition) in saved)
        {
            if (partition is null) throw new JsonException("a partition has no position");
            IReadOnlyList<string>? columns = partition.File?.Columns;
            if (partition.File?.ColumnsOf is { } first)
                columns = saved.GetValueOrDefault(first)?.File?.Columns
                    ?? throw new JsonException($"a file has the columns of '{first}', which has none");
            position.Set(name, partition.With(columns));
        }

        return position;
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, SourcePosition value, JsonSerializerOptions options)
    {
        var saved = new SortedDictionary<string, SavedPartition>(StringComparer.Ordinal);
        var firsts = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach ((string name, PartitionPosition partition) in value.Partitions)
        {
            string? first = null;
            if (partition.File?.Columns is { } columns && !firsts.TryAdd(string.Join('\n', columns), name))
                first = firsts[string.Join('\n', columns)];
            saved[name] = SavedPartition.Of(partition, first);
        }

        JsonSerializer.Serialize(writer, saved, options);
    }

    /// <summary>A partition as it is written.</summary>
    private sealed record SavedPartition(long Next, string? Identity, long? End, long? Skipped, SavedFile? File, PartitionTurn? Turn)
    {
        public static SavedPartition Of(PartitionPosition position, string? columnsOf) => new(
            position.Next, position.Identity, position.End, position.Skipped,
            position.File is { } file
                ? new SavedFile(columnsOf is null ? file.Columns : null, columnsOf, file.HasNoHeader, file.Gone)
                : null,
            position.Turn);

        public PartitionPosition With(IReadOnlyList<string>? columns) => new(Next, Identity)
        {
            End = End,
            Skipped = Skipped,
            File = File is null ? null : new PartitionFile(columns, File.HasNoHeader, File.Gone),
            Turn = Turn,
        };
    }

    /// <summary>A file as it is written.</summary>
    private sealed record SavedFile(IReadOnlyList<string>? Columns, string? ColumnsOf, bool? HasNoHeader, long? Gone);
}
