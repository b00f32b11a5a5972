using StreamEm.Core.Features;

namespace StreamEm.Sources.Decoding;

/// <summary>
/// Begins a stream that should have a header and has none, because what was there before was truncated or moved and its writer went on:
/// with the columns known from before, if one of its first lines is a good record under them.
/// </summary>
/// <param name="decoder">What reads the stream.</param>
/// <param name="schema">What records are made of.</param>
internal sealed class HeaderlessStart(RecordDecoder decoder, RecordSchema schema)
{
    /// <summary>Lines that are tried: the first may be what is left of one.</summary>
    private const int Lines = 3;

    /// <summary>Begins the stream, or leaves the decoder as it cannot be used.</summary>
    public bool TryBegin(ReadOnlySpan<byte> data, bool isFinal, string name, IReadOnlyList<string> columns)
    {
        for (int line = 0; line < Lines && data.Length > 0; line++)
        {
            int end = data.IndexOf((byte)'\n');
            if (end < 0 && !isFinal) return false;
            int length = end < 0 ? data.Length : end + 1;
            if (IsRecord(data[..length], name, columns))
            {
                decoder.BeginWithout(columns, data, name);
                return true;
            }
            data = data[length..];
        }
        return false;
    }

    private bool IsRecord(ReadOnlySpan<byte> line, string name, IReadOnlyList<string> columns)
    {
        var batch = new RecordBatch(schema, capacity: 1);
        batch.Clear(name);
        decoder.BeginWithout(columns, line, name);
        decoder.Decode(line, 0, isFinal: true, batch);
        return batch.Count == 1 && batch.Rejected.Count == 0;
    }
}
