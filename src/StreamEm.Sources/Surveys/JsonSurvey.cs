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
        while (text.Length > 0 && survey.Records < DataSurvey.MostRecords)
        {
            int end = text.IndexOf((byte)'\n');
            if (end < 0 && !isWhole) return;
            ReadOnlySpan<byte> line = end < 0 ? text : text[..end];
            text = end < 0 ? [] : text[(end + 1)..];
            if (Parse(line) is not { } document) continue;
            using (document)
            {
                if (document.RootElement.ValueKind != JsonValueKind.Object) continue;
                survey.Records++;
                Add(document.RootElement, "", survey);
            }
        }
    }

    private static JsonDocument? Parse(ReadOnlySpan<byte> line)
    {
        var reader = new Utf8JsonReader(line);
        try
        {
            return JsonDocument.TryParseValue(ref reader, out JsonDocument? document) ? document : null;
        }
        catch (JsonException)
        {
            // Records that are none are told, with their reasons, by whoever learns from them.
            return null;
        }
    }

    private static void Add(JsonElement element, string prefix, DataSurvey survey)
    {
        foreach (JsonProperty property in element.EnumerateObject())
        {
            string name = prefix + property.Name;
            if (property.Value.ValueKind == JsonValueKind.Object) Add(property.Value, name + ".", survey);
            else if (property.Value.ValueKind != JsonValueKind.Array) survey.Field(name)?.Add(Text(property.Value), Spelling);
        }
    }

    /// <summary>The value as it is written, a text without its quotes: escapes may be of no valid text.</summary>
    private static byte[] Text(JsonElement value)
    {
        byte[] written = Encoding.UTF8.GetBytes(value.GetRawText());
        return value.ValueKind == JsonValueKind.String ? written[1..^1] : written;
    }
}
