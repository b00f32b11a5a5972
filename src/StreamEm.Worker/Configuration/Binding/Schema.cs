using System.Globalization;
using System.Text.Json.Nodes;
using StreamEm.Core.Settings;

namespace StreamEm.Worker.Configuration.Binding;

/// <summary>
/// Pieces of the JSON Schema (draft 2020-12) that says to an editor what the tables say to the reader of a configuration.
/// </summary>
internal static class Schema
{
    /// <summary>A value may always be written as a variable.</summary>
    private const string Variable = @"\$\{";

    /// <summary>A mapping of known keys; nothing stands for an empty one.</summary>
    /// <param name="properties">The keys with their schemas.</param>
    /// <param name="required">The keys that have to be there.</param>
    public static JsonObject Mapping(IEnumerable<KeyValuePair<string, JsonNode?>> properties, IEnumerable<string> required)
    {
        string[] needed = [.. required];
        var schema = new JsonObject
        {
            ["type"] = needed.Length > 0 ? "object" : Types("object", "null"),
            ["properties"] = new JsonObject(properties),
            ["additionalProperties"] = false,
        };
        if (needed.Length > 0) schema["required"] = Texts(needed);
        return schema;
    }

    /// <summary>A list.</summary>
    /// <param name="items">What is in it.</param>
    /// <param name="isUnique">Whether nothing may be in it twice.</param>
    public static JsonObject List(JsonNode items, bool isUnique = false)
    {
        var schema = new JsonObject { ["type"] = Types("array", "null"), ["items"] = items };
        if (isUnique) schema["uniqueItems"] = true;
        return schema;
    }

    /// <summary>A text; a number or a word that YAML has a type for is one, too.</summary>
    public static JsonObject Text(bool isNullable = false) =>
        new() { ["type"] = isNullable ? Types("string", "number", "boolean", "null") : Types("string", "number", "boolean") };

    /// <summary>What a setting takes.</summary>
    /// <param name="setting">The setting.</param>
    /// <param name="options">Options with every default.</param>
    public static JsonObject Of(Setting setting, object options)
    {
        JsonObject schema = setting.Form switch
        {
            ValueForm.Choice => OneOf(setting.Words.Select(word => (JsonNode?)JsonValue.Create(word)), setting.IsNullable),
            ValueForm.Boolean => OneOf([JsonValue.Create(true), JsonValue.Create(false)], setting.IsNullable),
            ValueForm.Integer => Number("integer", setting),
            ValueForm.Number => Number("number", setting),
            ValueForm.Structure => [],
            ValueForm.IntegerOrStructure =>
                new() { ["anyOf"] = new JsonArray(Number("integer", setting), new JsonObject { ["type"] = "object" }) },
            _ => Text(setting.IsNullable),
        };
        string initial = setting.Format(options) is { Length: > 0 } text ? text : "none";
        return Described(schema, $"{setting.Description} Expected: {setting.Expected}. Default: {initial}.");
    }

    /// <summary>A schema with what it is for.</summary>
    public static JsonObject Described(JsonObject schema, string description)
    {
        schema.Insert(0, "description", description);
        return schema;
    }

    /// <summary>Names as a list of JSON.</summary>
    public static JsonArray Texts(IEnumerable<string> names) => [.. names.Select(name => (JsonNode?)JsonValue.Create(name))];

    private static JsonObject OneOf(IEnumerable<JsonNode?> values, bool isNullable) => new()
    {
        ["anyOf"] = new JsonArray(
            new JsonObject { ["enum"] = new JsonArray([.. values, .. isNullable ? [null] : Array.Empty<JsonNode?>()]) },
            new JsonObject { ["type"] = "string", ["pattern"] = Variable }),
    };

    private static JsonObject Number(string type, Setting setting)
    {
        string words = string.Concat(setting.Words.Select(word => string.Create(CultureInfo.InvariantCulture, $"|^{word}$")));
        return new JsonObject
        {
            ["type"] = setting.IsNullable ? Types(type, "string", "null") : Types(type, "string"),
            ["pattern"] = $"{Variable}{words}",
        };
    }

    private static JsonArray Types(params string[] types) => Texts(types);
}
