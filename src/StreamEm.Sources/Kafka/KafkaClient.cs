using Confluent.Kafka;

namespace StreamEm.Sources.Kafka;

/// <summary>How the client is configured, and what its errors mean here.</summary>
public static class KafkaClient
{
    /// <summary>
    /// How long a connection may owe an answer before it is given up, as with Java's client; the client's own default is twice as long.
    /// </summary>
    public const int SocketTimeoutMs = 30_000;

    /// <summary>The configuration of a source's consumer.</summary>
    internal static ConsumerConfig ConsumerConfig(KafkaSourceOptions options, KafkaMessageFields fields)
    {
        var config = new ConsumerConfig
        {
            ClientId = "streamem",
            CheckCrcs = true,
            ReconnectBackoffMaxMs = 1000,
            SocketTimeoutMs = SocketTimeoutMs,
            SocketKeepaliveEnable = true,
            FetchWaitMaxMs = 100,
            // The client stops fetching a partition for a while when so many messages wait in it; by default that is a whole second after
            // 100 000, which a reader of small messages spends waiting.
            QueuedMinMessages = 1_000_000,
            FetchQueueBackoffMs = 5,
            // Pausing a partition throws away what was fetched of it: not much is fetched ahead of the inbox.
            QueuedMaxMessagesKbytes = 8 * 1024,
            MaxPollIntervalMs = 86_400_000,
            // How long a topic that is gone may be thought to be on its way yet: by default half a minute, in which the client says
            // nothing.
            TopicMetadataPropagationMaxMs = 1000,
        };
        KafkaProperties.Apply(options.Properties, config);
        config.BootstrapServers = string.Join(',', options.Brokers);
        // The client wants a group even when nothing is committed to it.
        config.GroupId = options.GroupId ?? "streamem";
        config.EnableAutoCommit = options.GroupId is not null;
        config.EnableAutoOffsetStore = false;
        config.AutoCommitIntervalMs = 1000;
        config.AutoOffsetReset = AutoOffsetReset.Error;
        config.EnablePartitionEof = true;
        config.ConsumeResultFields = fields.ConsumeResultFields(isOneTopic: options.Topics.Count == 1);
        return config;
    }

    /// <summary>Whether a client's error says that access was denied, which no retry changes.</summary>
    public static bool IsDenied(ErrorCode code) => code
        is ErrorCode.Local_Authentication or ErrorCode.SaslAuthenticationFailed or ErrorCode.TopicAuthorizationFailed
            or ErrorCode.GroupAuthorizationFailed
        or ErrorCode.ClusterAuthorizationFailed or ErrorCode.TransactionalIdAuthorizationFailed;

    /// <summary>Whether a client's error says that a topic, or a partition of it, is not there.</summary>
    public static bool IsGone(ErrorCode code) =>
        code is ErrorCode.UnknownTopicOrPart or ErrorCode.UnknownTopicId or ErrorCode.Local_UnknownTopic
            or ErrorCode.Local_UnknownPartition;

    /// <summary>Whether a client's error says that the log is not what it was.</summary>
    public static bool IsDamage(ErrorCode code) =>
        code is ErrorCode.Local_BadMsg or ErrorCode.Local_BadCompression or ErrorCode.Local_LogTruncation or ErrorCode.InvalidMsg;

    /// <summary>A client's error as the worker knows it.</summary>
    public static SourceException FailureOf(Error error, KafkaSourceOptions options, Exception? inner = null)
    {
        SourceFailure failure = IsDenied(error.Code)
            ? SourceFailure.Denied
            : IsDamage(error.Code) ? SourceFailure.Changed : SourceFailure.Io;
        string advice = failure switch
        {
            SourceFailure.Denied => " Check the credentials in source.kafka.properties and the rights of the user on topics and group.",
            SourceFailure.Changed => " The topic's log is damaged or was cut; see the broker's log.",
            _ => "",
        };
        return new SourceException(failure,
            $"Reading {string.Join(", ", options.Topics)} from {string.Join(", ", options.Brokers)} failed: {error.Reason.TrimEnd('.')} "
                + $"({error.Code}).{advice}", inner);
    }

    /// <summary>Whether a failure to make a client is due to its native library or its configuration.</summary>
    public static bool IsUnusable(Exception failure) =>
        failure is DllNotFoundException or TypeInitializationException or InvalidOperationException or ArgumentException;

    /// <summary>Whether it is due to the native library, which is not there for this machine.</summary>
    public static bool IsMissing(Exception failure) => failure is DllNotFoundException or TypeInitializationException;

    /// <summary>The client cannot be made.</summary>
    /// <param name="failure">Why.</param>
    /// <param name="section">The section of the configuration that wants it.</param>
    public static SourceException UnusableClient(Exception failure, string section = "source.kafka") => IsMissing(failure)
        ? new SourceException(SourceFailure.Configuration,
            "The native Kafka client librdkafka cannot be loaded: it comes with streamem for Linux (glibc), macOS and Windows. Look for it "
                + "beside the executable, under runtimes.",
            failure)
        : new SourceException(SourceFailure.Configuration, $"{section} cannot be used: {failure.Message}", failure);
}
