using System.Text.Json;

namespace StreamEm.House.Tests.Deployments.Shapes;

/// <summary>A dashboard of Grafana: the fields in use and their neighbours.</summary>
internal sealed record GrafanaDashboard(
    string Title, [property: Looks("[A-Za-z0-9_-]{1,40}")] string Uid, IReadOnlyList<string> Tags, int SchemaVersion, int Version,
    bool Editable, [property: Looks("[0-9]+[smhd]")] string Refresh, [property: OneOf("browser", "utc")] string Timezone, GrafanaRange Time,
    GrafanaTemplating Templating, IReadOnlyList<GrafanaPanel> Panels);

/// <summary>From when to when.</summary>
internal sealed record GrafanaRange(string From, string To);

/// <summary>Variables.</summary>
internal sealed record GrafanaTemplating(IReadOnlyList<GrafanaVariable> List);

/// <summary>One of them; its query is a text or an object by its type.</summary>
internal sealed record GrafanaVariable(
    [property: Looks("[a-z_]+")] string Name, [property: OneOf("datasource", "query")] string Type, JsonElement Query, string? Label = null,
    GrafanaSourceReference? Datasource = null, bool? IncludeAll = null, bool? Multi = null, GrafanaChoice? Current = null,
    int? Refresh = null);

/// <summary>What is chosen.</summary>
internal sealed record GrafanaChoice(string Text, string Value);

/// <summary>Where a panel's numbers are from.</summary>
internal sealed record GrafanaSourceReference([property: OneOf("prometheus")] string Type, [property: OneOf("${datasource}")] string Uid);

/// <summary>A panel, or the head of those that follow.</summary>
internal sealed record GrafanaPanel(
    int Id, [property: OneOf("row", "stat", "timeseries")] string Type, string Title, GrafanaPlace GridPos, string? Description = null,
    bool? Collapsed = null, IReadOnlyList<GrafanaPanel>? Panels = null, GrafanaSourceReference? Datasource = null,
    GrafanaFields? FieldConfig = null, GrafanaOptions? Options = null, IReadOnlyList<GrafanaTarget>? Targets = null);

/// <summary>In a grid of 24 columns.</summary>
internal sealed record GrafanaPlace(int H, int W, int X, int Y);

/// <summary>How values are shown.</summary>
internal sealed record GrafanaFields(GrafanaDefaults Defaults, IReadOnlyList<JsonElement> Overrides);

/// <summary>Units by Grafana's own names.</summary>
internal sealed record GrafanaDefaults(
    [property: OneOf("short", "s", "bytes", "percentunit", "ops", "reqps", "cps", "rps", "none", "recps", "decbytes", "dateTimeFromNow")]
    string Unit, GrafanaThresholds? Thresholds = null, double? Min = null, double? Max = null);

/// <summary>Colours from values on.</summary>
internal sealed record GrafanaThresholds(
    [property: OneOf("absolute", "percentage")] string Mode, IReadOnlyList<GrafanaStep> Steps);

/// <summary>The first step has no value.</summary>
internal sealed record GrafanaStep(string Color, double? Value);

/// <summary>Of stats and of series.</summary>
internal sealed record GrafanaOptions(
    [property: OneOf("auto", "value", "value_and_name", "name", "none")] string? TextMode = null, GrafanaLegend? Legend = null,
    GrafanaTooltip? Tooltip = null);

/// <summary>Where names are.</summary>
internal sealed record GrafanaLegend(
    [property: OneOf("list", "table", "hidden")] string DisplayMode, [property: OneOf("bottom", "right")] string Placement);

/// <summary>What the pointer shows.</summary>
internal sealed record GrafanaTooltip([property: OneOf("single", "multi", "none")] string Mode);

/// <summary>A question to Prometheus.</summary>
internal sealed record GrafanaTarget(
    [property: Looks("[A-Z]")] string RefId, string Expr, GrafanaSourceReference Datasource, string? LegendFormat = null,
    bool? Instant = null);
