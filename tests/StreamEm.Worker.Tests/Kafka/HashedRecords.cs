using System.Buffers.Binary;
using StreamEm.Core.Learning;
using StreamEm.Core.Snapshots;
using StreamEm.Sources.Tests.Kafka;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.ScaleOut;

namespace StreamEm.Worker.Tests.Kafka;

/// <summary>Of records: how many, the sum and the exclusive or of their hashes. Every record once gives it, hardly anything else.</summary>
internal readonly record struct Checksum(long Count, long Sum, long Xor);

/// <summary>
/// Numbered records whose features are the bits of a hash of the number; some cannot be used. What a minibatch says of them, averages, says
/// how many have each bit: that is the sum of the hashes, and whether it is odd their exclusive or.
/// </summary>
internal static class HashedRecords
{
    public const int Bits = 16;
    private const int MalformedEvery = 50;

    /// <summary>Their features, as YAML has them.</summary>
    public static string Features => string.Join(", ", Enumerable.Range(0, Bits).Select(bit => $"b{bit}"));

    /// <summary>Records that cannot be used among the first so many.</summary>
    public static long Malformed(long count) => (count + MalformedEvery - 1) / MalformedEvery;

    /// <summary>Writes the records from one number to another, dealt over the partitions.</summary>
    public static void Produce(KafkaBroker broker, string topic, int partitions, long from, long to)
    {
        for (int partition = 0; partition < partitions; partition++)
            broker.Produce(topic, partition, Numbers(from, to).Where(number => number % partitions == partition)
                .Select(number => new Confluent.Kafka.Message<byte[]?, byte[]?> { Value = Value(number) }));
    }

    /// <summary>Of the first so many records.</summary>
    public static Checksum Of(long count)
    {
        long used = 0, sum = 0, xor = 0;
        foreach (long number in Numbers(0, count).Where(number => !IsMalformed(number)))
            (used, sum, xor) = (used + 1, sum + Hash(number), xor ^ Hash(number));
        return new Checksum(used, sum, xor);
    }

    /// <summary>Of the records that a model has learned, by the statistics that counted.</summary>
    /// <param name="options">The model: one component, steps 1 / t.</param>
    /// <param name="start">The state that its run began with.</param>
    /// <param name="statistics">The statistics topic.</param>
    /// <param name="verdicts">What became of each message.</param>
    public static Checksum Of(ModelOptions options, Checkpoint start, IEnumerable<byte[]> statistics, out Dictionary<Verdict, int> verdicts)
    {
        Reduction reduction = Reduction.Restore(options, start);
        verdicts = [];
        long[] ones = new long[Bits];
        long count = 0;
        int offset = 0;
        foreach (byte[] bytes in statistics)
        {
            Verdict verdict = reduction.Take(offset++, bytes, DateTimeOffset.UnixEpoch);
            reduction.TakeSnapshots();
            verdicts[verdict] = verdicts.GetValueOrDefault(verdict) + 1;
            if (verdict is not (Verdict.Accepted or Verdict.StaleDamped)
                || StatisticsMessage.Decode(bytes).Contribution is not { } contribution) continue;
            // The first step is 1: the means are those of the minibatch alone.
            Learner alone = StateRestore.Learner(options, start, binding: null);
            alone.Fold(contribution);
            LearnedModel learned = alone.CreateSnapshot()!;
            for (int bit = 0; bit < Bits; bit++)
            {
                double sum = learned.Parameters[learned.Layout["means"].Offset + bit] * contribution.Records;
                Assert.Equal(Math.Round(sum), sum, 1e-6);
                ones[bit] += (long)Math.Round(sum);
            }

            count += contribution.Records;
        }

        return new Checksum(
            count, Enumerable.Range(0, Bits).Sum(bit => ones[bit] << bit), Enumerable.Range(0, Bits).Sum(bit => (ones[bit] & 1) << bit));
    }

    private static IEnumerable<long> Numbers(long from, long to)
    {
        for (long number = from; number < to; number++) yield return number;
    }

    private static bool IsMalformed(long number) => number % MalformedEvery == 0;

    private static byte[] Value(long number)
    {
        if (IsMalformed(number)) return [1, 2, 3];
        byte[] value = new byte[Bits * sizeof(double)];
        long hash = Hash(number);
        for (int bit = 0; bit < Bits; bit++)
            BinaryPrimitives.WriteDoubleLittleEndian(value.AsSpan(bit * sizeof(double)), (hash >> bit) & 1);
        return value;
    }

    /// <summary>The last bits of SplitMix64.</summary>
    private static long Hash(long number)
    {
        unchecked
        {
            ulong mixed = ((ulong)number + 1) * 0x9E3779B97F4A7C15;
            mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
            mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
            return (long)((mixed ^ (mixed >> 31)) & ((1UL << Bits) - 1));
        }
    }
}
