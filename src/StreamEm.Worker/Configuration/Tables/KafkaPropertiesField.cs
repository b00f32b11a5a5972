using System.Text.Json.Nodes;
using StreamEm.Sources.Kafka;
using StreamEm.Worker.Configuration.Binding;
using StreamEm.Worker.Configuration.Text;

namespace StreamEm.Worker.Configuration.Tables;

/// <summary>
/// <c>properties</c>: handed to the Kafka client as they are, but for those that would undo what the worker guarantees. A key that ends in
/// <c>_file</c>
/// takes its value from a file (<c>sasl.password_file</c>).
/// </summary>
internal sealed class KafkaPropertiesField<T>(
    Func<T, IReadOnlyDictionary<string, string>> get, Func<T, IReadOnlyDictionary<string, string>, T> set)
    : Field<T>("properties", "Further settings of the Kafka client: TLS, SASL, tuning.")
    where T : class
{
    private const string FileSuffix = "_file";

    /// <inheritdoc/>
    public override T Bind(T owner, ConfigNode value, string path, Binder binder)
    {
        if (binder.AsMapping(value, path, ["property names"]) is not { } mapping) return owner;
        var properties = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (MappingEntry entry in mapping.Entries)
        {
            bool isFile = entry.Key.EndsWith(FileSuffix, StringComparison.Ordinal);
            string name = isFile ? entry.Key[..^FileSuffix.Length] : entry.Key;
            string at = ConfigPath.Join(path, entry.Key);
            if (KafkaProperties.Refusal(name, entry.Value is ScalarNode { Text: { } plain } ? plain : "") is { } reason)
                binder.Problems.Error(entry.Origin, $"{ConfigPath.Shown(at)} is not allowed: {reason}");
            else if (binder.Locate(entry, path) is not ScalarNode { Text: { } text })
                binder.Refuse(entry.Value, at, isFile ? "the path of a file" : "a text, a number, true or false");
            else if ((isFile ? VariableSubstitution.ReadFile(text, entry.Value.Origin, binder.Problems) : text) is { } setting)
            {
                binder.Secret(at, setting);
                if (!properties.TryAdd(name, setting))
                    binder.Problems.Error(entry.Origin, $"{ConfigPath.Shown(path)} has both '{name}' and '{name}{FileSuffix}'; keep one");
                if (name == "ssl.endpoint.identification.algorithm"
                    && string.Equals(setting.Trim(), "none", StringComparison.OrdinalIgnoreCase))
                    binder.Problems
                        .Warn(entry.Origin, $"{ConfigPath.Shown(at)} is 'none': anyone with a trusted certificate can pose as the broker");
            }
        }

        return set(owner, properties);
    }

    /// <inheritdoc/>
    public override JsonObject Schema(T seed) => Binding.Schema.Described(
        new JsonObject { ["type"] = Binding.Schema.Texts(["object", "null"]), ["additionalProperties"] = Binding.Schema.Text() },
        Description);

    /// <summary>Values may be secrets: only names are told.</summary>
    public override void Describe(T owner, string path, Action<string, string> tell)
    {
        foreach (string name in get(owner).Keys) tell(ConfigPath.Join(path, name), "(set)");
    }
}
