using System.Globalization;

namespace StreamEm.Sources.Tests.Contracts;

/// <summary>
/// One record or rejected record as a source gave it, comparable as text; Next is -1 where only the following record tells.
/// </summary>
internal sealed record ReadRecord(string PartitionName, string? Identity, long Next, string Text, bool IsRejected)
{
    /// <summary>The records of a batch, rejected ones where they belong.</summary>
    public static IEnumerable<ReadRecord> Of(RecordBatch batch)
    {
        int rejected = 0;
        for (int row = 0; row <= batch.Count; row++)
        {
            for (; rejected < batch.Rejected.Count && batch.Rejected[rejected].BeforeRow <= row; rejected++)
            {
                RejectedRecord record = batch.Rejected[rejected];
                long next = rejected + 1 < batch.Rejected.Count && batch.Rejected[rejected + 1].BeforeRow == row
                    ? batch.Rejected[rejected + 1].Offset
                    : -1;
                yield return new ReadRecord(
                    record.PartitionName, batch.Identity, next, $"{record.Offset} {record.Reason}: {record.Text}", IsRejected: true);
            }
            if (row < batch.Count)
                yield return new ReadRecord(
                    batch.PartitionName, batch.Identity, batch.NextOffset(row), Describe(batch, row), IsRejected: false);
        }
    }

    /// <summary>Reads until the source ends.</summary>
    public static async Task<List<ReadRecord>> AllAsync(RecordSource source, int dimension, int capacity = 7)
    {
        var batch = new RecordBatch(dimension, capacity);
        var all = new List<ReadRecord>();
        while (await source.ReadAsync(batch, TestContext.Current.CancellationToken)) all.AddRange(Of(batch));
        return all;
    }

    private static string Describe(RecordBatch batch, int row)
    {
        string values = string.Join(' ', batch.Row(row).ToArray().Select(value => value.ToString("R", CultureInfo.InvariantCulture)));
        return string.Create(CultureInfo.InvariantCulture,
            $"[{values}] w={batch.Records.Weight(row)} l={batch.Label(row)} k={batch.Key(row)} "
                + $"t={batch.Records.Timestamp(row)}");
    }
}
