using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using StreamEm.Core.Settings;

namespace StreamEm.Core.Models.RandomWalks;

/// <summary>A list of numbers above 0 and names of features.</summary>
internal sealed class ExposuresKind : ValueKind<NameList>
{
    /// <inheritdoc/>
    public override string Expected => "a list with a number above 0 or the name of a feature for every count, such as [1.5, hours]";

    /// <inheritdoc/>
    public override ValueForm Form => ValueForm.Structure;

    /// <inheritdoc/>
    public override bool TryParse(string? text, [MaybeNullWhen(false)] out NameList value)
    {
        value = NameList.None;
        if (text is null or "null") return true;
        try
        {
            if (JsonNode.Parse(text) is not JsonArray items) return false;
            string[] names = [.. items.Select(item => item is JsonValue scalar && scalar.GetValueKind() == JsonValueKind.String
                ? scalar.GetValue<string>()
                : item?.ToJsonString() ?? "")];
            if (Array.Exists(names, name => name.Length == 0 || (IsNumber(name, out double number) && !(number > 0)))) return false;
            value = new NameList(names);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public override string Format(NameList value) => new JsonArray(
        [.. value.Names.Select(name => (JsonNode)(IsNumber(name, out double number) ? JsonValue.Create(number) : JsonValue.Create(name)))])
        .ToJsonString();

    /// <summary>Whether a text is a number, and which.</summary>
    public static bool IsNumber(string text, out double number) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number) && double.IsFinite(number);
}
