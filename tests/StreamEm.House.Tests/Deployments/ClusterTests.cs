using k8s.Models;
using StreamEm.House.Tests.Code;
using StreamEm.House.Tests.Deployments.Shapes;
using StreamEm.House.Tests.Support;
using StreamEm.Worker.Configuration;

namespace StreamEm.House.Tests.Deployments;

/// <summary>The objects of a cluster fit together, and each way in which they would not is noticed.</summary>
public sealed class ClusterTests
{
    private const string Set = "statefulset.yaml", Service = "service.yaml", Budget = "poddisruptionbudget.yaml", Map = "streamem.yaml",
        Policy = "networkpolicy.yaml", Monitor = "servicemonitor.yaml", Keda = "../keda/scaledobject.yaml";

    private const string Label = "app.kubernetes.io/name: streamem }";

    [Fact]
    public void Objects_FitTogether() => Violations.None(ClusterRules.Broken(new Cluster(new DeployedFiles().Objects())));

    [Fact]
    public void Kustomization_NamesEveryOtherFile()
    {
        IEnumerable<string> files = Repository.Files("deploy/kubernetes", "*.yaml").Select(file => Path.GetFileName(file));
        Assert.Equal(files.Where(file => file != "kustomization.yaml").Order(StringComparer.Ordinal),
            new DeployedFiles().The<Kustomization>("deploy/kubernetes/kustomization.yaml").Resources.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Pod_MayDoNothingItDoesNotNeed()
    {
        var cluster = new Cluster(new DeployedFiles().Objects());
        V1SecurityContext security = cluster.Container.SecurityContext;
        Assert.Equal((false, true), (cluster.Pod.AutomountServiceAccountToken, cluster.Pod.SecurityContext.RunAsNonRoot));
        Assert.Equal((false, true), (security.AllowPrivilegeEscalation, security.ReadOnlyRootFilesystem));
        Assert.Equal(["ALL"], security.Capabilities.Drop);
        Assert.Equal(1, cluster.Set.Spec.Replicas);
        Assert.True(cluster.Pod.TerminationGracePeriodSeconds > StreamEm.Worker.Hosting.WorkerHost.ShutdownDeadline.TotalSeconds);
    }

    [Theory]
    [InlineData("deploy/streamem.yaml")]
    [InlineData("deploy/streamem.scale.yaml")]
    [InlineData("deploy/debian/streamem.yaml")]
    [InlineData("deploy/kubernetes/streamem.yaml")]
    public void Configuration_OfADeployment_HasNoProblem(string file)
    {
        LoadedConfiguration loaded = file.StartsWith("deploy/kubernetes", StringComparison.Ordinal)
            ? new Cluster(new DeployedFiles().Objects()).Loaded()
            : ConfigurationLoader.Load([Repository.PathOf(file)], [], variable => variable == "STREAMEM_TOKEN" ? "t" : null);
        Violations.None(loaded.Problems.Select(problem => problem.ToString()));
        Assert.NotNull(loaded.Options);
    }

    [Theory]
    [InlineData(Set, "matchLabels: { " + Label, "matchLabels: { app.kubernetes.io/name: other }", "does not select its own pods")]
    [InlineData(Set, "serviceName: streamem", "serviceName: worker", "there is no such Service")]
    [InlineData(Set, "containerPort: 8080", "containerPort: 8081", "http.address 0.0.0.0:8080 is no port of the container")]
    [InlineData(Set, "path: /livez, port: http", "path: /livez, port: web", "livenessProbe: no port web")]
    [InlineData(Set, "path: /readyz", "path: /ready", "readinessProbe: no route answers /ready")]
    [InlineData(Set, "        - name: tmp\n", "        - name: temp\n", "there is no volume tmp")]
    [InlineData(Set, "            - { name: tmp, mountPath: /tmp }\n", "", "volume tmp is mounted nowhere")]
    [InlineData(Set, "mountPath: /tmp", "mountPath: /etc/streamem", "mountPath /etc/streamem is there twice")]
    [InlineData(Set, "configMap: { name: streamem }", "configMap: { name: streamem-map }", "there is no ConfigMap streamem-map")]
    [InlineData(Set, "secretName: streamem-token", "secretName: token", "there is no Secret token")]
    [InlineData(Set, "emptyDir: { sizeLimit: 64Mi }", "emptyDir:", "volume tmp is of nothing")]
    [InlineData(Set, "mountPath: /var/lib/streamem }", "mountPath: /data }", "is on no volume that is claimed")]
    [InlineData(Set, "mountPath: /etc/streamem,", "mountPath: /etc/worker,", "-c /etc/streamem/streamem.yaml: mounted is /etc/worker/")]
    [InlineData(Set, "memory: 256Mi", "memory: 2Gi", "more memory is requested than the limit allows")]
    [InlineData(Set, "\"--watch\"", "\"--wach\"", "there is no option --wach")]
    [InlineData(Set, "[\"run\"", "[\"start\"", "args: ")]
    [InlineData(Service, "selector: { " + Label, "selector: { app: streamem }", "Service streamem selects no pod")]
    [InlineData(Service, "targetPort: http", "targetPort: web", "Service streamem: no port web")]
    [InlineData(Service, "name: http", "name: web", "no Service has a port http")]
    [InlineData(Budget, "matchLabels: { " + Label, "matchLabels: { app: streamem }", "PodDisruptionBudget selects no pod")]
    [InlineData(Budget, "maxUnavailable: 1", "maxUnavailable: 1\n  minAvailable: 1", "either maxUnavailable or minAvailable")]
    [InlineData(Policy, "podSelector:\n    matchLabels: { " + Label, "podSelector:\n    matchLabels: { app: x }",
        "NetworkPolicy selects no pod")]
    [InlineData(Policy, "port: http", "port: web", "NetworkPolicy: no port web")]
    [InlineData(Monitor, "matchLabels: { " + Label, "matchLabels: { app: streamem }", "ServiceMonitor selects no Service")]
    [InlineData(Monitor, "/metrics", "/metric", "no route answers /metric")]
    [InlineData(Map, "  token: ", "  secret: ", "auth_token_file: mounted is /run/secrets/streamem/secret")]
    [InlineData(Keda, "kind: StatefulSet", "kind: Deployment", "there is no Deployment streamem of apps/v1")]
    [InlineData(Keda, "minReplicaCount: 1", "minReplicaCount: 9", "minReplicaCount is above maxReplicaCount")]
    [InlineData(Keda, "topic: flights", "topic: flight", "topic flight is not of the source")]
    [InlineData(Keda, "consumerGroup: streamem-flights", "consumerGroup: flights", "the source has no group flights")]
    [InlineData(Keda, "kafka:9092", "kafka:9093", "other brokers than the source's")]
    public void Mistake_BetweenObjects_IsFound(string file, string found, string instead, string said)
    {
        string name = file.StartsWith("../", StringComparison.Ordinal) ? $"deploy/{file[3..]}" : $"deploy/kubernetes/{file}";
        var cluster = new Cluster(new DeployedFiles().With(name, found, instead).Objects());

        Assert.Contains(ClusterRules.Broken(cluster), broken => broken.Contains(said, StringComparison.Ordinal));
    }
}
