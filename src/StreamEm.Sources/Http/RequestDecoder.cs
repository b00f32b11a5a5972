using StreamEm.Core.Features;
using StreamEm.Sources.Decoding;

namespace StreamEm.Sources.Http;

/// <summary>How the body of a request holds its records.</summary>
public enum RequestFormat
{
    /// <summary><c>application/x-ndjson</c>: one object a line.</summary>
    Ndjson,

    /// <summary><c>application/json</c>: <c>{"records": [...]}</c>, an array of objects, or one object.</summary>
    Json,
}

/// <summary>
/// The one way from the body of a request to records, for those to be learned from and those to be scored: <see cref="TryFind"/> finds
/// where they lie, so that the caller can refuse them all, then <see cref="Decode"/> takes one after another. For one request at a time.
/// </summary>
public sealed class RequestDecoder(RecordSchema schema)
{
    private readonly NdjsonDecoder _decoder = new(schema);
    private readonly List<Range> _records = [];

    /// <summary>Number of records found.</summary>
    public int Count => _records.Count;

    /// <summary>Whether the records came in an array <c>records</c>; false for lines, a bare array and a single object.</summary>
    public bool AreNamed { get; private set; }

    /// <summary>Finds the records of a body; blank lines are none.</summary>
    /// <param name="body">The whole body.</param>
    /// <param name="format">How it is written.</param>
    /// <param name="problem">What was found and expected when it is not written so; null when all is well.</param>
    public bool TryFind(ReadOnlySpan<byte> body, RequestFormat format, out string? problem)
    {
        _records.Clear();
        AreNamed = false;
        problem = null;
        if (format == RequestFormat.Ndjson)
        {
            FindLines(body);
            return true;
        }
        bool isFound = JsonRecords.TryFind(body, _records, out bool areNamed, out problem);
        AreNamed = areNamed;
        return isFound;
    }

    /// <summary>Decodes one of the records found.</summary>
    /// <param name="body">The same body.</param>
    /// <param name="index">Which record, from 0.</param>
    /// <param name="offset">Its offset in its partition; the next one has the next.</param>
    /// <param name="batch">Takes the record or its rejection; not full.</param>
    /// <returns>Whether it was accepted.</returns>
    public bool Decode(ReadOnlySpan<byte> body, int index, long offset, RecordBatch batch) =>
        _decoder.DecodeMessage(body, _records[index], offset, offset + 1, batch, RecordDefaults.None);

    private void FindLines(ReadOnlySpan<byte> body)
    {
        int at = body.StartsWith("\uFEFF"u8) ? 3 : 0;
        while (at < body.Length)
        {
            int end = body[at..].IndexOf((byte)'\n');
            int next = end < 0 ? body.Length : at + end + 1;
            if (!body[at..next].Trim(" \t\r\n"u8).IsEmpty) _records.Add(at..(at + body[at..next].TrimEnd("\r\n"u8).Length));
            at = next;
        }
    }
}
