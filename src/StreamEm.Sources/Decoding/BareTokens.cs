using System.Buffers;

namespace StreamEm.Sources.Decoding;

/// <summary>
/// Values in JSON that are no JSON because a program wrote what it has for no number as it is: <c>NaN</c> (Python's json, JavaScript
/// libraries), <c>-nan</c>, <c>nan(ind)</c> (C's printf), <c>Infinity</c>, <c>None</c>, <c>N/A</c>. Those that say that there is no value
/// become <c>null</c>, infinities a text.
/// </summary>
internal sealed class BareTokens(FieldSpelling spelling)
{
    private static readonly SearchValues<byte> TokenEnds = SearchValues.Create(",}] \t\r\n\""u8);

    private readonly ArrayBufferWriter<byte> _mended = new();

    /// <summary>Writes a text without such values.</summary>
    /// <param name="json">The text.</param>
    /// <param name="mended">The text without them, until the next call.</param>
    /// <returns>False when there are none.</returns>
    public bool TryMend(ReadOnlySpan<byte> json, out ReadOnlySpan<byte> mended)
    {
        _mended.Clear();
        int copied = 0;
        for (int at = 0; at < json.Length;)
        {
            if (json[at] == '"')
            {
                at = TextEnd(json, at);
                continue;
            }
            bool isValueNext = json[at] is (byte)':' or (byte)',' or (byte)'[';
            at++;
            if (!isValueNext) continue;
            while (at < json.Length && json[at] is (byte)' ' or (byte)'\t') at++;
            int length = json[at..].IndexOfAny(TokenEnds);
            if (length <= 0 || Replacement(json.Slice(at, length)) is not { IsEmpty: false } value) continue;
            _mended.Write(json[copied..at]);
            _mended.Write(value);
            at = copied = at + length;
        }
        if (copied > 0) _mended.Write(json[copied..]);
        mended = _mended.WrittenSpan;
        return copied > 0;
    }

    /// <summary>Past the text that begins at a quote.</summary>
    private static int TextEnd(ReadOnlySpan<byte> json, int at)
    {
        for (at++; at < json.Length; at++)
        {
            if (json[at] == '\\') at++;
            else if (json[at] == '"') return at + 1;
        }
        return json.Length;
    }

    /// <summary>What is written instead of a value; nothing for one that stays.</summary>
    private ReadOnlySpan<byte> Replacement(ReadOnlySpan<byte> token)
    {
        if (token[0] is (byte)'{' or (byte)'[' or (byte)'t' or (byte)'f' || token.SequenceEqual("null"u8)) return default;
        return spelling.Number(token, out _) switch
        {
            NumberOutcome.Missing when !Numbers.TryParse(token, out _) => "null"u8,
            NumberOutcome.NotFinite when token.ContainsAny("iI#"u8) => "\"Infinity\""u8,
            _ => default,
        };
    }
}
