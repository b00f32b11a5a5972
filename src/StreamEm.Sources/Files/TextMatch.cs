namespace StreamEm.Sources.Files;

/// <summary>Compares texts of files with each other and with what is known of texts that were read.</summary>
internal static class TextMatch
{
    private const int ChunkBytes = TextHash.BlockBytes;

    /// <summary>
    /// Whether a file still holds what was read of it, by its first and its last block: a hash that can be gone on with behind them; null
    /// when not.
    /// </summary>
    public static TextHash? Resume(FileText text, in TextEvidence evidence)
    {
        byte[] block = new byte[ChunkBytes];
        int head = (int)Math.Min(evidence.Length, ChunkBytes), tail = (int)(evidence.Length - evidence.BlocksLength);
        if (evidence.Length >= ChunkBytes)
        {
            if (text.Fill(block) < head || HashOf(block) != evidence.Head) return null;
            if (!text.Seek(evidence.BlocksLength)) return null;
        }
        if (text.Fill(block.AsSpan(0, tail)) < tail) return null;
        var hash = new TextHash(evidence);
        hash.Append(block.AsSpan(0, tail), evidence.BlocksLength);
        return hash.Evidence == evidence ? hash : null;
    }

    /// <summary>The hash of the first bytes of a text; null when it is shorter.</summary>
    public static TextHash? Read(FileText text, long length)
    {
        var hash = new TextHash();
        return Advance(hash, text, length, new byte[ChunkBytes]) ? hash : null;
    }

    /// <summary>
    /// Of several evidences the one of the longest text that a text begins with, all of it compared; -1 when there is none.
    /// </summary>
    public static int Longest(FileText text, IReadOnlyList<TextEvidence> evidences)
    {
        int found = -1;
        var hash = new TextHash();
        byte[] buffer = new byte[ChunkBytes];
        foreach (int i in Enumerable.Range(0, evidences.Count).OrderBy(i => evidences[i].Length))
        {
            TextEvidence evidence = evidences[i];
            if (!Advance(hash, text, Math.Min(evidence.Length, ChunkBytes), buffer)) break;
            // Most texts differ in their first block: the rest of them is not read.
            if (evidence.Length > ChunkBytes && hash.Evidence.Head != evidence.Head) continue;
            if (!Advance(hash, text, evidence.Length, buffer)) break;
            if (hash.Evidence == evidence) found = i;
        }
        return found;
    }

    /// <summary>Whether two texts have the same first bytes; both have at least so many.</summary>
    public static bool HaveSameStart(FileText one, FileText other, long length)
    {
        byte[] first = new byte[(int)Math.Min(length, ChunkBytes)], second = new byte[first.Length];
        while (one.At < length)
        {
            int count = (int)Math.Min(first.Length, length - one.At);
            if (one.Fill(first.AsSpan(0, count)) < count || other.Fill(second.AsSpan(0, count)) < count) return false;
            if (!first.AsSpan(0, count).SequenceEqual(second.AsSpan(0, count))) return false;
        }
        return true;
    }

    private static UInt128 HashOf(ReadOnlySpan<byte> block)
    {
        var hash = new TextHash();
        hash.Append(block, 0);
        return hash.Evidence.Head;
    }

    private static bool Advance(TextHash hash, FileText text, long length, byte[] buffer)
    {
        while (hash.Length < length)
        {
            int read = text.Read(buffer.AsSpan(0, (int)Math.Min(buffer.Length, length - hash.Length)));
            if (read == 0) return false;
            hash.Append(buffer.AsSpan(0, read), hash.Length);
        }
        return true;
    }
}
