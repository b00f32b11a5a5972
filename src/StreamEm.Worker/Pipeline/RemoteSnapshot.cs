using System.Net;
using System.Net.Http.Headers;
using StreamEm.Sources.Kafka;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Kafka;
using StreamEm.Worker.Publishing;

namespace StreamEm.Worker.Pipeline;

/// <summary>
/// Reads a snapshot from where others publish it: <c>kafka://host:port/topic[?model=id]</c>, or <c>http(s)://host:port/v1/models/id</c> of
/// another worker.
/// </summary>
internal static class RemoteSnapshot
{
    /// <summary>The most bytes that are taken.</summary>
    private const int MaxBytes = 256 << 20;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Whether a text is an address, and not the path of a file.</summary>
    public static bool IsAddress(string from) => TopicAddress.IsOne(from) || IsHttp(from);

    /// <summary>The snapshot's JSON.</summary>
    /// <param name="from">The address.</param>
    /// <param name="options">The model that is to go on from it: its id is looked for where the address names none, and the properties of
    /// its own source or publisher at the same brokers are those of the client.</param>
    /// <exception cref="CommandException">There is none (66), nobody answers (69), or access is denied (77).</exception>
    public static ReadOnlyMemory<byte> Read(string from, ModelOptions options) => Read(from, new Reader(
        "learning.initialization.from: ", options.Id, options.InitializeFromToken, "learning.initialization.from_token_file",
        address => PropertiesFor(address, options)));

    /// <summary>The snapshot's JSON, for a command: the address names the model where there may be several.</summary>
    /// <param name="from">The address.</param>
    /// <param name="token">What the worker asks for; null nothing.</param>
    /// <param name="tokenFrom">Where the token is looked for, for a person.</param>
    /// <exception cref="CommandException">There is none (66), nobody answers (69), or access is denied (77).</exception>
    public static ReadOnlyMemory<byte> Read(string from, string? token, string tokenFrom) => Read(
        from, new Reader("", null, token, tokenFrom, _ => new Dictionary<string, string>(StringComparer.Ordinal)));

    private static ReadOnlyMemory<byte> Read(string from, Reader reader) =>
        IsHttp(from) ? ReadHttp(from, reader) : ReadTopic(TopicAddress.Parse(from), reader);

    private static bool IsHttp(string from) =>
        from.StartsWith("http://", StringComparison.Ordinal) || from.StartsWith("https://", StringComparison.Ordinal);

    private static ReadOnlyMemory<byte> ReadHttp(string from, Reader reader)
    {
        if (!Uri.TryCreate(from, UriKind.Absolute, out Uri? address) || (address.AbsolutePath == "/" && reader.Model is null))
            throw new CommandException(reader.Model is null ? ExitCode.Usage : ExitCode.Configuration,
                $"{reader.Who}'{from}' is no address of a model; expected http://host:port/v1/models/id");
        if (address.AbsolutePath == "/") address = new Uri(address, $"/v1/models/{reader.Model}");
        using var client = new HttpClient { Timeout = Patience, MaxResponseContentBufferSize = MaxBytes };
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        if (reader.Token is { } token) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        try
        {
            using HttpResponseMessage answer = client.Send(request, HttpCompletionOption.ResponseContentRead, CancellationToken.None);
            if (answer.IsSuccessStatusCode) return answer.Content.ReadAsByteArrayAsync().GetAwaiter().GetResult();
            bool isDenied = answer.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden;
            int code = isDenied ? ExitCode.Denied : ExitCode.InputMissing;
            throw new CommandException(code, $"{reader.Who}{address} answered {(int)answer.StatusCode}; expected a snapshot. "
                + (isDenied ? $"Set {reader.TokenFrom}." : "Is there such a model, with a version?"));
        }
        catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException)
        {
            throw new CommandException(ExitCode.Unavailable,
                $"{reader.Who}{address} did not give a snapshot within {Patience.TotalSeconds:0} s: {failure.Message}", failure);
        }
    }

    private static ReadOnlyMemory<byte> ReadTopic(TopicAddress address, Reader reader)
    {
        string asker = reader.Who.Length > 0 ? reader.Who.TrimEnd(' ', ':') : "snapshot";
        var target = new KafkaTarget(address.Brokers, address.Topic, reader.Properties(address), asker);
        var outage = new Outage(address.Brokers, Patience, asker, TimeProvider.System);
        using var topic = new KafkaTopic(target, outage, CancellationToken.None);
        if (topic.CountPartitions() is null)
            throw new CommandException(ExitCode.InputMissing, $"{reader.Who}{address}: topic '{address.Topic}' does not exist.");
        IReadOnlyList<TopicSnapshot> models = KafkaSnapshotLog.Read(topic).Models;
        string? id = address.Model ?? reader.Model;
        TopicSnapshot? found = models.FirstOrDefault(model => model.Id == id)
            ?? (address.Model is null && models.Count == 1 ? models[0] : null);
        return found?.Document.Json ?? throw new CommandException(ExitCode.InputMissing, models.Count == 0
            ? $"{reader.Who}{address} holds no snapshot."
            : $"{reader.Who}{address} holds {(id is null ? "several models" : $"no snapshot of model '{id}'; it holds")} "
                + $"{string.Join(", ", models.Select(model => model.Id))}. Name one with ?model=id.");
    }

    private static IReadOnlyDictionary<string, string> PropertiesFor(TopicAddress address, ModelOptions options)
    {
        if (options.Source is KafkaSourceOptions source && source.Brokers.Intersect(address.Brokers).Any()) return source.Properties;
        return options.Publish.OfType<KafkaPublisherOptions>()
            .FirstOrDefault(publisher => publisher.Brokers.Intersect(address.Brokers).Any())?.Properties
            ?? new Dictionary<string, string>(StringComparer.Ordinal);
    }

    /// <summary>Who reads.</summary>
    /// <param name="Who">What messages begin with.</param>
    /// <param name="Model">The model that is looked for where the address names none; null where there is only one.</param>
    /// <param name="Token">What the worker asks for.</param>
    /// <param name="TokenFrom">Where that is set.</param>
    /// <param name="Properties">Of the Kafka client, at brokers.</param>
    private sealed record Reader(
        string Who, string? Model, string? Token, string TokenFrom, Func<TopicAddress, IReadOnlyDictionary<string, string>> Properties);
}
