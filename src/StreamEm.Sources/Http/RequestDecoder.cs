using System.Globalization;
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

    /// <summary><c>text/csv</c>: a header line with the names of the columns, then one record a line.</summary>
    Csv,
}

/// <summary>
/// The one way from the body of a request to records, for those to be learned from and those to be scored: <see cref="TryBegin"/> looks at
/// the body, so that the caller can refuse all of it, then <see cref="Decode"/> takes its records, of which each fails alone. For one
/// request at a time; reused, it allocates nothing for good records.
/// </summary>
public sealed class RequestDecoder(RecordSchema schema)
{
    /// <summary>The most records looked for in one body.</summary>
    public const int MaxRecords = 1 << 17;

    private static ReadOnlySpan<byte> ByteOrderMark => "\uFEFF"u8;

    private readonly NdjsonDecoder _json = new(schema);
    private readonly List<Range> _records = [];
    private readonly Stack<byte> _open = [];
    private RecordDecoder? _csv;
    private bool _isCsv;
    private int _next;

    /// <summary>
    /// Number of records, at most <see cref="MaxRecords"/> and one; of CSV the most there may be, which is known before it is decoded.
    /// </summary>
    public int Count { get; private set; }

    /// <summary>Looks at a body; blank lines are no records.</summary>
    /// <param name="body">The whole body.</param>
    /// <param name="format">How it is said to be written.</param>
    /// <param name="problem">What was found and expected when it holds no records; null when all is well.</param>
    public bool TryBegin(ReadOnlySpan<byte> body, RequestFormat format, out string? problem)
    {
        _records.Clear();
        _isCsv = false;
        _next = body.StartsWith(ByteOrderMark) ? ByteOrderMark.Length : 0;
        problem = Disguise(body);
        if (problem is not null) return false;
        ReadOnlySpan<byte> text = body[_next..].TrimStart(" \t\r\n"u8);
        if (text.IsEmpty)
        {
            problem = "the body is empty; expected at least one record";
            return false;
        }
        if (format == RequestFormat.Csv) return TryBeginCsv(body, out problem);
        // An array is one whatever it is called, and so are objects one a line.
        if (format == RequestFormat.Json || text[0] == '[')
        {
            var found = new JsonRecords(body[_next..], _records, MaxRecords + 1, _open);
            switch (found.Find())
            {
                case JsonBody.Records:
                    for (int i = 0; _next > 0 && i < _records.Count; i++) _records[i] = Shifted(_records[i], _next);
                    break;
                case JsonBody.Malformed:
                    problem = found.Problem;
                    return false;
                default:
                    FindLines(body);
                    break;
            }
        }
        else
        {
            FindLines(body);
        }
        _next = 0;
        Count = _records.Count;
        return true;
    }

    /// <summary>Decodes records from where it stopped, until the batch is full or all are decoded.</summary>
    /// <param name="body">The same body.</param>
    /// <param name="batch">Takes the records and those that cannot be used; their offsets are numbered by the caller.</param>
    /// <returns>Whether there may be more.</returns>
    public bool Decode(ReadOnlySpan<byte> body, RecordBatch batch)
    {
        if (_isCsv)
        {
            int used = 1;
            while (_next < body.Length && used > 0 && !batch.IsFull)
                _next += used = _csv!.Decode(body[_next..], _next, isFinal: true, batch);
            return _next < body.Length && batch.IsFull;
        }
        for (; _next < _records.Count && !batch.IsFull; _next++)
            _json.DecodeMessage(body, _records[_next], _next, _next + 1, batch, RecordDefaults.None);
        return _next < _records.Count;
    }

    private static Range Shifted(Range range, int by) => (range.Start.Value + by)..(range.End.Value + by);

    /// <summary>What a body is that is no text of UTF-8; null when it may be.</summary>
    private static string? Disguise(ReadOnlySpan<byte> body) => body switch
    {
        [0x1F, 0x8B, ..] => "the body is gzip, and the request does not say so; send it with 'Content-Encoding: gzip'",
        [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..] or [0, _, ..] or [_, 0, ..] => "the body is UTF-16 or UTF-32; expected UTF-8",
        [0x28, 0xB5, 0x2F, 0xFD, ..] => "the body is zstd; expected plain text or gzip, with 'Content-Encoding: gzip'",
        [(byte)'P', (byte)'K', 3, 4, ..] => "the body is a zip archive; expected plain text or gzip, with 'Content-Encoding: gzip'",
        _ => null,
    };

    private bool TryBeginCsv(ReadOnlySpan<byte> body, out string? problem)
    {
        problem = null;
        Count = Math.Min(MaxRecords + 1, body.Count((byte)'\n') + 1);
        // A body has its own header and nothing before it, whatever the files of the model's source have.
        _csv ??= RecordDecoder.Create(
            RecordFormat.Csv, schema with { Csv = schema.Csv with { SkipLines = 0, Comment = null, Columns = null } });
        _isCsv = true;
        try
        {
            _csv.TryBegin(body, isFinal: true, "the body", out _next);
            return true;
        }
        catch (SourceException failure)
        {
            problem = string.Create(CultureInfo.InvariantCulture, $"{failure.Message} A body of CSV begins with a header line.");
            return false;
        }
    }

    private void FindLines(ReadOnlySpan<byte> body)
    {
        _records.Clear();
        for (int at = _next; at < body.Length && _records.Count <= MaxRecords;)
        {
            int end = body[at..].IndexOf((byte)'\n');
            int next = end < 0 ? body.Length : at + end + 1;
            if (!body[at..next].Trim(" \t\r\n"u8).IsEmpty) _records.Add(at..(at + body[at..next].TrimEnd("\r\n"u8).Length));
            at = next;
        }
    }
}
