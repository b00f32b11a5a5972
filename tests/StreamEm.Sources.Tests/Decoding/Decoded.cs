using System.Text;
using StreamEm.Core.Features;
using StreamEm.Sources.Decoding;
using StreamEm.Sources.Tests.Contracts;

namespace StreamEm.Sources.Tests.Decoding;

/// <summary>Runs a decoder over text the way a source does.</summary>
internal static class Decoded
{
    /// <summary>All records of a text in one batch.</summary>
    public static RecordBatch Batch(RecordFormat format, RecordSchema schema, string text) =>
        Batch(format, schema, Encoding.UTF8.GetBytes(text));

    /// <summary>All records of the bytes in one batch.</summary>
    public static RecordBatch Batch(RecordFormat format, RecordSchema schema, byte[] bytes)
    {
        var decoder = RecordDecoder.Create(format, schema);
        var batch = new RecordBatch(schema.Width, 100_000);
        batch.Clear("data.csv");
        Assert.True(decoder.TryBegin(bytes, isFinal: true, "data.csv", out int used));
        Assert.Equal(bytes.Length, used + decoder.Decode(bytes.AsSpan(used), used, isFinal: true, batch));
        return batch;
    }

    /// <summary>The records of bytes that arrive in pieces, <paramref name="piece"/> giving the length of each.</summary>
    public static List<string> InPieces(RecordFormat format, RecordSchema schema, byte[] bytes, Func<int> piece, int capacity)
    {
        var decoder = RecordDecoder.Create(format, schema);
        var batch = new RecordBatch(schema.Width, capacity);
        var records = new List<string>();
        int at = 0, have = 0;
        bool begun = false;
        while (true)
        {
            bool isFinal = have == bytes.Length;
            ReadOnlySpan<byte> window = bytes.AsSpan(at..have);
            if (!begun && decoder.TryBegin(window, isFinal, "data.csv", out int used))
            {
                begun = true;
                at += used;
                continue;
            }
            if (begun)
            {
                batch.Clear("data.csv", identity: null, at);
                at += decoder.Decode(window, at, isFinal, batch);
                records.AddRange(ReadRecord.Of(batch).Select(record => record.IsRejected ? record.Text : $"{record.Next} {record.Text}"));
                if (batch.Count > 0 || batch.Rejected.Count > 0) continue;
            }
            if (isFinal) return records;
            have = Math.Min(bytes.Length, have + piece());
        }
    }

    /// <summary>The features of every record, without the target after them.</summary>
    public static double[] Features(this RecordBatch batch, int features) =>
        [.. Enumerable.Range(0, batch.Count).SelectMany(row => batch.Row(row)[..features].ToArray())];

    /// <summary>The only rejected record.</summary>
    public static RejectedRecord OnlyRejected(this RecordBatch batch) => Assert.Single(batch.Rejected);
}
