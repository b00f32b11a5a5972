using System.Text.Json;
using StreamEm.Core.Features;
using StreamEm.Sources.Decoding;
using StreamEm.Sources.Files;
using StreamEm.Sources.Kafka;
using StreamEm.Sources.Mqtt;
using StreamEm.Sources.Stdin;
using StreamEm.Worker.Configuration.Binding;
using StreamEm.Worker.Pipeline;

namespace StreamEm.Worker.Configuration;

/// <summary>What is said of how CSV is written must go together, with the fields of the schema, and with the format.</summary>
internal sealed class DialectRules(Binder binder)
{
    /// <summary>Reports what cannot be, or has no effect.</summary>
    /// <param name="model">The model.</param>
    /// <param name="path">Its place in the configuration.</param>
    public void Check(ModelOptions model, string path)
    {
        (string kind, RecordFormat format)? source = model.Source switch
        {
            FileSourceOptions file => ("file", file.Format),
            StdinSourceOptions stdin => ("stdin", stdin.Format),
            KafkaSourceOptions kafka => ("kafka", kafka.Format),
            MqttSourceOptions mqtt => ("mqtt", mqtt.Format),
            _ => null,
        };
        if (source is not var (kindOfSource, formatOfSource) || model.Source.Csv is not { IsFound: false } csv) return;
        string at = $"{path}.source.{kindOfSource}";
        if (formatOfSource != RecordFormat.Csv)
        {
            string format = JsonNamingPolicy.SnakeCaseLower.ConvertName(formatOfSource.ToString());
            binder.Problems.Warn(binder.OriginOf(at),
                $"{string.Join(", ", Keys(csv))} say how csv is written and have no effect: format is {format}; set format: csv");
        }
        if (csv is { Separator: { } separator, Decimal: { } mark } && separator == mark)
            binder.Problems.Error(
                binder.OriginOf($"{at}.decimal"), $"decimal is the same character as separator, '{mark}'; expected another");
        if (csv.Separator is { } between && csv.Comment?.StartsWith(between) == true)
            binder.Problems.Error(binder.OriginOf($"{at}.comment"), "comment begins with the separator; expected something else");
        if (csv.Columns is not { } columns) return;
        foreach (string field in Fields(model.Schema.Read).Where(field => !columns.Contains(field, StringComparer.Ordinal)))
            binder.Problems.Error(binder.OriginOf($"{at}.columns"), $"columns has no '{field}'; it names {string.Join(", ", columns)}");
    }

    private static IEnumerable<string> Keys(CsvDialect csv)
    {
        if (csv.Separator is not null) yield return "separator";
        if (csv.Decimal is not null) yield return "decimal";
        if (csv.Comment is not null) yield return "comment";
        if (csv.SkipLines > 0) yield return "skip_lines";
        if (csv.Columns is not null) yield return "columns";
    }

    private static IEnumerable<string> Fields(RecordSchema schema) =>
        schema.Features.Concat(((string?[])[schema.Label, schema.Weight, schema.Key, schema.Timestamp, schema.Target]).OfType<string>());
}
