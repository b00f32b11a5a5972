using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace StreamEm.House.Tests.Deployments;

/// <summary>
/// YAML as what reads it in a cluster does: it is turned into JSON, where a number is no text, and the JSON into types that know every
/// field. What has no place in the type, or another type, is a mistake.
/// </summary>
internal static partial class StrictYaml
{
    /// <summary>Fields named <c>likeThis</c>.</summary>
    public static readonly JsonSerializerOptions Camel = Options(JsonNamingPolicy.CamelCase);

    /// <summary>Fields named <c>like_this</c>.</summary>
    public static readonly JsonSerializerOptions Snake = Options(JsonNamingPolicy.SnakeCaseLower);

    /// <summary>The documents of a file.</summary>
    public static JsonNode?[] Documents(string text)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(text));
        return [.. stream.Documents.Select(document => Node(document.RootNode))];
    }

    /// <summary>A document as its type, and the rules that its type does not say.</summary>
    /// <exception cref="FormatException">With what is wrong and where.</exception>
    public static object Read(JsonNode? document, Type type, JsonSerializerOptions options)
    {
        object? read;
        try
        {
            read = document.Deserialize(type, options);
        }
        catch (Exception wrong) when (wrong is JsonException or NotSupportedException or ArgumentException or FormatException)
        {
            throw new FormatException(wrong.Message, wrong);
        }

        string[] broken = read is null ? ["$: nothing is there"] : [.. ValueRules.Broken(read, "$")];
        return broken.Length == 0 ? read! : throw new FormatException(string.Join('\n', broken));
    }

    private static JsonSerializerOptions Options(JsonNamingPolicy naming) => new()
    {
        PropertyNamingPolicy = naming,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
    };

    private static JsonNode? Node(YamlNode node) => node switch
    {
        YamlMappingNode map => new JsonObject(map.Children.Select(pair =>
            KeyValuePair.Create(((YamlScalarNode)pair.Key).Value!, Node(pair.Value)))),
        YamlSequenceNode list => new JsonArray([.. list.Children.Select(Node)]),
        YamlScalarNode { Style: ScalarStyle.Plain } plain => Plain(plain.Value!),
        _ => JsonValue.Create(((YamlScalarNode)node).Value),
    };

    /// <summary>What a word without quotes is, by the older rules too: <c>yes</c> and <c>on</c> are no texts.</summary>
    private static JsonValue? Plain(string text) => text.ToLowerInvariant() switch
    {
        "" or "~" or "null" => null,
        "true" or "yes" or "on" or "y" => JsonValue.Create(true),
        "false" or "no" or "off" or "n" => JsonValue.Create(false),
        _ when Integer().IsMatch(text) => JsonValue.Create(long.Parse(text, CultureInfo.InvariantCulture)),
        _ when Real().IsMatch(text) => JsonValue.Create(double.Parse(text, CultureInfo.InvariantCulture)),
        _ => JsonValue.Create(text),
    };

    [GeneratedRegex("^[-+]?(0|[1-9][0-9]*)$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Integer();

    [GeneratedRegex("^[-+]?(\\.[0-9]+|[0-9]+(\\.[0-9]*)?)([eE][-+]?[0-9]+)?$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Real();
}
