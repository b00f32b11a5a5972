using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using StreamEm.Core.Models;
using StreamEm.Core.Settings;

namespace StreamEm.Core.Learning;

/// <summary><c>soft</c>, <c>hard</c>, <c>{annealed: {start, updates}}</c> or <c>{sparse: {active, refresh}}</c>.</summary>
public sealed class ResponsibilitiesKind : ValueKind<Responsibilities>
{
    private static readonly Setting[] Annealed =
    [
        new Setting<Responsibilities, double>(
            "start", new NumberKind(Interval.OpenClosed(0, 1)), o => o.Start, (o, v) => o with { Start = v }, "beta of the first update."),
        new Setting<Responsibilities, double>(
            "updates", new NumberKind(Interval.AtLeast(1)), o => o.Updates, (o, v) => o with { Updates = v },
            "After so many updates beta is 1."),
    ];

    private static readonly Setting[] Sparse =
    [
        new Setting<Responsibilities, int>(
            "active", new IntegerKind(1), o => o.Active, (o, v) => o with { Active = v }, "Components that may have a share in a record."),
        new Setting<Responsibilities, int>(
            "refresh", new IntegerKind(1), o => o.Refresh, (o, v) => o with { Refresh = v }, "Every such update all components may."),
    ];

    /// <inheritdoc/>
    public override string Expected => "soft, hard, {annealed: {start: 0.3, updates: 200}} or {sparse: {active: 8, refresh: 20}}";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Words => ["soft", "hard", "annealed", "sparse"];

    /// <inheritdoc/>
    public override ValueForm Form => ValueForm.Structure;

    /// <inheritdoc/>
    public override bool TryParse(string? text, [MaybeNullWhen(false)] out Responsibilities value) => Parse(text, out value) is null;

    /// <inheritdoc/>
    public override string? Problem(string text) => Parse(text, out _);

    /// <inheritdoc/>
    public override string Format(Responsibilities value)
    {
        string name = value.Kind.ToString().ToLowerInvariant();
        Setting[] settings = SettingsOf(value.Kind);
        if (settings.Length == 0) return name;
        var written = new JsonObject();
        foreach (Setting setting in settings)
            written[setting.Key] = double.Parse(setting.Format(value), CultureInfo.InvariantCulture);
        return new JsonObject { [name] = written }.ToJsonString();
    }

    private static Setting[] SettingsOf(ResponsibilityKind kind) => kind switch
    {
        ResponsibilityKind.Annealed => Annealed,
        ResponsibilityKind.Sparse => Sparse,
        _ => [],
    };

    private string? Parse(string? text, out Responsibilities? value)
    {
        value = null;
        JsonNode? node;
        try
        {
            node = JsonNode.Parse(text ?? "null");
        }
        catch (JsonException)
        {
            node = JsonValue.Create(text);
        }
        (string? name, JsonNode? written) = node switch
        {
            JsonObject { Count: 1 } mapping => (mapping.First().Key, mapping.First().Value),
            JsonValue scalar when scalar.GetValueKind() == JsonValueKind.String => (scalar.GetValue<string>(), null),
            _ => (null, null),
        };
        int kind = Words.ToList().IndexOf(name ?? "");
        if (kind < 0) return $"expected {Expected}{Spelling.Suggestion(name ?? "", Words)}";
        object options = new Responsibilities { Kind = (ResponsibilityKind)kind };
        Setting[] settings = SettingsOf((ResponsibilityKind)kind);
        if (written is not (null or JsonObject)) return $"{name} has no settings; expected a mapping";
        foreach ((string key, JsonNode? found) in (JsonObject?)written ?? [])
        {
            if (Array.Find(settings, setting => setting.Key == key) is not { } setting)
                return settings.Length == 0
                    ? $"{name} takes no '{key}'"
                    : $"unknown key '{key}' in {name}; known keys: {string.Join(", ", settings.Select(known => known.Key))}";
            string? shown = found is JsonValue scalar && scalar.GetValueKind() == JsonValueKind.String
                ? scalar.GetValue<string>()
                : found?.ToJsonString();
            if (!setting.TryRead(options, shown, out options)) return $"{name}.{key} is '{shown}'; expected {setting.Expected}";
        }
        value = (Responsibilities)options;
        return null;
    }
}
