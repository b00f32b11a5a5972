using System.Text.Json;
using System.Text.Json.Nodes;
using k8s.Models;
using StreamEm.House.Tests.Code;
using StreamEm.House.Tests.Deployments.Shapes;

namespace StreamEm.House.Tests.Deployments;

/// <summary>
/// The files under <c>deploy</c> that other programs read, each with the type of what is in it; one may be changed for a test.
/// </summary>
internal sealed class DeployedFiles
{
    private static readonly Dictionary<string, Type> Types = new(StringComparer.Ordinal)
    {
        ["deploy/compose.yaml"] = typeof(Compose),
        ["deploy/compose.scale.yaml"] = typeof(Compose),
        ["deploy/prometheus/prometheus.yaml"] = typeof(PrometheusConfiguration),
        ["deploy/prometheus/prometheus.scale.yaml"] = typeof(PrometheusConfiguration),
        ["deploy/prometheus/alerts.yaml"] = typeof(RuleFile),
        ["deploy/grafana/streamem.json"] = typeof(GrafanaDashboard),
        ["deploy/grafana/provisioning/datasources/prometheus.yaml"] = typeof(GrafanaSources),
        ["deploy/grafana/provisioning/dashboards/streamem.yaml"] = typeof(GrafanaProviders),
    };

    private static readonly Dictionary<(string ApiVersion, string Kind), Type> Kinds = new()
    {
        [("apps/v1", "StatefulSet")] = typeof(V1StatefulSet),
        [("v1", "Service")] = typeof(V1Service),
        [("v1", "ConfigMap")] = typeof(V1ConfigMap),
        [("v1", "Secret")] = typeof(V1Secret),
        [("policy/v1", "PodDisruptionBudget")] = typeof(V1PodDisruptionBudget),
        [("networking.k8s.io/v1", "NetworkPolicy")] = typeof(V1NetworkPolicy),
        [("kustomize.config.k8s.io/v1beta1", "Kustomization")] = typeof(Kustomization),
        [("monitoring.coreos.com/v1", "ServiceMonitor")] = typeof(ServiceMonitor),
        [("keda.sh/v1alpha1", "ScaledObject")] = typeof(ScaledObject),
    };

    private readonly Dictionary<string, string> _changed = new(StringComparer.Ordinal);

    /// <summary>All but the worker's own configurations, which <c>streamem validate</c> knows.</summary>
    public static string[] Names { get; } =
    [
        .. Repository.Files("deploy", "*.yaml")
            .Where(file => file is not ("deploy/streamem.yaml" or "deploy/streamem.scale.yaml" or "deploy/debian/streamem.yaml")),
        .. Repository.Files("deploy", "*.json"),
    ];

    /// <summary>The same with a text of a file replaced, wherever it is.</summary>
    public DeployedFiles With(string file, string found, string instead)
    {
        string text = Repository.Read(file);
        Assert.Contains(found, text, StringComparison.Ordinal);
        _changed[file] = text.Replace(found, instead, StringComparison.Ordinal);
        return this;
    }

    /// <summary>What is in a file.</summary>
    /// <exception cref="FormatException">It is not what its type says.</exception>
    public IReadOnlyList<object> Read(string file)
    {
        JsonNode?[] documents;
        try
        {
            documents = StrictYaml.Documents(_changed.GetValueOrDefault(file) ?? Repository.Read(file));
        }
        catch (YamlDotNet.Core.YamlException wrong)
        {
            throw new FormatException(wrong.Message, wrong);
        }

        bool isSnake = file.StartsWith("deploy/compose.", StringComparison.Ordinal)
            || file.StartsWith("deploy/prometheus", StringComparison.Ordinal);
        JsonSerializerOptions options = isSnake ? StrictYaml.Snake : StrictYaml.Camel;
        return [.. documents.Select(document => StrictYaml.Read(document, TypeOf(file, document), options))];
    }

    /// <summary>The only one of its type.</summary>
    public T The<T>(string file) => (T)Read(file).Single();

    /// <summary>All that a cluster is given.</summary>
    public object[] Objects() => [.. Names.Where(file => !Types.ContainsKey(file)).SelectMany(Read)];

    private static Type TypeOf(string file, JsonNode? document)
    {
        if (Types.TryGetValue(file, out Type? type)) return type;
        (string? version, string? kind) = ((string?)document?["apiVersion"], (string?)document?["kind"]);
        return Kinds.GetValueOrDefault((version ?? "", kind ?? "")) ?? throw new FormatException(
            $"{file}: no type is known for apiVersion '{version}' and kind '{kind}'");
    }
}
