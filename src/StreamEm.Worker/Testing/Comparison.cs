using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using StreamEm.Core.Settings;

namespace StreamEm.Worker.Testing;

/// <summary>Compares what was said with what was expected, whose scalars are texts, and tells every difference in a sentence.</summary>
/// <param name="tolerance">By how much a number may be off; of a number beyond 1 the share of it.</param>
internal sealed class Comparison(double tolerance)
{
    private const string Above = "above", Below = "below";

    /// <summary>How values differ.</summary>
    /// <param name="name">What the value is called.</param>
    /// <param name="expected">What was expected; null for none.</param>
    /// <param name="found">What there is; null for none.</param>
    public IEnumerable<string> Differences(string name, JsonNode? expected, JsonNode? found) => expected switch
    {
        JsonObject bounds when IsInterval(bounds) => OutsideOf(name, bounds, found),
        JsonObject fields when found is JsonObject inner => FieldDifferences(fields, inner, $"{name}."),
        JsonArray items when found is JsonArray list && items.Count == list.Count =>
            items.SelectMany((item, at) => Differences(string.Create(CultureInfo.InvariantCulture, $"{name}[{at}]"), item, list[at])),
        JsonObject or JsonArray => [$"{name} is {Shown(found)}; expected {Shown(expected)}"],
        _ => AreEqual(expected, found) ? [] : [$"{name} is {Shown(found)}; expected {Shown(expected)}{Within(expected, found)}"],
    };

    /// <summary>How the fields of an object differ from those expected; others may be what they are.</summary>
    public IEnumerable<string> FieldDifferences(JsonObject expected, JsonObject found, string prefix = "") =>
        expected.SelectMany(entry => found.ContainsKey(entry.Key) || entry.Value is null
            ? Differences(prefix + entry.Key, entry.Value, found[entry.Key])
            : [$"there is no '{prefix}{entry.Key}'{Suggestion(entry.Key, found)}"]);

    private static string Suggestion(string key, JsonObject found)
    {
        string[] known = [.. found.Select(entry => entry.Key)];
        string suggestion = Spelling.Suggestion(key, known);
        return suggestion.Length > 0 ? suggestion : $"; there are {string.Join(", ", known)}";
    }

    private static bool IsInterval(JsonObject expected) => expected.Count > 0 && expected.All(entry => entry.Key is Above or Below);

    private static IEnumerable<string> OutsideOf(string name, JsonObject bounds, JsonNode? found)
    {
        foreach ((string side, JsonNode? bound) in bounds)
        {
            if (Number(bound) is not { } limit)
                yield return $"{name}: '{side}' is {Shown(bound)}; expected a number";
            else if (Number(found) is not { } value || !(side == Above ? value > limit : value < limit))
                yield return $"{name} is {Shown(found)}; expected a number {side} {Shown(bound)}";
        }
    }

    private bool AreEqual(JsonNode? expected, JsonNode? found)
    {
        if (expected is null || found is null) return expected is null && found is null;
        if (IsNumber(found)) return Number(expected) is { } number && Math.Abs(number - Number(found)!.Value) <= Allowed(number);
        return found is JsonValue && found.ToString().Equals(expected.ToString(),
            found.GetValueKind() == JsonValueKind.String ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase);
    }

    private double Allowed(double expected) => tolerance * Math.Max(1, Math.Abs(expected));

    private string Within(JsonNode? expected, JsonNode? found) => IsNumber(found) && Number(expected) is { } number
        ? string.Create(CultureInfo.InvariantCulture, $" within {Allowed(number):G3}") : "";

    private static bool IsNumber(JsonNode? node) => node is JsonValue && node.GetValueKind() == JsonValueKind.Number;

    private static double? Number(JsonNode? node) => node is JsonValue
        && double.TryParse(node.ToString(), NumberStyles.Float, CultureInfo.InvariantCulture, out double number) ? number : null;

    private static string Shown(JsonNode? node) => node switch
    {
        null => "null",
        JsonArray list => $"[{string.Join(", ", list.Select(Shown))}]",
        JsonObject mapping => $"{{{string.Join(", ", mapping.Select(entry => $"{entry.Key}: {Shown(entry.Value)}"))}}}",
        _ => node.ToString(),
    };
}
