using k8s.Models;

namespace StreamEm.House.Tests.Deployments.Shapes;

/// <summary>A file of resources: <c>kustomize.config.k8s.io/v1beta1</c>.</summary>
internal sealed record Kustomization(
    [property: OneOf("kustomize.config.k8s.io/v1beta1")] string ApiVersion, [property: OneOf("Kustomization")] string Kind,
    IReadOnlyList<string> Resources, string? Namespace = null, string? NamePrefix = null, string? NameSuffix = null,
    IReadOnlyList<ImageChange>? Images = null);

/// <summary>Another name, tag or digest of an image.</summary>
internal sealed record ImageChange(string Name, string? NewName = null, string? NewTag = null, string? Digest = null);

/// <summary>What the Prometheus operator scrapes: <c>monitoring.coreos.com/v1</c>, the fields in use and their neighbours.</summary>
internal sealed record ServiceMonitor(
    [property: OneOf("monitoring.coreos.com/v1")] string ApiVersion, [property: OneOf("ServiceMonitor")] string Kind,
    V1ObjectMeta Metadata, ServiceMonitorSpec Spec);

/// <summary>Which services, and what of them.</summary>
internal sealed record ServiceMonitorSpec(
    V1LabelSelector Selector, IReadOnlyList<MonitoredEndpoint> Endpoints, MonitoredNamespaces? NamespaceSelector = null,
    string? JobLabel = null, IReadOnlyList<string>? TargetLabels = null, IReadOnlyList<string>? PodTargetLabels = null,
    long? SampleLimit = null);

/// <summary>The namespaces of services.</summary>
internal sealed record MonitoredNamespaces(bool? Any = null, IReadOnlyList<string>? MatchNames = null);

/// <summary>A port of a service, by its name.</summary>
internal sealed record MonitoredEndpoint(
    string? Port = null, IntOrString? TargetPort = null, [property: Looks("/.*")] string? Path = null,
    [property: OneOf("http", "https", "HTTP", "HTTPS")] string? Scheme = null,
    [property: Looks(Durations.Prometheus)] string? Interval = null, [property: Looks(Durations.Prometheus)] string? ScrapeTimeout = null,
    bool? HonorLabels = null, bool? HonorTimestamps = null, bool? FollowRedirects = null);

/// <summary>What KEDA scales: <c>keda.sh/v1alpha1</c>.</summary>
internal sealed record ScaledObject(
    [property: OneOf("keda.sh/v1alpha1")] string ApiVersion, [property: OneOf("ScaledObject")] string Kind, V1ObjectMeta Metadata,
    ScaledObjectSpec Spec);

/// <summary>What is scaled, between which numbers, by what.</summary>
internal sealed record ScaledObjectSpec(
    ScaleTarget ScaleTargetRef, IReadOnlyList<ScaleTrigger> Triggers, int? PollingInterval = null, int? CooldownPeriod = null,
    int? InitialCooldownPeriod = null, int? IdleReplicaCount = null, int? MinReplicaCount = null, int? MaxReplicaCount = null,
    ScaleFallback? Fallback = null);

/// <summary>A Deployment where nothing else is said.</summary>
internal sealed record ScaleTarget(
    string Name, string? ApiVersion = null, string? Kind = null, string? EnvSourceContainerName = null);

/// <summary>How many when the trigger cannot be asked.</summary>
internal sealed record ScaleFallback(int FailureThreshold, int Replicas);

/// <summary>A trigger: the one for Kafka is known here.</summary>
internal sealed record ScaleTrigger(
    [property: OneOf("kafka")] string Type, KafkaTrigger Metadata, string? Name = null, bool? UseCachedMetrics = null,
    [property: OneOf("AverageValue", "Value")] string? MetricType = null, TriggerAuthentication? AuthenticationRef = null);

/// <summary>Where secrets of a trigger are.</summary>
internal sealed record TriggerAuthentication(
    string Name, [property: OneOf("TriggerAuthentication", "ClusterTriggerAuthentication")] string? Kind = null);

/// <summary>Lag of a group. All values are texts.</summary>
internal sealed record KafkaTrigger(
    string BootstrapServers, string ConsumerGroup, string? Topic = null, [property: Looks("[1-9][0-9]*")] string? LagThreshold = null,
    [property: Looks("[0-9]+")] string? ActivationLagThreshold = null,
    [property: OneOf("latest", "earliest")] string? OffsetResetPolicy = null,
    [property: OneOf("true", "false")] string? AllowIdleConsumers = null,
    [property: OneOf("true", "false")] string? ScaleToZeroOnInvalidOffset = null,
    [property: OneOf("true", "false")] string? ExcludePersistentLag = null,
    [property: OneOf("true", "false")] string? LimitToPartitionsWithLag = null,
    string? PartitionLimitation = null, [property: OneOf("none", "plaintext", "scram_sha256", "scram_sha512", "gssapi", "oauthbearer")]
    string? Sasl = null, [property: OneOf("enable", "disable")] string? Tls = null, string? Version = null);

/// <summary>How lengths of time are written.</summary>
internal static class Durations
{
    public const string Prometheus = "([0-9]+y)?([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?(?<!^)";

    public const string Compose = "([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?([0-9]+us)?(?<!^)";
}
