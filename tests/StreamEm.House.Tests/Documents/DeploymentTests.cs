using System.Globalization;
using System.Text.RegularExpressions;
using StreamEm.House.Tests.Code;
using StreamEm.House.Tests.Support;
using StreamEm.Worker.Configuration;
using YamlDotNet.RepresentationModel;

namespace StreamEm.House.Tests.Documents;

/// <summary>What is deployed fits together: names, ports, paths of probes and volumes, and the configuration inside.</summary>
public sealed partial class DeploymentTests
{
    private const string Folder = "deploy/kubernetes";

    private static readonly YamlMappingNode[] Objects = [.. Repository.Files(Folder, "*.yaml").SelectMany(Documents)];

    public static TheoryData<string> YamlFiles => [.. Repository.Files("deploy", "*.yaml")];

    [Theory]
    [MemberData(nameof(YamlFiles))]
    public void File_OfADeployment_IsYaml(string file) => Assert.NotEmpty(Documents(file));

    [Fact]
    public void Kustomization_NamesEveryOtherFile()
    {
        YamlMappingNode kustomization = Of("Kustomization");
        string[] files = [.. Repository.Files(Folder, "*.yaml").Select(Path.GetFileName).OfType<string>()
            .Where(file => file != "kustomization.yaml")];
        Assert.Equal(files.Order(StringComparer.Ordinal), Texts(kustomization, "resources").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Probes_AndMetrics_AskPathsThatTheWorkerAnswers()
    {
        string routes = string.Concat(Repository.Files("src/StreamEm.Worker/Api", "*.cs").Select(Repository.Read));
        string[] asked = [.. Regex.Matches(string.Concat(Repository.Files("deploy", "*.yaml").Select(Repository.Read)),
            "path: (?<path>/[a-z]+)\\b", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1))
            .Select(match => match.Groups["path"].Value).Distinct()];
        Assert.Contains("/readyz", asked);
        Violations.None(asked.Where(path => path is not "/var" && !routes.Contains($"\"{path}\"", StringComparison.Ordinal))
            .Select(path => $"no route answers {path}"));
    }

    [Fact]
    public void Ports_AreNamedAsTheContainerNamesThem()
    {
        YamlMappingNode container = Container();
        string port = Text(Item(container, "ports"), "name");
        Assert.Equal("http", port);
        Assert.Equal(port, Text(Item(Map(Of("Service"), "spec"), "ports"), "targetPort"));
        Assert.Equal(port, Text(Item(Map(Of("Service"), "spec"), "ports"), "name"));
        Assert.Equal(port, Text(Item(Map(Of("ServiceMonitor"), "spec"), "endpoints"), "port"));
        string number = Text(Item(container, "ports"), "containerPort");
        Assert.EndsWith($":{number}", Configuration().Http.Address, StringComparison.Ordinal);
        Assert.All(["startupProbe", "livenessProbe", "readinessProbe"],
            probe => Assert.Equal(port, Text(Map(Map(container, probe), "httpGet"), "port")));
    }

    [Fact]
    public void Selectors_ChooseThePodsOfTheStatefulSet()
    {
        YamlMappingNode set = Map(Of("StatefulSet"), "spec");
        string labels = Labels(Map(Map(set, "template"), "metadata"), "labels");
        Assert.Equal(labels, Labels(Map(set, "selector"), "matchLabels"));
        Assert.Equal(labels, Labels(Map(Of("Service"), "spec"), "selector"));
        Assert.Equal(labels, Labels(Map(Map(Of("PodDisruptionBudget"), "spec"), "selector"), "matchLabels"));
        Assert.Equal(labels, Labels(Map(Map(Of("NetworkPolicy"), "spec"), "podSelector"), "matchLabels"));
        Assert.Equal(labels, Labels(Map(Map(Of("ServiceMonitor"), "spec"), "selector"), "matchLabels"));
        Assert.Equal(labels, Labels(Map(Of("Service"), "metadata"), "labels"));
        Assert.Equal(Text(Map(Of("Service"), "metadata"), "name"), Text(set, "serviceName"));
    }

    [Fact]
    public void Volumes_OfTheContainer_AreThereAndHoldTheState()
    {
        YamlMappingNode set = Map(Of("StatefulSet"), "spec"), pod = Map(Map(set, "template"), "spec");
        string[] there = [.. Items(pod, "volumes").Select(volume => Text(volume, "name")),
            .. Items(set, "volumeClaimTemplates").Select(claim => Text(Map(claim, "metadata"), "name"))];
        var mounts = Items(Container(), "volumeMounts").ToDictionary(mount => Text(mount, "name"), mount => Text(mount, "mountPath"));
        Assert.Equal(there.Order(StringComparer.Ordinal), mounts.Keys.Order(StringComparer.Ordinal));
        Assert.StartsWith(mounts["state"], Configuration().StateDirectory, StringComparison.Ordinal);
        Assert.StartsWith($"{mounts["configuration"]}/", Texts(Container(), "args")[2], StringComparison.Ordinal);
        Assert.Contains(Text(Map(Objects.First(one => Text(one, "kind") == "ConfigMap"), "metadata"), "name"),
            Items(pod, "volumes").Select(volume => volume.Children.TryGetValue("configMap", out YamlNode? map)
                ? Text((YamlMappingNode)map, "name") : ""));
        Assert.Contains(Text(Map(Of("Secret"), "metadata"), "name"),
            Items(pod, "volumes").Select(volume => volume.Children.TryGetValue("secret", out YamlNode? secret)
                ? Text((YamlMappingNode)secret, "secretName") : ""));
    }

    [Fact]
    public void ScaledObject_ScalesTheStatefulSetByTheLagOfItsGroup()
    {
        YamlMappingNode spec = Map(Documents("deploy/keda/scaledobject.yaml").Single(), "spec"), target = Map(spec, "scaleTargetRef");
        YamlMappingNode trigger = Map(Item(spec, "triggers"), "metadata");
        var source = Assert.IsType<StreamEm.Sources.Kafka.KafkaSourceOptions>(Configuration().Models[0].Source);
        Assert.Equal(("StatefulSet", Text(Map(Of("StatefulSet"), "metadata"), "name")), (Text(target, "kind"), Text(target, "name")));
        Assert.Equal(source.Brokers, [Text(trigger, "bootstrapServers")]);
        Assert.Equal((source.Topics[0], source.GroupId), (Text(trigger, "topic"), Text(trigger, "consumerGroup")));
    }

    [Fact]
    public void Pod_MayDoNothingItDoesNotNeed()
    {
        YamlMappingNode pod = Map(Map(Map(Of("StatefulSet"), "spec"), "template"), "spec"), security = Map(Container(), "securityContext");
        Assert.Equal("false", Text(pod, "automountServiceAccountToken"));
        Assert.Equal("true", Text(Map(pod, "securityContext"), "runAsNonRoot"));
        Assert.Equal(("false", "true"), (Text(security, "allowPrivilegeEscalation"), Text(security, "readOnlyRootFilesystem")));
        Assert.Equal(["ALL"], Texts(Map(security, "capabilities"), "drop"));
        Assert.Equal("1", Text(Map(Of("StatefulSet"), "spec"), "replicas"));
        int grace = int.Parse(Text(pod, "terminationGracePeriodSeconds"), CultureInfo.InvariantCulture);
        Assert.True(grace > StreamEm.Worker.Hosting.WorkerHost.ShutdownDeadline.TotalSeconds, $"{grace} s are too short to stop in order");
    }

    [Fact]
    public void Compose_MountsFilesThatAreThere()
    {
        string compose = Repository.Read("deploy/compose.yaml");
        Violations.None(Mount().Matches(compose).Select(match => match.Groups["path"].Value)
            .Where(path => !Path.Exists(Path.Combine(Repository.PathOf("deploy"), path))).Select(path => $"deploy/{path} is not there"));
        YamlMappingNode services = Map(Documents("deploy/compose.yaml").Single(), "services");
        string[] names = [.. services.Children.Keys.Select(key => key.ToString())];
        foreach (string host in (string[])["worker", "prometheus", "kafka", "grafana"]) Assert.Contains(host, names);
        Assert.Contains("worker:8080", Repository.Read("deploy/prometheus/prometheus.yaml"), StringComparison.Ordinal);
        Assert.Contains("http://prometheus:9090", Repository.Read("deploy/grafana/provisioning/datasources/prometheus.yaml"),
            StringComparison.Ordinal);
    }

    private static StreamEm.Worker.Hosting.WorkerOptions Configuration()
    {
        string yaml = Text(Map(Of("ConfigMap"), "data"), "streamem.yaml").Replace(
            "auth_token_file: /run/secrets/streamem/token", "auth_token: t", StringComparison.Ordinal);
        LoadedConfiguration loaded = ConfigurationLoader.LoadText(yaml, [], []);
        Violations.None(loaded.Problems.Select(problem => problem.ToString()));
        return loaded.Options!;
    }

    private static YamlMappingNode[] Documents(string file)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(Repository.Read(file)));
        return [.. stream.Documents.Select(document => (YamlMappingNode)document.RootNode)];
    }

    private static YamlMappingNode Of(string kind) => Objects.Single(one => Text(one, "kind") == kind);

    private static YamlMappingNode Container() =>
        Item(Map(Map(Map(Of("StatefulSet"), "spec"), "template"), "spec"), "containers");

    private static YamlMappingNode Map(YamlMappingNode node, string key) => (YamlMappingNode)node.Children[key];

    private static YamlMappingNode[] Items(YamlMappingNode node, string key) =>
        [.. ((YamlSequenceNode)node.Children[key]).Children.Cast<YamlMappingNode>()];

    private static YamlMappingNode Item(YamlMappingNode node, string key) => Items(node, key)[0];

    private static string[] Texts(YamlMappingNode node, string key) =>
        [.. ((YamlSequenceNode)node.Children[key]).Children.Select(item => item.ToString())];

    private static string Text(YamlMappingNode node, string key) => node.Children[key].ToString();

    private static string Labels(YamlMappingNode node, string key) => string.Join(',', Map(node, key).Children
        .Select(pair => $"{pair.Key}={pair.Value}").Order(StringComparer.Ordinal));

    [GeneratedRegex("- \\./(?<path>[^:\\s]+):", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Mount();
}
