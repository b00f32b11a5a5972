using Confluent.Kafka;
using StreamEm.Sources;
using StreamEm.Sources.Kafka;
using StreamEm.Worker.Failures;

namespace StreamEm.Worker.Kafka;

/// <summary>A topic that something is written to or read from, how to reach it, and what its client's errors mean to the user.</summary>
/// <param name="Brokers">host:port of some of the cluster's brokers.</param>
/// <param name="Topic">The topic.</param>
/// <param name="Properties">The user's client properties.</param>
/// <param name="Section">The section of the configuration it comes from, for messages: <c>publish.kafka</c>.</param>
internal sealed record KafkaTarget(
    IReadOnlyList<string> Brokers, string Topic, IReadOnlyDictionary<string, string> Properties, string Section)
{
    /// <summary>What the user calls the client properties.</summary>
    public string PropertiesName { get; init; } = $"{Section}.properties";

    /// <summary><c>topic 'models' on broker:9092</c>.</summary>
    public string Description => $"topic '{Topic}' on {string.Join(", ", Brokers)}";

    /// <summary>Whether an error that a client reports by itself is news: one broker of several that is away is not.</summary>
    public static bool IsTelling(Error error) =>
        error.IsFatal || KafkaClient.IsDenied(error.Code) || KafkaClient.IsGone(error.Code) || error.Code == ErrorCode.Local_AllBrokersDown;

    /// <summary>Fills in what every client of the target needs.</summary>
    /// <exception cref="SourceException">A property is refused.</exception>
    public TConfig Configure<TConfig>(TConfig config)
        where TConfig : ClientConfig
    {
        config.ClientId = "streamem";
        config.ReconnectBackoffMaxMs = 1000;
        config.SocketTimeoutMs = KafkaClient.SocketTimeoutMs;
        config.SocketKeepaliveEnable = true;
        KafkaProperties.Apply(Properties, config);
        config.BootstrapServers = string.Join(',', Brokers);
        return config;
    }

    /// <summary>Runs what makes or asks a client; its failures become the user's.</summary>
    /// <exception cref="CommandException">What the client said, with the exit code.</exception>
    public T Attempt<T>(Func<T> act)
    {
        try
        {
            return act();
        }
        catch (SourceException failure)
        {
            throw new CommandException(SourceExitCode.Of(failure.Failure), failure.Message, failure);
        }
        catch (KafkaException failure)
        {
            throw FailureOf(failure.Error, failure);
        }
        catch (Exception failure) when (KafkaClient.IsUnusable(failure))
        {
            SourceException unusable = KafkaClient.UnusableClient(failure, Section);
            throw new CommandException(SourceExitCode.Of(unusable.Failure), unusable.Message, unusable);
        }
    }

    /// <summary>A client's error as the user's.</summary>
    public CommandException FailureOf(Error error, Exception? inner = null)
    {
        (int code, string advice) = error.Code switch
        {
            ErrorCode.TransactionalIdAuthorizationFailed =>
                (ExitCode.Denied,
                    "Give the user Write and Describe on the TransactionalIds that begin with the group's name and -, or set "
                        + $"{Section}.transactions: off."),
            ErrorCode.Local_UnsupportedFeature or ErrorCode.UnsupportedVersion =>
                (ExitCode.Configuration, $"The brokers have no transactions: set {Section}.transactions: off."),
            ErrorCode.Local_Fenced or ErrorCode.ProducerFenced or ErrorCode.InvalidProducerEpoch =>
                (ExitCode.TryAgain,
                    "Another process began under the same transactional id, again and again: give every worker a state directory, or a "
                        + "host name, of its own."),
            _ when KafkaClient.IsDenied(error.Code) =>
                (ExitCode.Denied,
                    $"Check the credentials in {PropertiesName} and the user's rights on the topic: Describe and DescribeConfigs, Read, "
                        + "Write, and Create where it does not exist yet."),
            ErrorCode.MsgSizeTooLarge or ErrorCode.RecordListTooLarge => (ExitCode.Configuration, "Raise max.message.bytes of the topic."),
            ErrorCode.PolicyViolation or ErrorCode.InvalidConfig or ErrorCode.InvalidReplicationFactor or ErrorCode.TopicException
                or ErrorCode.InvalidPartitions =>
                (ExitCode.Configuration,
                    $"The cluster does not take such a topic: create it as the cluster wants it, or correct {Section}.topic."),
            _ when KafkaClient.IsGone(error.Code) => (ExitCode.Unavailable, "The topic was deleted; start again to create it."),
            // The client let go of the broker while something was asked of it.
            ErrorCode.Local_Destroy =>
                (ExitCode.Unavailable, "The broker that had it has left the cluster, or the topic was deleted; start again to create it."),
            ErrorCode.Local_MsgTimedOut or ErrorCode.Local_TimedOut or ErrorCode.Local_Transport or ErrorCode.Local_AllBrokersDown =>
                (ExitCode.Unavailable, $"Check the brokers, the network and {PropertiesName}."),
            _ when error.IsFatal => (ExitCode.TryAgain, "Start again: what was not acknowledged is written again."),
            _ => (ExitCode.InputOutput, "See the broker's log."),
        };
        return new CommandException(code, $"{Section}: {Description}: {error.Reason.TrimEnd('.')} ({error.Code}). {advice}", inner);
    }
}
