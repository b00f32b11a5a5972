using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Nodes;
using StreamEm.Core.Settings;

namespace StreamEm.Core.Models.Emissions;

/// <summary>
/// Families of components as a setting. Written as a mapping of one family to its settings, <c>{poisson: {}}</c>, or as a list of such
/// mappings with the features of each, <c>[{gaussian: {features: [a, b]}}, {poisson: {features: [n]}}]</c>; its text is compact JSON that
/// leaves out what is default.
/// </summary>
internal sealed class EmissionPartsKind : ValueKind<EmissionParts?>
{
    private const string FeaturesKey = "features";

    private readonly IReadOnlyList<EmissionEntry> _families;
    private readonly bool _isProduct;

    private EmissionPartsKind(IReadOnlyList<EmissionEntry> families, bool isProduct) => (_families, _isProduct) = (families, isProduct);

    /// <inheritdoc/>
    public override string Expected => _isProduct
        ? $"a list of families with their features, such as [{{gaussian: {{features: [a, b]}}}}]; families: {string.Join(", ", Words)}"
        : $"a family and its settings, such as {{gaussian: {{}}}}; families: {string.Join(", ", Words)}";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Words => [.. _families.Select(family => family.Type)];

    /// <inheritdoc/>
    public override ValueForm Form => ValueForm.Structure;

    /// <summary>One family over all features.</summary>
    public static EmissionPartsKind Single(IReadOnlyList<EmissionEntry> families) => new(families, isProduct: false);

    /// <summary>Several families over features of their own.</summary>
    public static EmissionPartsKind Product(IReadOnlyList<EmissionEntry> families) => new(families, isProduct: true);

    /// <inheritdoc/>
    public override bool TryParse(string? text, out EmissionParts? value)
    {
        value = null;
        if (text is null or "null") return true;
        return Parse(text, out value) is null;
    }

    /// <inheritdoc/>
    public override string? Problem(string text) => Parse(text, out _);

    /// <inheritdoc/>
    public override string Format(EmissionParts? value)
    {
        if (value is null) return "null";
        if (!value.IsProduct) return Write(value.Single, null).ToJsonString();
        return new JsonArray([.. value.Parts.Select(part => (JsonNode)Write(part.Options, part.Features))]).ToJsonString();
    }

    private static JsonObject Write(EmissionOptions options, IReadOnlyList<string>? features)
    {
        var settings = new JsonObject();
        if (features is not null)
            settings[FeaturesKey] = new JsonArray([.. features.Select(feature => (JsonNode)JsonValue.Create(feature))]);
        EmissionOptions defaults = options.Entry.CreateOptions();
        foreach (Setting setting in options.Entry.Settings)
            if (setting.Format(options) is var text && text != setting.Format(defaults)) settings[setting.Key] = text;
        return new JsonObject { [options.Entry.Type] = settings };
    }

    private string? Parse(string text, out EmissionParts? value)
    {
        value = null;
        JsonNode? node;
        try
        {
            node = JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            node = JsonValue.Create(text);
        }
        if (!_isProduct)
        {
            if (ReadFamily(node, "", out EmissionPart? part) is { } problem) return problem;
            if (part!.Features is not null)
                return "features cannot be given here: one family is over all of them. Use emissions for several";
            value = EmissionParts.Of(part.Options);
            return null;
        }
        if (node is not JsonArray { Count: > 0 } items) return "it is no list of families; expected at least one";
        var parts = new List<EmissionPart>();
        for (int at = 0; at < items.Count; at++)
        {
            if (ReadFamily(items[at], $"[{at}] ", out EmissionPart? part) is { } problem) return problem;
            int same = parts.Count(other => other.Options.Entry == part!.Options.Entry);
            parts.Add(same == 0 ? part! : part! with { Name = FormattableString.Invariant($"{part.Name}_{same + 1}") });
        }
        value = EmissionParts.Of(parts);
        return null;
    }

    private string? ReadFamily(JsonNode? node, string at, [NotNullWhen(false)] out EmissionPart? part)
    {
        part = null;
        (string? name, JsonNode? written) = node switch
        {
            JsonObject { Count: 1 } mapping => (mapping.First().Key, mapping.First().Value),
            JsonValue scalar when scalar.GetValueKind() == JsonValueKind.String => (scalar.GetValue<string>(), null),
            _ => (null, null),
        };
        if (name is null) return $"{at}is no single family; expected one of {string.Join(", ", Words)} with its settings";
        if (_families.FirstOrDefault(family => family.Type == name) is not { } entry)
            return $"{at}'{name}' is no family; there are {string.Join(", ", Words)}{Spelling.Suggestion(name, Words)}";
        if (written is not (null or JsonObject)) return $"{at}{name} has no settings; expected a mapping";
        return ReadSettings(entry, (JsonObject?)written ?? [], $"{at}{name}", out part);
    }

    private static string? ReadSettings(EmissionEntry entry, JsonObject written, string at, out EmissionPart? part)
    {
        part = null;
        object options = entry.CreateOptions();
        List<string>? features = null;
        foreach ((string key, JsonNode? value) in written)
        {
            if (key == FeaturesKey)
            {
                if (value is not JsonArray list || list.Count == 0 || list.Any(item => item?.GetValueKind() != JsonValueKind.String))
                    return $"{at}.features is no list of names";
                features = [.. list.Select(item => item!.GetValue<string>())];
                continue;
            }
            string[] known = [.. entry.Settings.Select(setting => setting.Key)];
            if (entry.Settings.FirstOrDefault(setting => setting.Key == key) is not { } found)
                return $"unknown key '{key}' in {at}; known keys: "
                    + $"{string.Join(", ", (string[])[FeaturesKey, .. known])}{Spelling.Suggestion(key, known)}";
            string? text = value switch
            {
                null => null,
                JsonValue scalar when scalar.GetValueKind() == JsonValueKind.String => scalar.GetValue<string>(),
                _ => value.ToJsonString()
            };
            if (!found.TryRead(options, text, out options))
                return $"{at}.{key} is '{text}'; expected {found.Expected}{Spelling.Suggestion(text ?? "", found.Words)}";
        }
        part = new EmissionPart(entry.Type, (EmissionOptions)options, features);
        return null;
    }
}
