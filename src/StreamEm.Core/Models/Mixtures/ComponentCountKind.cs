using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Nodes;
using StreamEm.Core.Settings;

namespace StreamEm.Core.Models.Mixtures;

/// <summary>How many components there are.</summary>
/// <param name="Count">K, or the most there may be.</param>
/// <param name="Growth">How they grow up to that; null: there are K from the start.</param>
internal sealed record ComponentCount(int Count, GrowthOptions? Growth);

/// <summary>A number, or <c>{max: 32, birth_distance: 3, memory: forever}</c>; memory is <c>forever</c> or <c>{half_life: N}</c>.</summary>
internal sealed class ComponentCountKind : ValueKind<ComponentCount>
{
    private const int Most = 65_536, MostGrowing = 1024;

    private static readonly IntegerKind Number = new(1, Most), Max = new(2, MostGrowing);
    private static readonly NumberKind Distance = new(Interval.Above(0)), Records = new(Interval.AtLeast(1));

    /// <inheritdoc/>
    public override string Expected => $"{Number.Expected}, or {{max: 32, birth_distance: 3, memory: forever}}";

    /// <inheritdoc/>
    public override ValueForm Form => ValueForm.IntegerOrStructure;

    /// <inheritdoc/>
    public override bool TryParse(string? text, [MaybeNullWhen(false)] out ComponentCount value) => Parse(text, out value) is null;

    /// <inheritdoc/>
    public override string? Problem(string text) => NodeOf(text) is JsonObject ? Parse(text, out _) : null;

    /// <inheritdoc/>
    public override string Format(ComponentCount value)
    {
        if (value.Growth is not { } growth) return Number.Format(value.Count);
        JsonNode memory = growth.HalfLife is { } records ? new JsonObject { ["half_life"] = records } : JsonValue.Create("forever");
        return new JsonObject { ["max"] = value.Count, ["birth_distance"] = growth.BirthDistance, ["memory"] = memory }.ToJsonString();
    }

    private string? Parse(string? text, out ComponentCount? value)
    {
        value = null;
        if (Number.TryParse(text, out int count))
        {
            value = new ComponentCount(count, null);
            return null;
        }
        if (NodeOf(text) is not JsonObject written) return $"expected {Expected}";
        (int max, GrowthOptions growth) = (new GrowthOptions().Max, new GrowthOptions());
        foreach ((string key, JsonNode? node) in written)
        {
            string? shown = Shown(node);
            switch (key)
            {
                case "max":
                    if (!Max.TryParse(shown, out max)) return $"max is '{shown}'; expected {Max.Expected}";
                    break;
                case "birth_distance":
                    if (!Distance.TryParse(shown, out double distance)) return $"birth_distance is '{shown}'; expected {Distance.Expected}";
                    growth = growth with { BirthDistance = distance };
                    break;
                case "memory":
                    if (!TryMemory(node, out double? halfLife))
                        return $"memory is '{shown}'; expected forever, or {{half_life: 10000}} in records";
                    growth = growth with { HalfLife = halfLife };
                    break;
                default:
                    return $"unknown key '{key}'; known keys: max, birth_distance, memory";
            }
        }
        value = new ComponentCount(max, growth);
        return null;
    }

    private static bool TryMemory(JsonNode? node, out double? halfLife)
    {
        halfLife = null;
        if (node is JsonValue && Shown(node) == "forever") return true;
        if (node is not JsonObject { Count: 1 } mapping || mapping.First().Key != "half_life") return false;
        bool fits = Records.TryParse(Shown(mapping.First().Value), out double records);
        halfLife = records;
        return fits;
    }

    private static string? Shown(JsonNode? node) =>
        node is JsonValue scalar && scalar.GetValueKind() == JsonValueKind.String ? scalar.GetValue<string>() : node?.ToJsonString();

    private static JsonNode? NodeOf(string? text)
    {
        try
        {
            return JsonNode.Parse(text ?? "null");
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
