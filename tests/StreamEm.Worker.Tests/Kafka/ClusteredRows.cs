using System.Globalization;
using StreamEm.Sources.Tests.Kafka;

namespace StreamEm.Worker.Tests.Kafka;

/// <summary>
/// Three clouds in the plane over all partitions, the same whatever the timing; every twentieth record of a partition cannot be used.
/// </summary>
internal static class ClusteredRows
{
    public const int Minibatch = 32;
    private const int Partitions = KafkaBroker.MockPartitions;
    private const int MalformedEvery = 20;

    /// <summary>Records that cannot be used among the first so many.</summary>
    public static int Malformed(int rows) => rows / MalformedEvery;

    /// <summary>Versions that so many records make: one a minibatch, the first from the buffer's first minibatch on.</summary>
    public static long Versions(int rows) => (rows - Malformed(rows)) / Minibatch;

    /// <summary>Writes a part of them, one partition after another.</summary>
    public static void Produce(KafkaBroker broker, string topic, int part, int count)
    {
        List<string>[] rows = Draw(part, count);
        for (int partition = 0; partition < Partitions; partition++) broker.Produce(topic, partition, rows[partition]);
    }

    /// <summary>Writes a part of them in slices, now to one partition, now to another, so that each has nothing now and then.</summary>
    public static async Task ProduceUnevenlyAsync(KafkaBroker broker, string topic, int part, int count, Func<Task> between)
    {
        const int Slice = 100;
        List<string>[] rows = Draw(part, count);
        for (int start = 0; start < count / Partitions; start += Slice)
        {
            for (int partition = 0; partition < Partitions; partition++)
            {
                broker.Produce(topic, partition, rows[partition].Skip(start).Take(Slice));
                await between();
            }
        }
    }

    private static List<string>[] Draw(int part, int count)
    {
        var random = new Random(part);
        var rows = Enumerable.Range(0, Partitions).Select(_ => new List<string>()).ToArray();
        for (int i = 0; i < count; i++)
        {
            double centre = 5 * random.Next(3);
            string row = i / Partitions % MalformedEvery == 7
                ? "{\"a\":1,\"b\":"
                : string.Create(CultureInfo.InvariantCulture,
                    $"{{\"a\":{centre + random.NextDouble():F6},\"b\":{centre - random.NextDouble():F6}}}");
            rows[i % Partitions].Add(row);
        }

        return rows;
    }
}
