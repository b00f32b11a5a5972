using System.Text.Json;
using StreamEm.Core.Intervals;
using StreamEm.Core.Vectors;
using static StreamEm.Core.Snapshots.SnapshotReader;

namespace StreamEm.Core.Snapshots;

/// <summary>A snapshot's <c>intervals</c>: of every block of parameters the estimates, their standard errors and the ends of the confidence
/// sequence, null where nothing is known.</summary>
internal static class IntervalsJson
{
    /// <summary>Writes it.</summary>
    public static void Write(Utf8JsonWriter json, VectorLayout layout, ParameterIntervals intervals)
    {
        json.WriteStartObject("intervals");
        SnapshotJson.WriteNumber(json, "level", ParameterIntervals.Level);
        SnapshotJson.WriteNumber(json, "records", intervals.Records);
        json.WriteStartObject("parameters");
        foreach (VectorBlock block in layout.Blocks)
        {
            json.WriteStartObject(block.Name);
            json.WriteStartArray("shape");
            foreach (int extent in block.Shape) json.WriteNumberValue(extent);
            json.WriteEndArray();
            foreach ((string name, double[] values) in Parts(intervals))
            {
                json.WriteStartArray(name);
                foreach (double value in block.Of((ReadOnlySpan<double>)values)) SnapshotJson.WriteNumberOrNull(json, value);
                json.WriteEndArray();
            }
            json.WriteEndObject();
        }
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>Reads it; null where there is none.</summary>
    /// <exception cref="InvalidDataException">It is not of these parameters.</exception>
    public static ParameterIntervals? Read(JsonElement root, VectorLayout layout)
    {
        if (!root.TryGetProperty("intervals", out JsonElement given)) return null;
        JsonElement blocks = Member(given, "parameters");
        double[] Part() => new double[layout.Length];
        var result = new ParameterIntervals(Member(given, "records").GetDouble(), Part(), Part(), Part(), Part());
        foreach (VectorBlock block in layout.Blocks)
        {
            JsonElement element = Member(blocks, block.Name);
            foreach ((string name, double[] values) in Parts(result))
            {
                JsonElement numbers = Member(element, name);
                if (numbers.GetArrayLength() != block.Length)
                    throw new InvalidDataException(
                        $"'{name}' of the intervals of '{block.Name}' has {numbers.GetArrayLength()} numbers; expected {block.Length}.");
                int at = block.Offset;
                foreach (JsonElement number in numbers.EnumerateArray())
                    values[at++] = number.ValueKind == JsonValueKind.Null ? double.NaN : number.GetDouble();
            }
        }
        return result;
    }

    private static (string Name, double[] Values)[] Parts(ParameterIntervals intervals) =>
    [
        ("estimate", intervals.Estimates), ("standard_error", intervals.StandardErrors), ("lower", intervals.Lower),
        ("upper", intervals.Upper),
    ];
}
