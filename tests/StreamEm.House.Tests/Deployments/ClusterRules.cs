using k8s.Models;
using StreamEm.House.Tests.Deployments.Shapes;
using StreamEm.Sources.Kafka;
using StreamEm.Worker.Commands;

namespace StreamEm.House.Tests.Deployments;

/// <summary>What a cluster would refuse, or take and never do, although each object alone is right.</summary>
internal static class ClusterRules
{
    /// <summary>Everything that does not fit together.</summary>
    public static IEnumerable<string> Broken(Cluster cluster) =>
    [
        .. Names(cluster), .. Selectors(cluster), .. Ports(cluster), .. Probes(cluster), .. Volumes(cluster), .. Files(cluster),
        .. Resources(cluster), .. Command(cluster), .. Scaling(cluster),
    ];

    private static IEnumerable<string> Names(Cluster cluster) => cluster.Identities.GroupBy(one => one)
        .Where(group => group.Key.Name.Length == 0 || group.Count() > 1).Select(group => $"{group.Key} has no name of its own");

    private static IEnumerable<string> Selectors(Cluster cluster)
    {
        IDictionary<string, string> pod = cluster.Labels;
        if (!Cluster.Chooses(cluster.Set.Spec.Selector.MatchLabels, pod)) yield return "the StatefulSet does not select its own pods";
        foreach (V1Service service in cluster.All<V1Service>())
            if (!Cluster.Chooses(service.Spec.Selector, pod)) yield return $"Service {service.Metadata.Name} selects no pod";
        if (!cluster.All<V1Service>().Any(service => service.Metadata.Name == cluster.Set.Spec.ServiceName))
            yield return $"serviceName {cluster.Set.Spec.ServiceName}: there is no such Service";
        foreach (V1PodDisruptionBudget budget in cluster.All<V1PodDisruptionBudget>())
        {
            if (!Cluster.Chooses(budget.Spec.Selector?.MatchLabels, pod)) yield return "the PodDisruptionBudget selects no pod";
            if ((budget.Spec.MaxUnavailable is null) == (budget.Spec.MinAvailable is null))
                yield return "a PodDisruptionBudget has either maxUnavailable or minAvailable";
        }

        foreach (V1NetworkPolicy policy in cluster.All<V1NetworkPolicy>())
            if (!Cluster.Chooses(policy.Spec.PodSelector.MatchLabels, pod)) yield return "the NetworkPolicy selects no pod";
        foreach (ServiceMonitor monitor in cluster.All<ServiceMonitor>())
            if (!cluster.All<V1Service>().Any(service => Cluster.Chooses(monitor.Spec.Selector.MatchLabels, service.Metadata.Labels)))
                yield return "the ServiceMonitor selects no Service";
    }

    private static IEnumerable<string> Ports(Cluster cluster)
    {
        foreach (V1Service service in cluster.All<V1Service>())
            foreach (V1ServicePort port in service.Spec.Ports)
                if (!IsPort(cluster, port.TargetPort?.Value))
                    yield return $"Service {service.Metadata.Name}: no port {port.TargetPort?.Value}";
        foreach (MonitoredEndpoint endpoint in cluster.All<ServiceMonitor>().SelectMany(monitor => monitor.Spec.Endpoints))
        {
            if (!cluster.All<V1Service>().SelectMany(service => service.Spec.Ports).Any(port => port.Name == endpoint.Port))
                yield return $"ServiceMonitor: no Service has a port {endpoint.Port}";
            if (!Cluster.IsRoute(endpoint.Path)) yield return $"ServiceMonitor: no route answers {endpoint.Path}";
        }

        foreach (V1NetworkPolicyPort port in cluster.All<V1NetworkPolicy>().SelectMany(policy => policy.Spec.Ingress)
            .SelectMany(rule => rule.Ports))
            if (!IsPort(cluster, port.Port?.Value)) yield return $"NetworkPolicy: no port {port.Port?.Value}";
        string address = cluster.Configuration().Http.Address;
        if (!cluster.Container.Ports.Any(port => address.EndsWith($":{port.ContainerPort}", StringComparison.Ordinal)))
            yield return $"http.address {address} is no port of the container";
    }

    private static IEnumerable<string> Probes(Cluster cluster)
    {
        (string Name, V1Probe? Probe)[] probes = [("startupProbe", cluster.Container.StartupProbe),
            ("livenessProbe", cluster.Container.LivenessProbe), ("readinessProbe", cluster.Container.ReadinessProbe)];
        foreach ((string name, V1Probe? probe) in probes)
        {
            if (probe?.HttpGet is not { } get)
            {
                yield return $"{name}: asks nothing";
                continue;
            }

            if (!IsPort(cluster, get.Port.Value)) yield return $"{name}: no port {get.Port.Value}";
            if (!Cluster.IsRoute(get.Path)) yield return $"{name}: no route answers {get.Path}";
        }
    }

    private static IEnumerable<string> Volumes(Cluster cluster)
    {
        string[] there = [.. cluster.Pod.Volumes.Select(volume => volume.Name),
            .. cluster.Set.Spec.VolumeClaimTemplates.Select(claim => claim.Metadata.Name)];
        string[] mounted = [.. cluster.Container.VolumeMounts.Select(mount => mount.Name)];
        foreach (string name in mounted.Except(there)) yield return $"volumeMounts: there is no volume {name}";
        foreach (string name in there.Except(mounted)) yield return $"volume {name} is mounted nowhere";
        foreach (IGrouping<string, string> twice in there.GroupBy(name => name).Where(group => group.Count() > 1))
            yield return $"volume {twice.Key} is there twice";
        foreach (IGrouping<string, V1VolumeMount> place in cluster.Container.VolumeMounts.GroupBy(mount => mount.MountPath))
            if (place.Count() > 1) yield return $"mountPath {place.Key} is there twice";
        foreach (V1Volume volume in cluster.Pod.Volumes)
        {
            if ((volume.ConfigMap, volume.Secret, volume.EmptyDir) is (null, null, null))
                yield return $"volume {volume.Name} is of nothing";
            if (volume.ConfigMap is { } map && !cluster.All<V1ConfigMap>().Any(known => known.Metadata.Name == map.Name))
                yield return $"volume {volume.Name}: there is no ConfigMap {map.Name}";
            if (volume.Secret is { } secret && !cluster.All<V1Secret>().Any(known => known.Metadata.Name == secret.SecretName))
                yield return $"volume {volume.Name}: there is no Secret {secret.SecretName}";
        }
    }

    /// <summary>The files that the command line and the configuration name are in what is mounted.</summary>
    private static IEnumerable<string> Files(Cluster cluster)
    {
        V1ConfigMap map = cluster.All<V1ConfigMap>().Single();
        V1Secret secret = cluster.All<V1Secret>().Single();
        string maps = cluster.Pod.Volumes.FirstOrDefault(volume => volume.ConfigMap?.Name == map.Metadata.Name)?.Name ?? "";
        string secrets = cluster.Pod.Volumes.FirstOrDefault(volume => volume.Secret?.SecretName == secret.Metadata.Name)?.Name ?? "";
        string[] files = [.. map.Data.Keys.Select(key => $"{cluster.MountOf(maps)?.MountPath}/{key}")];
        string file = cluster.Container.Args.SkipWhile(word => word != "-c").Skip(1).FirstOrDefault() ?? "";
        if (!files.Contains(file)) yield return $"-c {file}: mounted is {string.Join(", ", files)}";
        string[] tokens = [.. secret.StringData.Keys.Select(key => $"{cluster.MountOf(secrets)?.MountPath}/{key}")];
        if (!tokens.Any(token => map.Data.Values.Single().Contains($"auth_token_file: {token} ", StringComparison.Ordinal)))
            yield return $"auth_token_file: mounted is {string.Join(", ", tokens)}";
        string state = cluster.Configuration().StateDirectory;
        if (!cluster.Set.Spec.VolumeClaimTemplates.Any(claim => cluster.MountOf(claim.Metadata.Name) is { ReadOnlyProperty: not true } mount
            && state.StartsWith($"{mount.MountPath}/", StringComparison.Ordinal)))
            yield return $"state_directory {state} is on no volume that is claimed";
    }

    private static IEnumerable<string> Resources(Cluster cluster)
    {
        V1ResourceRequirements resources = cluster.Container.Resources;
        foreach ((string name, ResourceQuantity limit) in resources.Limits)
            if (resources.Requests.TryGetValue(name, out ResourceQuantity? request) && request.ToDecimal() > limit.ToDecimal())
                yield return $"more {name} is requested than the limit allows";
    }

    private static IEnumerable<string> Command(Cluster cluster)
    {
        System.CommandLine.RootCommand root = Verbs.CreateRoot();
        System.CommandLine.ParseResult parsed = root.Parse([.. cluster.Container.Args]);
        foreach (System.CommandLine.Parsing.ParseError error in parsed.Errors) yield return $"args: {error.Message}";
        string[] options = [.. parsed.CommandResult.Command.Options.SelectMany(option => option.Aliases.Append(option.Name))];
        foreach (string word in cluster.Container.Args.Where(word => word.StartsWith('-')).Except(options))
            yield return $"args: there is no option {word}";
    }

    private static IEnumerable<string> Scaling(Cluster cluster)
    {
        KafkaSourceOptions source = cluster.Configuration().Models.Select(model => model.Source).OfType<KafkaSourceOptions>().Single();
        foreach (ScaledObjectSpec spec in cluster.All<ScaledObject>().Select(scaled => scaled.Spec))
        {
            ScaleTarget target = spec.ScaleTargetRef;
            if (!cluster.Identities.Contains((target.ApiVersion ?? "apps/v1", target.Kind ?? "Deployment", target.Name)))
                yield return $"ScaledObject: there is no {target.Kind ?? "Deployment"} {target.Name} of {target.ApiVersion ?? "apps/v1"}";
            if (spec.MinReplicaCount > spec.MaxReplicaCount) yield return "ScaledObject: minReplicaCount is above maxReplicaCount";
            foreach (KafkaTrigger trigger in spec.Triggers.Select(one => one.Metadata))
            {
                if (trigger.BootstrapServers != string.Join(',', source.Brokers))
                    yield return "ScaledObject: other brokers than the source's";
                if (!source.Topics.Contains(trigger.Topic)) yield return $"ScaledObject: topic {trigger.Topic} is not of the source";
                if (trigger.ConsumerGroup != source.GroupId) yield return $"ScaledObject: the source has no group {trigger.ConsumerGroup}";
            }
        }
    }

    /// <summary>Whether the container has a port of this name or number.</summary>
    private static bool IsPort(Cluster cluster, string? port) => cluster.Container.Ports.Any(known =>
        known.Name == port || known.ContainerPort.ToString(System.Globalization.CultureInfo.InvariantCulture) == port);
}
