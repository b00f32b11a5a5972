using System.Globalization;
using System.Text.Json;
using StreamEm.Core.Settings;
using StreamEm.Worker.Candidates;

namespace StreamEm.Worker.Configuration.Kinds;

/// <summary>Numbers of components: <c>1..8</c>, or <c>2,3,5</c>; in YAML a list as well.</summary>
internal sealed class ComponentNumbersKind : ValueKind<IReadOnlyList<int>>
{
    /// <inheritdoc/>
    public override string Expected => "numbers from 1 to 10000 such as 1..8 or 2,3,5 or [2, 3, 5]";

    /// <inheritdoc/>
    public override ValueForm Form => ValueForm.Structure;

    /// <inheritdoc/>
    public override bool TryParse(string? text, out IReadOnlyList<int> value) =>
        (value = Candidate.Parse(Joined(text ?? "")) ?? []).Count > 0;

    /// <inheritdoc/>
    public override string Format(IReadOnlyList<int> value) => value.Count > 1 && value[^1] - value[0] == value.Count - 1
        ? string.Create(CultureInfo.InvariantCulture, $"{value[0]}..{value[^1]}")
        : string.Join(",", value.Select(number => number.ToString(CultureInfo.InvariantCulture)));

    /// <summary>The items of a list with commas between; of a text the text.</summary>
    private static string Joined(string text)
    {
        if (!text.StartsWith('[')) return text;
        try
        {
            return string.Join(',', JsonSerializer.Deserialize<JsonElement[]>(text)!);
        }
        catch (JsonException)
        {
            return "";
        }
    }
}
