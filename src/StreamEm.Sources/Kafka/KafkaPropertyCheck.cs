using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Confluent.Kafka;
using StreamEm.Core.Features;
using StreamEm.Core.Settings;

namespace StreamEm.Sources.Kafka;

/// <summary>What is wrong with a user's client properties.</summary>
/// <param name="Name">The property; null when several do not go together.</param>
/// <param name="Message">What was found and what was expected, as a sentence that begins after the name.</param>
public sealed record PropertyFault(string? Name, string Message);

/// <summary>
/// Asks the client what it thinks of a user's properties. It checks names and values when it is made; here it is made without brokers, so
/// that nothing is connected to.
/// </summary>
public static partial class KafkaPropertyCheck
{
    private const string Documentation = "see librdkafka's CONFIGURATION.md";

    private static readonly Lazy<Dictionary<string, string?>> Known = new(FindKnown);

    /// <summary>What is wrong with a source's properties.</summary>
    /// <exception cref="DllNotFoundException">The client cannot be loaded: <see cref="KafkaClient.IsMissing"/>.</exception>
    public static IReadOnlyList<PropertyFault> Find(KafkaSourceOptions options) => Find(
        options.Properties,
        properties =>
            KafkaClient.ConsumerConfig(
                options with { Properties = properties }, new KafkaMessageFields(new RecordSchema { Features = [] })));

    /// <summary>What is wrong with the properties of clients that are configured so.</summary>
    /// <exception cref="DllNotFoundException">The client cannot be loaded: <see cref="KafkaClient.IsMissing"/>.</exception>
    public static IReadOnlyList<PropertyFault> Find(IReadOnlyDictionary<string, string> properties,
        params IReadOnlyList<Func<IReadOnlyDictionary<string, string>, ClientConfig>> clients)
    {
        var faults = new List<PropertyFault>();
        var sound = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach ((string name, string value) in properties)
        {
            var alone = new ConsumerConfig { GroupId = "streamem" };
            alone.Set(name, value);
            if (TryMake(alone) is not { } refusal || FaultOf(name, value, refusal) is not { } fault) sound.Add(name, value);
            else faults.Add(fault);
        }

        // A client with a token endpoint asks it for a token as soon as it is made.
        if (sound.Count == 0 || sound.GetValueOrDefault("sasl.oauthbearer.method") == "oidc") return faults;
        if (clients.Select(configure => TryMake(configure(sound))).FirstOrDefault(refusal => refusal is not null) is { } together)
            faults.Add(new PropertyFault(null,
                $"make no Kafka client: {together.Message.Trim()}{FilesIn(together.Message, sound)}. Correct or complete them; "
                    + $"{Documentation}"));
        return faults;
    }

    private static Exception? TryMake(ClientConfig config)
    {
        config.BootstrapServers = null;
        try
        {
            using IClient client = config is ProducerConfig producer
                ? new ProducerBuilder<Null, Null>(producer).SetLogHandler((_, _) => { }).Build()
                : new ConsumerBuilder<Ignore, Ignore>(config).SetLogHandler((_, _) => { }).Build();
            return null;
        }
        catch (Exception refusal) when (KafkaClient.IsUnusable(refusal) && !KafkaClient.IsMissing(refusal))
        {
            return refusal;
        }
    }

    /// <summary>What is wrong with one property; null when it only lacks others.</summary>
    private static PropertyFault? FaultOf(string name, string value, Exception refusal)
    {
        if (refusal.Message.StartsWith("No such configuration property", StringComparison.Ordinal))
        {
            string suggestion = Spelling.Suggestion(name, Known.Value.Keys);
            return new PropertyFault(
                name, $"is no property of the Kafka client{(suggestion.Length > 0 ? suggestion : $"; {Documentation}")}");
        }

        if (refusal is not ArgumentException) return null;
        string expected = Range().Match(refusal.Message) is { Success: true } range
            ? $"a whole number from {range.Groups["from"].Value} to {range.Groups["to"].Value}"
            : Known.Value.GetValueOrDefault(name) ?? $"what the Kafka client takes: {refusal.Message.Trim()}";
        return new PropertyFault(name, $"is '{value}'; expected {expected}");
    }

    /// <summary>The files a message is about, which the client does not name.</summary>
    private static string FilesIn(string message, Dictionary<string, string> properties) => string.Concat(properties
        .Where(property => property.Key.EndsWith(".location", StringComparison.Ordinal)
            && message.Contains(property.Key, StringComparison.Ordinal))
        .Select(property => $" ({(Path.Exists(property.Value) ? "" : "there is no ")}'{property.Value}')"));

    /// <summary>
    /// The properties that the client's configuration classes know by name, each with what it takes; they write the names themselves.
    /// </summary>
    private static Dictionary<string, string?> FindKnown()
    {
        var known = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (Type type in (Type[])[typeof(ConsumerConfig), typeof(ProducerConfig)])
        {
            foreach (PropertyInfo property in type.GetProperties()
                .Where(property => property is { CanWrite: true } && property.GetIndexParameters().Length == 0))
            {
                Type of = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
                object[] values = of.IsEnum
                    ? [.. Enum.GetValues(of).Cast<object>()]
                    : of == typeof(string) ? ["x"] : of.IsValueType ? [Activator.CreateInstance(of)!] : [];
                KeyValuePair<string, string>[] written = [.. values.SelectMany(value => Written(type, property, value))];
                if (written.Length == 0 || KafkaProperties.Refusal(written[0].Key, "") is not null) continue;
                known[written[0].Key] = of.IsEnum
                    ? string.Join(", ", written.Select(pair => pair.Value).Distinct())
                    : of == typeof(bool) ? "true or false" : of == typeof(int) ? "a whole number" : null;
            }
        }

        return known;
    }

    private static ClientConfig Written(Type type, PropertyInfo property, object value)
    {
        var config = (ClientConfig)Activator.CreateInstance(type)!;
        property.SetValue(config, value, BindingFlags.Default, binder: null, index: null, CultureInfo.InvariantCulture);
        return config;
    }

    [GeneratedRegex("allowed range (?<from>-?[0-9]+)\\.\\.(?<to>-?[0-9]+)", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        1000)]
    private static partial Regex Range();
}
