using k8s.Models;
using StreamEm.House.Tests.Code;
using StreamEm.House.Tests.Deployments.Shapes;
using StreamEm.Worker.Configuration;
using StreamEm.Worker.Hosting;

namespace StreamEm.House.Tests.Deployments;

/// <summary>The objects that a cluster is given, and what of them has to fit together.</summary>
internal sealed class Cluster(object[] objects)
{
    /// <summary>The routes of the worker, as its code has them.</summary>
    private static readonly string Routes = string.Concat(Repository.Files("src/StreamEm.Worker/Api", "*.cs").Select(Repository.Read));

    /// <summary>What runs.</summary>
    public V1StatefulSet Set { get; } = objects.OfType<V1StatefulSet>().Single();

    /// <summary>The pod that it makes.</summary>
    public V1PodSpec Pod => Set.Spec.Template.Spec;

    /// <summary>The worker in it.</summary>
    public V1Container Container => Pod.Containers.Single();

    /// <summary>Its labels.</summary>
    public IDictionary<string, string> Labels => Set.Spec.Template.Metadata.Labels;

    /// <summary>All of a type.</summary>
    public IEnumerable<T> All<T>() => objects.OfType<T>();

    /// <summary>Where a volume of the pod is.</summary>
    public V1VolumeMount? MountOf(string volume) => Container.VolumeMounts.FirstOrDefault(mount => mount.Name == volume);

    /// <summary>The configuration in its map, with its token in place.</summary>
    public LoadedConfiguration Loaded() => ConfigurationLoader.LoadText(All<V1ConfigMap>().Single().Data.Values.Single().Replace(
        "auth_token_file: /run/secrets/streamem/token", "auth_token: t", StringComparison.Ordinal), [], []);

    /// <summary>What it says.</summary>
    public WorkerOptions Configuration() => Loaded() is { Options: { } options } ? options : throw new FormatException("no configuration");

    /// <summary>Whether a selector chooses what has these labels; one that is empty would choose everything.</summary>
    public static bool Chooses(IDictionary<string, string>? selector, IDictionary<string, string>? labels) => selector is { Count: > 0 }
        && selector.All(label => labels is not null && labels.TryGetValue(label.Key, out string? value) && value == label.Value);

    /// <summary>Whether the worker answers a path.</summary>
    public static bool IsRoute(string? path) => Routes.Contains($"\"{path}\"", StringComparison.Ordinal);

    /// <summary>Name, kind and version of an object.</summary>
    public static (string Version, string Kind, string Name) Identity(object one) => one switch
    {
        ScaledObject scaled => (scaled.ApiVersion, scaled.Kind, scaled.Metadata.Name),
        ServiceMonitor monitor => (monitor.ApiVersion, monitor.Kind, monitor.Metadata.Name),
        k8s.IKubernetesObject<V1ObjectMeta> known => (known.ApiVersion, known.Kind, known.Metadata.Name),
        _ => ("", one.GetType().Name, ""),
    };

    /// <summary>All objects but files of them.</summary>
    public IEnumerable<(string Version, string Kind, string Name)> Identities =>
        objects.Where(one => one is not Kustomization).Select(Identity);
}
