using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace StreamEm.Core.Features;

/// <summary>
/// A derived feature as an object, <c>{"name": "dx", "difference": "x", "steps": 1}</c>: as configurations and snapshots have it.
/// </summary>
public static class DerivedFeatureJson
{
    private const string NameKey = "name", StepsKey = "steps", WindowKey = "window", OffsetKey = "offset", TimeZoneKey = "time_zone";

    /// <summary>The most records back, and the most values of a window: what is remembered of every key.</summary>
    private const int MostRemembered = 10_000;

    private static readonly FeatureFormula[] Formulas = Enum.GetValues<FeatureFormula>();

    /// <summary>The words of the formulas.</summary>
    public static IReadOnlyList<string> Words => [.. Formulas.Select(WordOf)];

    /// <summary>The keys it may have.</summary>
    public static IReadOnlyList<string> Keys => [NameKey, .. Words, StepsKey, WindowKey, OffsetKey, TimeZoneKey];

    /// <summary>The word of a formula.</summary>
    public static string WordOf(FeatureFormula formula) => JsonNamingPolicy.SnakeCaseLower.ConvertName(formula.ToString());

    /// <summary>Writes it, with everything that counts and nothing else.</summary>
    public static void Write(Utf8JsonWriter json, DerivedFeature feature)
    {
        json.WriteStartObject();
        json.WriteString(NameKey, feature.Name);
        json.WriteString(WordOf(feature.Formula), feature.Source);
        switch (OptionOf(feature.Formula))
        {
            case StepsKey:
                json.WriteNumber(StepsKey, feature.Steps);
                break;
            case WindowKey:
                json.WriteNumber(WindowKey, feature.Window);
                break;
            case OffsetKey:
                json.WriteNumber(OffsetKey, feature.Offset);
                break;
            default:
                json.WriteString(TimeZoneKey, feature.TimeZone);
                break;
        }
        json.WriteEndObject();
    }

    /// <summary>Its canonical text: what <see cref="Write"/> writes.</summary>
    public static string TextOf(DerivedFeature feature)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer)) Write(json, feature);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>Reads it; numbers may be texts, and keys that it does not have are left to the caller.</summary>
    /// <param name="element">An object.</param>
    /// <param name="problem">What was found and expected, for a person; empty when all is well.</param>
    /// <returns>Null, and a problem, when it is none.</returns>
    public static DerivedFeature? Read(JsonElement element, out string problem)
    {
        FeatureFormula[] named = [.. Formulas.Where(formula => element.TryGetProperty(WordOf(formula), out _))];
        problem = "";
        if (named.Length != 1)
            problem = $"says {(named.Length == 0 ? "no way" : "several ways")} to make a feature; expected one of "
                + string.Join(", ", Words);
        else if (TextOf(element, NameKey) is not { Length: > 0 }) problem = "has no 'name'; expected the name that the feature shall have";
        else if (TextOf(element, WordOf(named[0])) is not { Length: > 0 })
            problem = $"has no field in '{WordOf(named[0])}'; expected the name of the field that the feature is made of";
        if (problem.Length > 0) return null;
        string option = OptionOf(named[0]);
        foreach (string other in (string[])[StepsKey, WindowKey, OffsetKey, TimeZoneKey])
            if (other != option && element.TryGetProperty(other, out _))
                problem = $"has '{other}', which {WordOf(named[0])} does not; it has '{option}'";
        var feature = new DerivedFeature(TextOf(element, NameKey)!, named[0], TextOf(element, WordOf(named[0]))!);
        if (problem.Length > 0 || TextOf(element, option) is not { } text) return problem.Length > 0 ? null : feature;
        if (WithOption(feature, option, text) is { } complete) return complete;
        problem = $"has '{option}: {text}'; expected " + option switch
        {
            StepsKey => $"an integer from 1 to {MostRemembered}",
            WindowKey => $"an integer from 2 to {MostRemembered}",
            OffsetKey => "a number",
            _ => "the IANA name of a time zone that this machine knows, such as Europe/Berlin",
        };
        return null;
    }

    private static DerivedFeature? WithOption(DerivedFeature feature, string option, string text)
    {
        bool isWhole = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int whole) && whole <= MostRemembered;
        return option switch
        {
            StepsKey => isWhole && whole >= 1 ? feature with { Steps = whole } : null,
            WindowKey => isWhole && whole >= 2 ? feature with { Window = whole } : null,
            OffsetKey => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double offset)
                && double.IsFinite(offset) ? feature with { Offset = offset } : null,
            _ => LocalClock.Find(text) is null ? null : feature with { TimeZone = text },
        };
    }

    /// <summary>The one thing that a formula can be told.</summary>
    private static string OptionOf(FeatureFormula formula) => formula switch
    {
        FeatureFormula.Lag or FeatureFormula.Difference or FeatureFormula.Rate => StepsKey,
        FeatureFormula.RollingMean or FeatureFormula.RollingDeviation => WindowKey,
        FeatureFormula.Log => OffsetKey,
        _ => TimeZoneKey,
    };

    private static string? TextOf(JsonElement element, string key) => element.TryGetProperty(key, out JsonElement value)
        ? value.ValueKind switch
        {
            JsonValueKind.String => value.GetString(),
            JsonValueKind.Number => value.GetRawText(),
            _ => null,
        }
        : null;
}
