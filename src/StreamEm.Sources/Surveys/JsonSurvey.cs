using System.Text;
using System.Text.Json;
using StreamEm.Core.Features;
using StreamEm.Sources.Decoding;

namespace StreamEm.Sources.Surveys;

/// <summary>
/// Reads objects, one a line, of which nothing is known. A field in an object within has a path with dots; lists are left out.
/// </summary>
internal static class JsonSurvey
{
    private static readonly FieldSpelling Spelling = new(new RecordSchema { Features = [] });

    /// <summary>Reads every line that is an object.</summary>
    public static void Read(ReadOnlySpan<byte> text, bool isWhole, DataSurvey survey)
    {
        var bare = new BareTokens(Spelling);
        var values = new List<(string Name, byte[] Text)>();
        while (text.Length > 0 && survey.Records < DataSurvey.MostRecords)
        {
            int end = text.IndexOf((byte)'\n');
            if (end < 0 && !isWhole) return;
            ReadOnlySpan<byte> line = end < 0 ? text : text[..end];
            text = end < 0 ? [] : text[(end + 1)..];
            values.Clear();
            if (!TryRead(bare.TryMend(line, out ReadOnlySpan<byte> mended) ? mended : line, values)) continue;
            survey.Records++;
            foreach ((string name, byte[] value) in values) survey.Field(name)?.Add(value, Spelling);
        }
    }

    /// <summary>The fields of a record; false where it is none: its reason is told by whoever learns from it.</summary>
    private static bool TryRead(ReadOnlySpan<byte> line, List<(string Name, byte[] Text)> values)
    {
        var reader = new Utf8JsonReader(line);
        try
        {
            if (!JsonDocument.TryParseValue(ref reader, out JsonDocument? document)) return false;
            using (document)
            {
                if (document.RootElement.ValueKind != JsonValueKind.Object) return false;
                Collect(document.RootElement, "", values);
                return true;
            }
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: half a surrogate pair in a name.
            return false;
        }
    }

    /// <summary>A name that is empty or holds a dot cannot be written as a path.</summary>
    private static void Collect(JsonElement element, string prefix, List<(string Name, byte[] Text)> values)
    {
        foreach (JsonProperty property in element.EnumerateObject())
        {
            if (property.Name.Length == 0 || property.Name.Contains('.', StringComparison.Ordinal)) continue;
            string name = prefix + property.Name;
            if (property.Value.ValueKind == JsonValueKind.Object) Collect(property.Value, name + ".", values);
            else if (property.Value.ValueKind != JsonValueKind.Array) values.Add((name, Text(property.Value)));
        }
    }

    /// <summary>The value as it is written, a text without its quotes: escapes may be of no valid text.</summary>
    private static byte[] Text(JsonElement value)
    {
        byte[] written = Encoding.UTF8.GetBytes(value.GetRawText());
        return value.ValueKind == JsonValueKind.String ? written[1..^1] : written;
    }
}
