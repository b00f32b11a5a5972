using System.Text.Json;

namespace StreamEm.Sources.Decoding;

/// <summary>The records within one JSON text: <c>{"records": [...]}</c>, an array, or a single object.</summary>
internal static class JsonRecords
{
    private const string Expected = "expected {\"records\": [...]}, an array of objects, or one object";

    /// <summary>Finds the bytes of every record.</summary>
    /// <param name="json">The whole text.</param>
    /// <param name="ranges">Takes where each record lies.</param>
    /// <param name="areNamed">Whether they are in an array <c>records</c>.</param>
    /// <param name="problem">What was found and expected; null when all is well.</param>
    public static bool TryFind(ReadOnlySpan<byte> json, ICollection<Range> ranges, out bool areNamed, out string? problem)
    {
        areNamed = false;
        problem = null;
        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = NdjsonDecoder.MaxDepth + 2 });
            reader.Read();
            if (reader.TokenType == JsonTokenType.StartArray) ReadArray(ref reader, ranges);
            else if (reader.TokenType == JsonTokenType.StartObject) areNamed = ReadObject(ref reader, ranges, ref problem);
            else problem = $"the body is a single value, {Expected}";
            while (reader.Read())
            {
            }
        }
        catch (JsonException e)
        {
            problem = $"the body is not JSON: {e.Message}; {Expected}";
        }
        return problem is null;
    }

    private static bool ReadObject(ref Utf8JsonReader reader, ICollection<Range> ranges, ref string? problem)
    {
        int start = (int)reader.TokenStartIndex;
        bool hasRecords = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            bool isRecords = reader.ValueTextEquals("records"u8);
            reader.Read();
            if (isRecords && reader.TokenType == JsonTokenType.StartArray)
            {
                if (hasRecords) problem = $"the body has two fields 'records', {Expected}";
                hasRecords = true;
                ReadArray(ref reader, ranges);
            }
            else
            {
                reader.Skip();
            }
        }
        if (!hasRecords) ranges.Add(start..(int)reader.BytesConsumed);
        return hasRecords;
    }

    private static void ReadArray(ref Utf8JsonReader reader, ICollection<Range> ranges)
    {
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            int start = (int)reader.TokenStartIndex;
            reader.Skip();
            ranges.Add(start..(int)reader.BytesConsumed);
        }
    }
}
