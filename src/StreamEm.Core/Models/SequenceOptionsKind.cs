using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Nodes;
using StreamEm.Core.Data;
using StreamEm.Core.Settings;

namespace StreamEm.Core.Models;

/// <summary>
/// What the records of a key make: <c>{end: endless, lag: 10}</c> or <c>{end: whole, gap: 1h, max_length: 500}</c>; <c>whole</c> alone is
/// short for the first of its keys.
/// </summary>
internal sealed class SequenceOptionsKind : ValueKind<SequenceOptions>
{
    private static readonly Setting[] Settings =
    [
        new Setting<SequenceOptions, SequenceEnd>(
            "end", new ChoiceKind<SequenceEnd>(), o => o.End, (o, v) => o with { End = v }, "When a sequence is over."),
        new Setting<SequenceOptions, TimeSpan?>(
            "gap", new NullableKind<TimeSpan>(new DurationKind()), o => o.Gap, (o, v) => o with { Gap = v },
            "The most time between two records of a sequence."),
        new Setting<SequenceOptions, int?>(
            "max_length", new NullableKind<int>(new IntegerKind(1)), o => o.MaxLength, (o, v) => o with { MaxLength = v },
            "The most records of a sequence."),
        new Setting<SequenceOptions, string?>(
            "end_marker", new MarkerKind(), o => o.EndMarker, (o, v) => o with { EndMarker = v },
            "What holds of the last record of a sequence, as event == \"end\"."),
        new Setting<SequenceOptions, int>(
            "lag", new IntegerKind(0, 1_000_000), o => o.Lag, (o, v) => o with { Lag = v },
            "Records of a key that come before one is learned from, in their light."),
    ];

    /// <inheritdoc/>
    public override string Expected => "{end: endless, gap: null, max_length: null, end_marker: null, lag: 0}; end is endless or whole";

    /// <inheritdoc/>
    public override ValueForm Form => ValueForm.Structure;

    /// <summary>The setting <c>sequences</c>.</summary>
    public static Setting<TOptions, SequenceOptions> SettingOf<TOptions>(
        Func<TOptions, SequenceOptions> get, Func<TOptions, SequenceOptions, TOptions> set)
        where TOptions : class =>
        new("sequences", new SequenceOptionsKind(), get, set,
            "When the sequence of a key is over: end endless (never) or whole (with the data), at a gap in time, at a max_length, with an "
                + "end_marker; and how "
                + "many records endless ones are learned from behind (lag).");

    /// <inheritdoc/>
    public override bool TryParse(string? text, [MaybeNullWhen(false)] out SequenceOptions value) => Parse(text, out value) is null;

    /// <inheritdoc/>
    public override string? Problem(string text) => Parse(text, out _);

    /// <inheritdoc/>
    public override string Format(SequenceOptions value)
    {
        var written = new JsonObject();
        foreach (Setting setting in Settings)
        {
            string text = setting.Format(value);
            if (setting.Key != "end" && text == setting.Format(SequenceOptions.Default)) continue;
            written[setting.Key] = int.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out int number) ? number : text;
        }
        return written.ToJsonString();
    }

    private static string? Parse(string? text, out SequenceOptions value)
    {
        value = SequenceOptions.Default;
        if (text is null or "null") return null;
        JsonNode? node;
        try
        {
            node = JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            node = new JsonObject { ["end"] = text };
        }
        if (node is not JsonObject mapping) return "it is no mapping; expected keys end, gap, max_length, end_marker, lag";
        object options = value;
        foreach ((string key, JsonNode? found) in mapping)
        {
            if (key == "lag" && found is null) continue;
            string[] known = [.. Settings.Select(setting => setting.Key)];
            if (Array.Find(Settings, setting => setting.Key == key) is not { } setting)
                return $"unknown key '{key}'; known keys: {string.Join(", ", known)}{Spelling.Suggestion(key, known)}";
            string? shown = found is JsonValue scalar && scalar.GetValueKind() == JsonValueKind.String
                ? scalar.GetValue<string>()
                : found?.ToJsonString();
            if (!setting.TryRead(options, shown, out options))
                return shown is not null && setting.Problem(shown) is { } problem
                    ? $"{key}: {problem}"
                    : $"{key} is '{shown}'; expected {setting.Expected}{Spelling.Suggestion(shown ?? "", setting.Words)}";
        }
        value = (SequenceOptions)options;
        return value is { Lag: > 0, End: SequenceEnd.Whole }
            ? "lag is for endless sequences: a whole one is learned from in the light of all its records; leave lag out, or set "
                + "end: endless"
            : null;
    }
}
