using StreamEm.Core.Alarms;

namespace StreamEm.Worker.Scores;

/// <summary>The part of a checkpoint that is of the scored stream: the alarms, where every sink is and what had not arrived.</summary>
/// <param name="alarms">The alarms; null for none.</param>
/// <param name="delivery">The sinks.</param>
/// <param name="recent">The last records; null where nothing is said of them.</param>
internal sealed class ScoreState(AlarmWatch? alarms, ScoreDelivery delivery, RecentRecords? recent)
{
    private const int Version = 3, WithoutWords = 2, WithoutRate = 1;
    private const int MostLanes = 10_000;

    /// <summary>Writes it.</summary>
    public void Save(BinaryWriter writer)
    {
        writer.Write(Version);
        writer.Write(alarms is not null);
        alarms?.Save(writer);
        writer.Write(recent is not null);
        recent?.Save(writer);
        delivery.Save(writer);
    }

    /// <summary>Takes over what a state says, of alarms and sinks that are configured now.</summary>
    /// <param name="state">What <see cref="Save"/> wrote.</param>
    /// <param name="savedAt">When.</param>
    /// <returns>The sinks that are not configured any more, with the records they had not got.</returns>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public IReadOnlyList<(string Name, int Records)> Restore(ReadOnlyMemory<byte> state, DateTimeOffset savedAt)
    {
        try
        {
            using var reader = new BinaryReader(new MemoryStream(state.ToArray()));
            return Restore(reader, savedAt);
        }
        catch (Exception failure) when (failure is IOException or ArgumentException or FormatException or OverflowException)
        {
            throw new InvalidDataException($"The state of the scores is damaged: {failure.Message}", failure);
        }
    }

    private List<(string Name, int Records)> Restore(BinaryReader reader, DateTimeOffset savedAt)
    {
        int version = reader.ReadInt32();
        if (version is < WithoutRate or > Version)
            throw new InvalidDataException(
                $"The state of the scores has version {version}; this program reads {WithoutRate} to {Version}.");
        if (reader.ReadBoolean())
            (alarms ?? new AlarmWatch(new AlarmOptions(), [])).Load(reader, version > WithoutRate, version > WithoutWords);
        if (version > WithoutWords && reader.ReadBoolean()) RecentRecords.Load(reader, recent);
        int count = reader.ReadInt32();
        if (count is < 0 or > MostLanes) throw new InvalidDataException($"The state of the scores says {count} sinks.");
        var gone = new List<(string, int)>();
        var restored = new HashSet<ScoreLane>();
        for (int at = 0; at < count; at++)
        {
            var saved = SavedLane.Load(reader.ReadString(), reader);
            if (delivery.Lanes.FirstOrDefault(lane => lane.Name == saved.Name) is not { } known)
                gone.Add((saved.Name, saved.Chunks.Sum(chunk => chunk.Lines.Count)));
            else if (restored.Add(known)) known.Restore(saved, savedAt);
        }

        return gone;
    }
}
