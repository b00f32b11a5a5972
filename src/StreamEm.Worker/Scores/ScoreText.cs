using System.Globalization;
using System.Text;
using System.Text.Json;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Scores;

/// <summary>A line of scores as a person reads it: when, whose, how improbable, by what, and where the record is.</summary>
internal static class ScoreText
{
    /// <summary>Features told of a record, those first that make it improbable.</summary>
    private const int MostFeatures = 3;

    private const string Red = "\e[1;31m", Dim = "\e[2m", Plain = "\e[0m";

    /// <summary>The line.</summary>
    /// <param name="json">As the other sinks have it.</param>
    /// <param name="hasColours">Whether an alarm is red and the place dim.</param>
    public static string Of(ReadOnlyMemory<byte> json, bool hasColours)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        JsonElement line = document.RootElement;
        var text = new StringBuilder();
        if (Text(line, "timestamp") is { } time) text.Append(time).Append("  ");
        text.Append(Text(line, "model"));
        if (Text(line, "key") is { } key) text.Append('/').Append(key);
        string verdict = Verdict(line);
        text.Append("  ").Append(hasColours && verdict == "ALARM" ? $"{Red}{verdict}{Plain}" : verdict);
        if ((Number(line, "novelty_p_value") ?? Number(line, "p_value")) is { } pValue) text.Append(Invariant($"  p {pValue:G3}"));
        string features = string.Join("; ", Features(line));
        if (features.Length > 0) text.Append("  ").Append(features);
        if (Text(line, "partition") is { } partition && line.TryGetProperty("offset", out JsonElement offset))
        {
            string place = $"  {partition}:{offset.GetRawText()}";
            text.Append(hasColours ? $"{Dim}{place}{Plain}" : place);
        }

        return text.ToString();
    }

    private static string Verdict(JsonElement line) => Text(line, "alarm_event") switch
    {
        "raised" => "ALARM",
        "cleared" => "over",
        _ when line.TryGetProperty("alarm", out JsonElement alarm) && alarm.ValueKind == JsonValueKind.True => "lasts",
        _ => Number(line, "anomaly_score") is { } score ? Invariant($"score {score:G4}") : "no score yet",
    };

    /// <summary>What the record's values are, and, where that is explained, what was expected.</summary>
    private static IEnumerable<string> Features(JsonElement line)
    {
        JsonElement? fields = line.TryGetProperty("fields", out JsonElement told) ? told : null;
        if (!line.TryGetProperty("explanation", out JsonElement explained))
            return (fields?.EnumerateObject() ?? default).Take(MostFeatures)
                .Select(field => $"{Printable(field.Name)} {Value(field.Value)}");
        return explained.EnumerateObject()
            .OrderByDescending(feature => Number(feature.Value, "contribution") ?? double.NegativeInfinity).Take(MostFeatures)
            .Select(feature => $"{Printable(feature.Name)}{Found(feature.Name)}{Expected(feature.Value)}");

        string Found(string name) => fields is { } all && all.TryGetProperty(name, out JsonElement value) ? $" {Value(value)}" : "";
    }

    private static string Expected(JsonElement feature)
    {
        if (Number(feature, "expected") is not { } expected) return "";
        JsonElement interval = feature.GetProperty("interval");
        return interval[0].ValueKind != JsonValueKind.Number
            ? Invariant($" (expected {expected:G4})")
            : Invariant($" (expected {expected:G4}, {interval[0].GetDouble():G4} to {interval[1].GetDouble():G4})");
    }

    private static string Value(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number => Invariant($"{value.GetDouble():G6}"),
        JsonValueKind.Null => "missing",
        _ => Printable(value.ToString()),
    };

    private static string? Text(JsonElement line, string name) =>
        line.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? Printable(value.GetString()!) : null;

    private static double? Number(JsonElement line, string name) =>
        line.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;

    private static string Printable(string text) => PrintableText.Of(text).ReplaceLineEndings(" ");

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
