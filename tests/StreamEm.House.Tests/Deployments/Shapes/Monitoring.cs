namespace StreamEm.House.Tests.Deployments.Shapes;

/// <summary>What Prometheus is started with: the fields in use and their neighbours.</summary>
internal sealed record PrometheusConfiguration(
    IReadOnlyList<ScrapeJob> ScrapeConfigs, PrometheusGlobal? Global = null, IReadOnlyList<string>? RuleFiles = null);

/// <summary>What holds for all jobs.</summary>
internal sealed record PrometheusGlobal(
    [property: Looks(Durations.Prometheus)] string? ScrapeInterval = null,
    [property: Looks(Durations.Prometheus)] string? ScrapeTimeout = null,
    [property: Looks(Durations.Prometheus)] string? EvaluationInterval = null, IReadOnlyDictionary<string, string>? ExternalLabels = null);

/// <summary>Who is scraped.</summary>
internal sealed record ScrapeJob(
    string JobName, IReadOnlyList<StaticTargets>? StaticConfigs = null, IReadOnlyList<DnsNames>? DnsSdConfigs = null,
    [property: Looks("/.*")] string? MetricsPath = null, [property: OneOf("http", "https")] string? Scheme = null,
    [property: Looks(Durations.Prometheus)] string? ScrapeInterval = null,
    [property: Looks(Durations.Prometheus)] string? ScrapeTimeout = null);

/// <summary>Hosts with ports.</summary>
internal sealed record StaticTargets(
    [property: Looks("[a-z0-9.-]+:[0-9]+")] IReadOnlyList<string> Targets, IReadOnlyDictionary<string, string>? Labels = null);

/// <summary>Names that stand for hosts.</summary>
internal sealed record DnsNames(
    IReadOnlyList<string> Names, int Port, [property: OneOf("A", "AAAA", "SRV")] string? Type = null,
    [property: Looks(Durations.Prometheus)] string? RefreshInterval = null);

/// <summary>A file of rules.</summary>
internal sealed record RuleFile(IReadOnlyList<RuleGroup> Groups);

/// <summary>Rules that are looked at together.</summary>
internal sealed record RuleGroup(
    string Name, IReadOnlyList<AlertRule> Rules, [property: Looks(Durations.Prometheus)] string? Interval = null, int? Limit = null);

/// <summary>An alert.</summary>
internal sealed record AlertRule(
    [property: Looks("[A-Za-z][A-Za-z0-9]*")] string Alert, string Expr, AlertLabels Labels, AlertAnnotations Annotations,
    [property: Looks(Durations.Prometheus)] string? For = null, [property: Looks(Durations.Prometheus)] string? KeepFiringFor = null);

/// <summary>Labels of our alerts.</summary>
internal sealed record AlertLabels([property: OneOf("critical", "warning", "info")] string Severity);

/// <summary>Texts of our alerts.</summary>
internal sealed record AlertAnnotations(string Summary, string? Description = null);

/// <summary>Data sources that Grafana is started with.</summary>
internal sealed record GrafanaSources(int ApiVersion, IReadOnlyList<GrafanaSource> Datasources);

/// <summary>One of them.</summary>
internal sealed record GrafanaSource(
    string Name, [property: OneOf("prometheus")] string Type, [property: OneOf("proxy", "direct")] string? Access = null,
    string? Uid = null, [property: Looks("https?://[^/]+")] string? Url = null, bool? IsDefault = null, bool? Editable = null);

/// <summary>Folders of dashboards that Grafana is started with.</summary>
internal sealed record GrafanaProviders(int ApiVersion, IReadOnlyList<GrafanaProvider> Providers);

/// <summary>One of them.</summary>
internal sealed record GrafanaProvider(
    string Name, [property: OneOf("file")] string Type, GrafanaFolder Options, string? Folder = null, bool? DisableDeletion = null,
    bool? AllowUiUpdates = null);

/// <summary>Where it is.</summary>
internal sealed record GrafanaFolder([property: Looks("/.*")] string Path);
