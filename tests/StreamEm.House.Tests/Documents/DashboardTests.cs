using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using StreamEm.House.Tests.Code;
using StreamEm.House.Tests.Support;

namespace StreamEm.House.Tests.Documents;

/// <summary>Dashboards, alerts and documents name metrics that there are.</summary>
public sealed partial class DashboardTests
{
    private const string Dashboard = "deploy/grafana/streamem.json", Alerts = "deploy/prometheus/alerts.yaml";

    /// <summary>What the metrics library says of a process.</summary>
    private static readonly string[] OfTheLibrary =
    [
        "process_cpu_seconds_total", "process_working_set_bytes", "process_start_time_seconds", "dotnet_total_memory_bytes",
        "dotnet_collection_count_total",
    ];

    public static TheoryData<string> Files => [Dashboard, Alerts, .. Markdown.Files];

    [Theory]
    [MemberData(nameof(Files))]
    public void Metrics_NamedInAFile_AreTold(string file)
    {
        string[] known = [.. OfTheLibrary, .. Told()];
        string[] series = [.. known, .. known.SelectMany(name => new[] { $"{name}_bucket", $"{name}_sum", $"{name}_count" })];
        Violations.None(Name().Matches(Repository.Read(file)).Select(match => match.Value).Distinct(StringComparer.Ordinal)
            .Where(name => !name.EndsWith('_')).Except(series, StringComparer.Ordinal)
            .Select(name => $"{file}: there is no metric {name}"));
    }

    [Fact]
    public void Dashboard_HasPanelsThatEachAskSomething()
    {
        using var dashboard = JsonDocument.Parse(Repository.Read(Dashboard));
        JsonElement[] panels = [.. dashboard.RootElement.GetProperty("panels").EnumerateArray()
            .Where(panel => panel.GetProperty("type").GetString() != "row")];
        Assert.NotEmpty(panels);
        Violations.None(panels.Where(panel => !panel.GetProperty("targets").EnumerateArray()
            .All(target => Name().IsMatch(target.GetProperty("expr").GetString()!)))
            .Select(panel => $"panel '{panel.GetProperty("title").GetString()}' asks for no metric of the worker"));
        Assert.Equal(panels.Length, panels.Select(panel => panel.GetProperty("id").GetInt32()).Distinct().Count());
    }

    [Fact]
    public async Task Alerts_PassPromtool()
    {
        Assert.SkipUnless(Promtool.IsThere, Promtool.Missing);
        (int code, string output) = await Promtool.Run("", "check", "rules", Repository.PathOf(Alerts));
        Assert.True(code == 0, output);
    }

    /// <summary>Names of metrics as the code has them: texts that are one.</summary>
    private static IEnumerable<string> Told() => Repository.Files("src/StreamEm.Worker", "*.cs")
        .SelectMany(file => CodeBase.Parse(file).GetRoot().DescendantNodes().OfType<LiteralExpressionSyntax>())
        .Where(literal => literal.IsKind(SyntaxKind.StringLiteralExpression)).Select(literal => literal.Token.ValueText)
        .Where(text => Name().Match(text) is { Success: true } match && match.Length == text.Length);

    [GeneratedRegex("\\b(streamem|http_server|process|dotnet)_[a-z][a-z_]*\\b", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Name();
}
