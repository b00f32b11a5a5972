namespace StreamEm.Sources.Decoding;

/// <summary>A line longer than the limit, of which only the beginning is kept while the rest is skipped as it arrives.</summary>
internal sealed class OversizedLine(RejectionReason reason, string detail, long offset, string text)
{
    /// <summary>Where the line starts.</summary>
    public long Offset => offset;

    /// <summary>Skips to the line's end and rejects it there.</summary>
    /// <returns>Number of bytes skipped; all of them when the end is not among them.</returns>
    public int Skip(ReadOnlySpan<byte> data, long at, bool isFinal, RecordBatch batch, out bool ended)
    {
        int end = data.IndexOf((byte)'\n');
        ended = end >= 0 || isFinal;
        int used = end >= 0 ? end + 1 : data.Length;
        if (ended) batch.Reject(reason, detail, offset, at + used, text);
        return used;
    }
}
