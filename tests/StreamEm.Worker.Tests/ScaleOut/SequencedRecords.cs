using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using StreamEm.Core.Catalog;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Sources;
using StreamEm.Sources.Stdin;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.ScaleOut;
using StreamEm.Worker.Scoring;

namespace StreamEm.Worker.Tests.ScaleOut;

/// <summary>What a key has seen: how many records, and which, in their order.</summary>
internal readonly record struct Seen(int Count, ulong Hash)
{
    public Seen After(long offset) => new(Count + 1, unchecked((Hash ^ ((ulong)offset + 1)) * 1099511628211));

    public byte[] Encode()
    {
        byte[] bytes = new byte[12];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, Count);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(4), Hash);
        return bytes;
    }

    public static Seen Decode(ReadOnlySpan<byte> bytes) => bytes.IsEmpty ? default
        : new Seen(BinaryPrimitives.ReadInt32LittleEndian(bytes), BinaryPrimitives.ReadUInt64LittleEndian(bytes[4..]));
}

/// <summary>Records of a few keys, and a memory that knows which of them it has seen.</summary>
internal static class SequencedRecords
{
    public const int Partitions = 2, Records = 250, Keys = 6;

    private static readonly int[][] All =
        [.. Enumerable.Range(0, Partitions).Select(p => Enumerable.Range(0, Records).Select(offset => KeyAt(p, offset)).ToArray())];

    public static ModelOptions Options { get; } = new()
    {
        Id = "machines",
        Source = new StdinSourceOptions(),
        Schema = new RecordSchema { Features = ["x"], Key = "machine" },
        // So that some have no room in memory.
        Model = ModelCatalog.Find("hidden_markov")!.Read(new Dictionary<string, string>(StringComparer.Ordinal) { ["max_keys"] = "3" }),
        Learning = new LearningOptions { Learn = LearnMode.Always, DeadComponents = DeadComponents.Keep },
        ScaleOut = new ScaleOutOptions { StatisticsTopic = "statistics", ModelTopic = "model" },
    };

    public static string NameOf(int partition) => string.Create(CultureInfo.InvariantCulture, $"x/{partition}");

    /// <summary>What all records below a position say of every key.</summary>
    public static Dictionary<string, Seen> Below(int partition, long position)
    {
        var seen = new Dictionary<string, Seen>(StringComparer.Ordinal);
        for (int offset = 0; offset < position; offset++)
            seen[KeyName(All[partition][offset])] = seen.GetValueOrDefault(KeyName(All[partition][offset])).After(offset);
        return seen;
    }

    /// <summary>Has keys see records, as a minibatch does, each key at once.</summary>
    /// <param name="part">What is known of the keys.</param>
    /// <param name="partition">Whose records.</param>
    /// <param name="from">The first.</param>
    /// <param name="to">Behind the last.</param>
    /// <param name="isForMemory">Whether those are passed over that their keys know.</param>
    /// <returns>What they had seen before.</returns>
    public static Dictionary<string, Seen> Take(KeyedPartition part, int partition, long from, long to, bool isForMemory)
    {
        var lacked = new List<(string Key, long Offset)>();
        RecordBatch batch = Batch(partition, from, to);
        for (int row = 0, count; row < batch.Count; row += count)
        {
            count = part.CountAlike(batch, row, batch.Count - row);
            if (!part.Take(new TakenRecords(batch, row, count, batch.Records)) && isForMemory) continue;
            for (int at = row; at < row + count; at++) lacked.Add((batch.Key(at) ?? "", batch.Offset(at)));
        }

        var before = new Dictionary<string, Seen>(StringComparer.Ordinal);
        foreach (IGrouping<string, (string Key, long Offset)> key in lacked.GroupBy(one => one.Key, StringComparer.Ordinal))
        {
            Seen seen = before[key.Key] = Seen.Decode(part.Sequences!.Read(key.Key));
            foreach ((_, long offset) in key) seen = seen.After(offset);
            part.Sequences.Write(key.Key, seen.Encode());
        }

        part.Sequences!.Close(to);
        return before;
    }

    private static RecordBatch Batch(int partition, long from, long to)
    {
        var batch = new RecordBatch(Options.Schema, (int)(to - from));
        batch.Clear(NameOf(partition), identity: null, from);
        for (long offset = from; offset < to; offset++)
        {
            batch.NextRow[0] = offset;
            batch.Commit(offset + 1, 1, key: batch.Texts.Number(Encoding.UTF8.GetBytes(KeyName(All[partition][offset]))));
        }

        return batch;
    }

    /// <summary>A key comes for a while and is then silent; two of them come always.</summary>
    private static int KeyAt(int partition, int offset)
    {
        var random = new Random(Records * partition + offset);
        return random.Next(3) > 0 ? offset / 40 % (Keys - 2) + 2 : random.Next(2);
    }

    private static string KeyName(int key) => key == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"m{key}");
}
