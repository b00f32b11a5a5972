using System.Collections;
using System.Reflection;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using k8s.Models;

namespace StreamEm.House.Tests.Deployments;

/// <summary>The only texts a field may hold.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class OneOfAttribute(params string[] values) : Attribute
{
    public string[] Values => values;
}

/// <summary>What a text, or each of a list, looks like from its beginning to its end.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class LooksAttribute(string pattern) : Attribute
{
    public string Pattern => $"^(?:{pattern})$";
}

/// <summary>
/// What a type cannot say: texts that are one of a few or look in one way, fields that have to be there. Types of our own say it by
/// attributes; of those of the Kubernetes client, whose fields are all optional texts, this has it from the published API.
/// </summary>
internal static class ValueRules
{
    private const string Name = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";

    private static readonly Dictionary<(Type Type, string Property), string[]> Values = new()
    {
        [(typeof(V1StatefulSetSpec), nameof(V1StatefulSetSpec.PodManagementPolicy))] = ["OrderedReady", "Parallel"],
        [(typeof(V1StatefulSetUpdateStrategy), nameof(V1StatefulSetUpdateStrategy.Type))] = ["RollingUpdate", "OnDelete"],
        [(typeof(V1PodSpec), nameof(V1PodSpec.RestartPolicy))] = ["Always"],
        [(typeof(V1PodSpec), nameof(V1PodSpec.DnsPolicy))] = ["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"],
        [(typeof(V1PodSecurityContext), nameof(V1PodSecurityContext.FsGroupChangePolicy))] = ["OnRootMismatch", "Always"],
        [(typeof(V1SeccompProfile), nameof(V1SeccompProfile.Type))] = ["RuntimeDefault", "Unconfined", "Localhost"],
        [(typeof(V1Container), nameof(V1Container.ImagePullPolicy))] = ["Always", "IfNotPresent", "Never"],
        [(typeof(V1Container), nameof(V1Container.TerminationMessagePolicy))] = ["File", "FallbackToLogsOnError"],
        [(typeof(V1ContainerPort), nameof(V1ContainerPort.Protocol))] = ["TCP", "UDP", "SCTP"],
        [(typeof(V1ServicePort), nameof(V1ServicePort.Protocol))] = ["TCP", "UDP", "SCTP"],
        [(typeof(V1ServiceSpec), nameof(V1ServiceSpec.Type))] = ["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"],
        [(typeof(V1HTTPGetAction), nameof(V1HTTPGetAction.Scheme))] = ["HTTP", "HTTPS"],
        [(typeof(V1EmptyDirVolumeSource), nameof(V1EmptyDirVolumeSource.Medium))] = ["", "Memory"],
        [(typeof(V1PersistentVolumeClaimSpec), nameof(V1PersistentVolumeClaimSpec.AccessModes))] =
            ["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"],
        [(typeof(V1NetworkPolicySpec), nameof(V1NetworkPolicySpec.PolicyTypes))] = ["Ingress", "Egress"],
        [(typeof(V1NetworkPolicyPort), nameof(V1NetworkPolicyPort.Protocol))] = ["TCP", "UDP", "SCTP"],
        [(typeof(V1LabelSelectorRequirement), nameof(V1LabelSelectorRequirement.OperatorProperty))] =
            ["In", "NotIn", "Exists", "DoesNotExist"],
    };

    private static readonly Dictionary<(Type Type, string Property), string> Patterns = new()
    {
        [(typeof(V1ObjectMeta), nameof(V1ObjectMeta.Name))] = $"{Name}(\\.{Name})*",
        [(typeof(V1Container), nameof(V1Container.Name))] = Name,
        [(typeof(V1Volume), nameof(V1Volume.Name))] = Name,
        [(typeof(V1ServicePort), nameof(V1ServicePort.Name))] = Name,
        [(typeof(V1ContainerPort), nameof(V1ContainerPort.Name))] = "(?=.{1,15}$)(?=.*[a-z])(?!.*--)" + Name,
        [(typeof(V1HTTPGetAction), nameof(V1HTTPGetAction.Path))] = "/.*",
        [(typeof(V1VolumeMount), nameof(V1VolumeMount.MountPath))] = "/[^:]*",
    };

    private static readonly Dictionary<Type, string[]> Needed = new()
    {
        [typeof(V1StatefulSet)] = ["ApiVersion", "Kind", "Metadata", "Spec"],
        [typeof(V1Service)] = ["ApiVersion", "Kind", "Metadata", "Spec"],
        [typeof(V1PodDisruptionBudget)] = ["ApiVersion", "Kind", "Metadata", "Spec"],
        [typeof(V1NetworkPolicy)] = ["ApiVersion", "Kind", "Metadata", "Spec"],
        [typeof(V1ConfigMap)] = ["ApiVersion", "Kind", "Metadata"],
        [typeof(V1Secret)] = ["ApiVersion", "Kind", "Metadata"],
        [typeof(V1StatefulSetSpec)] = ["Selector", "Template"],
        [typeof(V1PodTemplateSpec)] = ["Metadata", "Spec"],
        [typeof(V1PodSpec)] = ["Containers"],
        [typeof(V1Container)] = ["Name", "Image"],
        [typeof(V1ContainerPort)] = ["ContainerPort"],
        [typeof(V1HTTPGetAction)] = ["Port"],
        [typeof(V1VolumeMount)] = ["Name", "MountPath"],
        [typeof(V1Volume)] = ["Name"],
        [typeof(V1SecretVolumeSource)] = ["SecretName"],
        [typeof(V1ConfigMapVolumeSource)] = ["Name"],
        [typeof(V1SeccompProfile)] = ["Type"],
        [typeof(V1PersistentVolumeClaimSpec)] = ["AccessModes", "Resources"],
        [typeof(V1ServiceSpec)] = ["Ports"],
        [typeof(V1ServicePort)] = ["Port"],
        [typeof(V1NetworkPolicySpec)] = ["PodSelector"],
        [typeof(V1EnvVar)] = ["Name"],
    };

    /// <summary>What is wrong in an object and all that it holds.</summary>
    public static IEnumerable<string> Broken(object one, string path)
    {
        if (one is string || one.GetType().IsPrimitive || one is ResourceQuantity or IntOrString) return [];
        if (one is IDictionary map)
            return map.Keys.Cast<object>().Where(key => map[key] is not null).SelectMany(key => Broken(map[key]!, $"{path}.{key}"));
        if (one is IEnumerable list)
            return list.Cast<object?>().SelectMany((item, at) => item is null
                ? [$"{path}[{at}]: nothing is there"] : Broken(item, $"{path}[{at}]"));
        Type type = one.GetType();
        if (type.Assembly != typeof(V1Pod).Assembly && type.Assembly != typeof(ValueRules).Assembly) return [];
        return type.GetProperties().Where(property => property.GetIndexParameters().Length == 0)
            .SelectMany(property => OfProperty(type, property, property.GetValue(one), $"{path}.{Shown(property)}"));
    }

    private static IEnumerable<string> OfProperty(Type type, PropertyInfo property, object? value, string path)
    {
        if (value is null || value is 0 && Needed.ContainsKey(type) && Needed[type].Contains(property.Name))
            return Needed.TryGetValue(type, out string[]? needed) && needed.Contains(property.Name) ? [$"{path} has to be there"] : [];
        IEnumerable<string> texts = value as IEnumerable<string> ?? (value is string text ? [text] : []);
        string[]? values = property.GetCustomAttribute<OneOfAttribute>()?.Values ?? Values.GetValueOrDefault((type, property.Name));
        string? pattern = property.GetCustomAttribute<LooksAttribute>()?.Pattern
            ?? (Patterns.TryGetValue((type, property.Name), out string? own) ? $"^{own}$" : null);
        return texts.Where(text => values?.Contains(text, StringComparer.Ordinal) == false)
            .Select(text => $"{path} is '{text}', expected {string.Join(" or ", values!)}")
            .Concat(texts.Where(text => pattern is not null && !Fits(text, pattern))
                .Select(text => $"{path} is '{text}', expected {pattern}"))
            .Concat(Broken(value, path));
    }

    private static bool Fits(string text, string pattern) =>
        Regex.IsMatch(text, pattern, RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1));

    private static string Shown(PropertyInfo property) => property.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name
        ?? char.ToLowerInvariant(property.Name[0]) + property.Name[1..];
}
