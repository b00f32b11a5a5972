namespace StreamEm.House.Tests.Deployments;

/// <summary>What is deployed is what the programs that read it take, field by field.</summary>
public sealed class SchemaTests
{
    private const string Kubernetes = "deploy/kubernetes/", Keda = "deploy/keda/scaledobject.yaml", ComposeFile = "deploy/compose.yaml",
        Alerts = "deploy/prometheus/alerts.yaml", Scraped = "deploy/prometheus/prometheus.yaml", Board = "deploy/grafana/streamem.json",
        Source = "deploy/grafana/provisioning/datasources/prometheus.yaml", Folder = "deploy/grafana/provisioning/dashboards/streamem.yaml";

    public static TheoryData<string> Files => [.. DeployedFiles.Names];

    [Theory]
    [MemberData(nameof(Files))]
    public void File_IsWhatReadsItTakes(string file) => Assert.NotEmpty(new DeployedFiles().Read(file));

    [Theory]
    // Misspelled, or where it does not belong.
    [InlineData(Kubernetes + "statefulset.yaml", "volumeMounts:", "volumeMount:", "'volumeMount' could not be mapped")]
    [InlineData(Kubernetes + "statefulset.yaml", "automountServiceAccountToken: false", "replicas: 1", "'replicas' could not be mapped")]
    [InlineData(Kubernetes + "statefulset.yaml", "readOnlyRootFilesystem", "readonlyRootFilesystem", "'readonlyRootFilesystem' could not")]
    [InlineData(Kubernetes + "service.yaml", "targetPort", "target_port", "'target_port' could not be mapped")]
    [InlineData(Kubernetes + "networkpolicy.yaml", "policyTypes", "policyType", "'policyType' could not be mapped")]
    [InlineData(Kubernetes + "poddisruptionbudget.yaml", "maxUnavailable", "maxUnavailible", "'maxUnavailible' could not be mapped")]
    [InlineData(Kubernetes + "streamem.yaml", "stringData", "stringdata", "'stringdata' could not be mapped")]
    [InlineData(Kubernetes + "servicemonitor.yaml", "interval", "scrapeInterval", "'scrapeInterval' could not be mapped")]
    [InlineData(Kubernetes + "kustomization.yaml", "resources", "resource", "'resource' could not be mapped")]
    [InlineData(Keda, "cooldownPeriod", "coolDownPeriod", "'coolDownPeriod' could not be mapped")]
    [InlineData(Keda, "lagThreshold", "lagTreshold", "'lagTreshold' could not be mapped")]
    [InlineData(ComposeFile, "stop_grace_period", "stop_grace", "'stop_grace' could not be mapped")]
    [InlineData(Scraped, "static_configs", "static_config", "'static_config' could not be mapped")]
    [InlineData(Alerts, "for: 5m", "during: 5m", "'during' could not be mapped")]
    [InlineData(Source, "isDefault", "default", "'default' could not be mapped")]
    [InlineData(Folder, "path:", "folder:", "'folder' could not be mapped")]
    [InlineData(Board, "\"legendFormat\"", "\"legend\"", "'legend' could not be mapped")]
    // Twice.
    [InlineData(Kubernetes + "service.yaml", "  selector:", "  selector: {}\n  selector:", "Duplicate key")]
    // Of another type.
    [InlineData(Kubernetes + "statefulset.yaml", "replicas: 1", "replicas: \"1\"", "Path: $.spec.replicas")]
    [InlineData(Kubernetes + "statefulset.yaml", "runAsNonRoot: true", "runAsNonRoot: \"true\"", "Path: $.spec.template.spec.security")]
    [InlineData(Kubernetes + "statefulset.yaml", "args: [\"run\", ", "args: [1, ", "Path: $.spec.template.spec.containers[0].args[0]")]
    [InlineData(Kubernetes + "statefulset.yaml", "256Mi", "256Mx", "suffix")]
    [InlineData(Kubernetes + "networkpolicy.yaml", "streamem-client: \"true\"", "streamem-client: true", "matchLabels.streamem-client")]
    [InlineData(Keda, "\"100000\"", "100000", "Path: $.spec.triggers[0].metadata.lagThreshold")]
    [InlineData(Keda, "\"false\"", "no", "Path: $.spec.triggers[0].metadata.allowIdleConsumers")]
    [InlineData(Kubernetes + "servicemonitor.yaml", "endpoints:\n    - {", "endpoints:\n    {", "Path: $.spec.endpoints")]
    [InlineData(ComposeFile, "retries: 12", "retries: often", "Path: $.services.kafka.healthcheck.retries")]
    [InlineData(ComposeFile, "KAFKA_NODE_ID: \"1\"", "KAFKA_NODE_ID: [1]", "Path: $.services.kafka.environment.KAFKA_NODE_ID")]
    [InlineData(Board, "\"h\": 1,", "\"h\": \"1\",", "Path: $.panels[0].gridPos.h")]
    // A value that there is not.
    [InlineData(Kubernetes + "statefulset.yaml", "RuntimeDefault", "Default", "expected RuntimeDefault or Unconfined or Localhost")]
    [InlineData(Kubernetes + "statefulset.yaml", "ReadWriteOnce", "ReadWrite", "accessModes is 'ReadWrite', expected")]
    [InlineData(Kubernetes + "statefulset.yaml", "apps/v1", "apps/v2", "no type is known for apiVersion 'apps/v2'")]
    [InlineData(Kubernetes + "statefulset.yaml", "name: tmp", "name: Tmp", "name is 'Tmp', expected")]
    [InlineData(Kubernetes + "networkpolicy.yaml", "protocol: UDP", "protocol: udp", "protocol is 'udp', expected")]
    [InlineData(Kubernetes + "servicemonitor.yaml", "15s", "15 s", "interval is '15 s', expected")]
    [InlineData(Keda, "type: kafka", "type: apache-kafka", "type is 'apache-kafka', expected")]
    [InlineData(ComposeFile, "service_healthy", "healthy", "condition is 'healthy', expected")]
    [InlineData(ComposeFile, "unless-stopped", "unless_stopped", "restart is 'unless_stopped', expected")]
    [InlineData(ComposeFile, "127.0.0.1:9090:9090", "127.0.0.1:9090:web", "ports is '127.0.0.1:9090:web', expected")]
    [InlineData(Alerts, "severity: critical", "severity: fatal", "severity is 'fatal', expected")]
    [InlineData(Scraped, "5s", "5", "Path: $.global.scrape_interval")]
    [InlineData(Board, "\"timeseries\"", "\"time series\"", "type is 'time series', expected")]
    // Absent.
    [InlineData(Kubernetes + "statefulset.yaml", "          image: streamem\n", "", "image has to be there")]
    [InlineData(Kubernetes + "statefulset.yaml", ", mountPath: /tmp", "", "mountPath has to be there")]
    [InlineData(Keda, "consumerGroup: streamem-flights", "version: 1.0.0", "consumerGroup")]
    [InlineData(ComposeFile, "      context: ..\n", "", "context")]
    public void Mistake_InAFile_IsFound(string file, string found, string instead, string said)
    {
        DeployedFiles files = new DeployedFiles().With(file, found, instead);

        Assert.Contains(said, Assert.Throws<FormatException>(() => files.Read(file)).Message, StringComparison.Ordinal);
    }
}
