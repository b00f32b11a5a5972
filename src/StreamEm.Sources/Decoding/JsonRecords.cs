using System.Buffers;
using System.Text.Json;

namespace StreamEm.Sources.Decoding;

/// <summary>What one body of JSON holds.</summary>
internal enum JsonBody
{
    /// <summary>Records: an array, <c>{"records": [...]}</c>, or a single object.</summary>
    Records,

    /// <summary>Several values one after another: one object a line, whatever the sender called it.</summary>
    Lines,

    /// <summary>Neither.</summary>
    Malformed,
}

/// <summary>
/// Finds the records within one JSON text: <c>{"records": [...]}</c>, an array, or a single object. Only strings and brackets are looked
/// at: what is between two commas is a record, and whether it is JSON, how deep it is nested and what it holds is for the decoder to say,
/// of that record alone.
/// </summary>
/// <param name="json">The whole text, without a byte order mark.</param>
/// <param name="records">Takes where each record lies.</param>
/// <param name="most">Looks no further when this many were found.</param>
/// <param name="open">For its own use: brackets that are open.</param>
internal ref struct JsonRecords(ReadOnlySpan<byte> json, List<Range> records, int most, Stack<byte> open)
{
    private const string Expected = "expected {\"records\": [...]}, an array of objects, or one object";
    private const byte Quote = (byte)'"';

    private static readonly SearchValues<byte> Structure = SearchValues.Create("\"[]{},"u8);
    private static readonly SearchValues<byte> StringEnds = SearchValues.Create("\"\\"u8);

    private readonly ReadOnlySpan<byte> _json = json;
    private readonly Stack<byte> _open = open;
    private int _at;

    /// <summary>How many of the open brackets are braces.</summary>
    private int _braces;

    /// <summary>What was found and expected; null when all is well.</summary>
    public string? Problem { get; private set; }

    /// <summary>Finds the records.</summary>
    public JsonBody Find()
    {
        SkipBlanks();
        if (_at == _json.Length) return Malformed("the body is empty");
        byte first = _json[_at];
        if (first is not ((byte)'[' or (byte)'{')) return Malformed("the body is not JSON, or a single value");
        int start = _at;
        if (!TrySkipValue(closing: 0)) return Malformed("the body is not JSON: it ends within a value");
        int end = _at;
        SkipBlanks();
        if (_at < _json.Length)
            return first == '{' && _json[_at] == '{'
                ? JsonBody.Lines
                : Malformed("the body is not JSON: something follows its first value");
        _at = start + 1;
        if (first == '[') return ReadArray() ? JsonBody.Records : JsonBody.Malformed;
        if (FindArray(end) is not { } array)
        {
            if (Problem is not null) return JsonBody.Malformed;
            records.Add(start..end);
            return JsonBody.Records;
        }
        _at = array;
        return ReadArray() ? JsonBody.Records : JsonBody.Malformed;
    }

    private JsonBody Malformed(string what)
    {
        Problem = $"{what}; {Expected}";
        return JsonBody.Malformed;
    }

    /// <summary>Where the array of the object's member <c>records</c> begins, whose end is known; null when it has none.</summary>
    private int? FindArray(int end)
    {
        int? found = null;
        while (true)
        {
            SkipBlanks();
            int key = _at;
            if (_at >= end || _json[_at] != Quote || !TrySkipString()) return found;
            bool isRecords = IsRecords(_json[key.._at]);
            SkipBlanks();
            if (_at >= end || _json[_at] != ':') return found;
            _at++;
            SkipBlanks();
            if (isRecords && _at < end && _json[_at] == '[')
            {
                if (found is not null)
                {
                    Malformed("the body has two fields 'records'");
                    return null;
                }
                found = _at + 1;
            }
            if (!TrySkipValue((byte)'}') || _at >= end || _json[_at] != ',') return found;
            _at++;
        }
    }

    /// <summary>Whether a key, in its quotes, is <c>records</c>, however its letters are written.</summary>
    private static bool IsRecords(ReadOnlySpan<byte> key)
    {
        if (!key.Contains((byte)'\\')) return key.SequenceEqual("\"records\""u8);
        var reader = new Utf8JsonReader(key);
        try
        {
            return reader.Read() && reader.ValueTextEquals("records"u8);
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>Reads the elements of the array whose bracket was passed, until the most there may be.</summary>
    private bool ReadArray()
    {
        SkipBlanks();
        if (_json[_at] == ']') return true;
        while (records.Count < most)
        {
            SkipBlanks();
            int start = _at;
            if (!TrySkipValue((byte)']') || _at == _json.Length)
            {
                Malformed("the body is not JSON: the array of records is not closed");
                return false;
            }
            records.Add(start..(start + _json[start.._at].TrimEnd(" \t\r\n"u8).Length));
            if (_json[_at++] == ']') return true;
        }
        return true;
    }

    /// <summary>
    /// Goes to the comma or closing bracket after the value that begins here, or to the end of the text. A bracket that closes another kind
    /// than the last one opened closes what was left open within its own too, and one that nothing opened is passed over: a record with
    /// such a fault spoils no other.
    /// </summary>
    /// <param name="closing">The bracket that closes what the value stands in; 0: nothing, stop where the value's own brackets are
    /// closed.</param>
    /// <returns>Whether every bracket and string in it is closed.</returns>
    private bool TrySkipValue(byte closing)
    {
        _open.Clear();
        _braces = 0;
        while (true)
        {
            int next = _json[_at..].IndexOfAny(Structure);
            if (next < 0)
            {
                _at = _json.Length;
                return _open.Count == 0;
            }
            _at += next;
            byte found = _json[_at];
            switch (found)
            {
                case Quote:
                    if (!TrySkipString()) return false;
                    continue;
                case (byte)'[' or (byte)'{':
                    Open(found);
                    break;
                case (byte)',':
                    if (_open.Count == 0) return true;
                    break;
                default:
                    if (_open.Count == 0 && found == closing) return true;
                    Close(found == ']' ? (byte)'[' : (byte)'{');
                    break;
            }
            _at++;
            if (closing == 0 && _open.Count == 0) return true;
        }
    }

    private void Open(byte bracket)
    {
        _open.Push(bracket);
        if (bracket == '{') _braces++;
    }

    private void Close(byte opened)
    {
        if ((opened == '{' ? _braces : _open.Count - _braces) == 0) return;
        byte last;
        do
        {
            last = _open.Pop();
            if (last == '{') _braces--;
        }
        while (last != opened);
    }

    private bool TrySkipString()
    {
        for (_at++; _at < _json.Length; _at += 2)
        {
            int next = _json[_at..].IndexOfAny(StringEnds);
            if (next < 0) break;
            _at += next;
            if (_json[_at] != Quote) continue;
            _at++;
            return true;
        }
        _at = _json.Length;
        return false;
    }

    private void SkipBlanks()
    {
        while (_at < _json.Length && _json[_at] is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n') _at++;
    }
}
