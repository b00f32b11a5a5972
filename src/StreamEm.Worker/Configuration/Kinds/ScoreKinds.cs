using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Nodes;
using StreamEm.Core.Settings;
using StreamEm.Worker.Scores;

namespace StreamEm.Worker.Configuration.Kinds;

/// <summary>Fields of a record: <c>none</c>, <c>all</c>, or a list of names.</summary>
public sealed class FieldSelectionKind : ValueKind<FieldSelection>
{
    /// <inheritdoc/>
    public override string Expected => "none, all, or a list of fields";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Words => ["none", "all"];

    /// <inheritdoc/>
    public override ValueForm Form => ValueForm.Structure;

    /// <inheritdoc/>
    public override bool TryParse(string? text, [MaybeNullWhen(false)] out FieldSelection value)
    {
        value = text switch
        {
            null or "none" => FieldSelection.None,
            "all" => FieldSelection.All,
            _ => NamesIn(text) is { } names ? new FieldSelection(false, names) : null,
        };
        return value is not null;
    }

    /// <inheritdoc/>
    public override string Format(FieldSelection value) =>
        value.IsAll ? "all" : value.Names.Count == 0 ? "none" : JsonSerializer.Serialize(value.Names);

    private static string[]? NamesIn(string text)
    {
        try
        {
            return JsonSerializer.Deserialize<string[]>(text) is { } names && !names.Contains(null) ? names : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>An http or https address without user and password in it.</summary>
public sealed class UrlKind : ValueKind<string>
{
    /// <inheritdoc/>
    public override string Expected => "an address such as https://host/path, without user and password";

    /// <inheritdoc/>
    public override bool TryParse(string? text, [MaybeNullWhen(false)] out string value)
    {
        value = text;
        return Uri.TryCreate(text, UriKind.Absolute, out Uri? address) && address.Scheme is "http" or "https"
            && address.UserInfo.Length == 0 && address.Fragment.Length == 0;
    }

    /// <inheritdoc/>
    public override string Format(string value) => value;
}

/// <summary>A value for every feature, <c>5</c>, or by feature, <c>{temperature: 5, pressure: 0.2}</c>.</summary>
/// <param name="kind">What a value is.</param>
public sealed class PerFeatureKind<TValue>(ValueKind<TValue> kind) : ValueKind<IReadOnlyDictionary<string, TValue>>
{
    private const string Every = "*";

    /// <inheritdoc/>
    public override string Expected => $"{kind.Expected}, for all features or as a mapping by feature";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Words => kind.Words;

    /// <inheritdoc/>
    public override ValueForm Form => ValueForm.Structure;

    /// <inheritdoc/>
    public override bool TryParse(string? text, [MaybeNullWhen(false)] out IReadOnlyDictionary<string, TValue> value)
    {
        var values = new SortedDictionary<string, TValue>(StringComparer.Ordinal);
        value = values;
        if (text is null or "null") return true;
        if (kind.TryParse(text, out TValue? one))
        {
            values[Every] = one;
            return true;
        }

        try
        {
            if (JsonNode.Parse(text) is not JsonObject map) return false;
            foreach ((string name, JsonNode? node) in map)
            {
                if (node is not JsonValue || !kind.TryParse(node.ToString(), out TValue? of)) return false;
                values[name] = of;
            }

            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public override string Format(IReadOnlyDictionary<string, TValue> value)
    {
        if (value.Count == 0) return "null";
        if (value.Count == 1 && value.TryGetValue(Every, out TValue? one)) return kind.Format(one);
        return new JsonObject(value.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)JsonValue.Create(kind.Format(pair.Value)))))
            .ToJsonString();
    }
}
