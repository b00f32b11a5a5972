using System.Buffers;
using StreamEm.Sources;

namespace StreamEm.Worker.Scores;

/// <summary>One line of a chunk.</summary>
/// <param name="End">Where it ends in the text, its line feed included.</param>
/// <param name="Record">The record's number.</param>
/// <param name="Key">The record's key; null without.</param>
/// <param name="Trace">The trace that the record came with; a state does not keep it.</param>
internal readonly record struct ScoreLine(int End, long Record, string? Key, RecordTrace Trace = default);

/// <summary>Scored records on their way to a sink: whole lines of JSON. Used again once they have arrived.</summary>
internal sealed class ScoreChunk
{
    /// <summary>The lines.</summary>
    public ArrayBufferWriter<byte> Text { get; } = new();

    /// <summary>Where they end and whose they are.</summary>
    public List<ScoreLine> Lines { get; } = [];

    /// <summary>When they were made.</summary>
    public DateTimeOffset MadeAt { get; set; }

    /// <summary>The number of the checkpoint that has to be durable before they may be seen; 0 for none.</summary>
    public long Needs { get; set; }

    /// <summary>Its bytes.</summary>
    public int Bytes => Text.WrittenCount;

    /// <summary>Ends the line that was written last.</summary>
    public void EndLine(long record, string? key, RecordTrace trace = default)
    {
        Text.Write("\n"u8);
        Lines.Add(new ScoreLine(Text.WrittenCount, record, key, trace));
    }

    /// <summary>A line, without its line feed.</summary>
    public ReadOnlyMemory<byte> Line(int index)
    {
        int start = index == 0 ? 0 : Lines[index - 1].End;
        return Text.WrittenMemory[start..(Lines[index].End - 1)];
    }

    /// <summary>Forgets the lines and keeps the memory.</summary>
    public void Clear()
    {
        Text.ResetWrittenCount();
        Lines.Clear();
        Needs = 0;
    }

    /// <summary>Writes it.</summary>
    public void Save(BinaryWriter writer)
    {
        writer.Write(MadeAt.ToUnixTimeMilliseconds());
        writer.Write(Bytes);
        writer.Write(Text.WrittenSpan);
        writer.Write(Lines.Count);
        foreach (ScoreLine line in Lines)
        {
            writer.Write(line.End);
            writer.Write(line.Record);
            writer.Write(line.Key is not null);
            if (line.Key is not null) writer.Write(line.Key);
        }
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public static ScoreChunk Load(BinaryReader reader)
    {
        var chunk = new ScoreChunk { MadeAt = DateTimeOffset.FromUnixTimeMilliseconds(reader.ReadInt64()) };
        int bytes = reader.ReadInt32();
        if (bytes < 0 || bytes > reader.BaseStream.Length - reader.BaseStream.Position)
            throw new InvalidDataException($"Undelivered scores say {bytes} bytes, which are not there.");
        chunk.Text.Write(reader.ReadBytes(bytes));
        int lines = reader.ReadInt32(), last = 0;
        if (lines < 0 || lines > bytes) throw new InvalidDataException($"Undelivered scores say {lines} lines in {bytes} bytes.");
        for (int line = 0; line < lines; line++)
        {
            int end = reader.ReadInt32();
            long record = reader.ReadInt64();
            if (end <= last || end > bytes) throw new InvalidDataException("Undelivered scores have lines beyond their bytes.");
            chunk.Lines.Add(new ScoreLine(last = end, record, reader.ReadBoolean() ? reader.ReadString() : null));
        }

        if (last != bytes) throw new InvalidDataException("Undelivered scores end within a line.");
        return chunk;
    }
}
