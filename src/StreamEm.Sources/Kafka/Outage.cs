using System.Globalization;
using Confluent.Kafka;

namespace StreamEm.Sources.Kafka;

/// <summary>
/// For how long the brokers have not answered, why, and when that is too long. Used by one thread; <see cref="Problem"/> and
/// <see cref="Reason"/> by any.
/// </summary>
/// <param name="brokers">The brokers.</param>
/// <param name="unavailableAfter">How long is too long; null: never.</param>
/// <param name="section">The section of the configuration that says so, for messages: <c>source.kafka</c>.</param>
/// <param name="time">The clock.</param>
public sealed class Outage(IReadOnlyList<string> brokers, TimeSpan? unavailableAfter, string section, TimeProvider time)
{
    private volatile Cause? _cause;
    private long _since;

    /// <summary>Told when the brokers are lost (false) and found again (true).</summary>
    public Action<bool>? ReachableChanged { get; init; }

    /// <summary>What is wrong and what is done about it; null when the brokers answer.</summary>
    public string? Problem => _cause switch
    {
        null => null,
        { Failure: SourceFailure.Missing } missing => missing.Sentence,
        var cause => $"{cause.Sentence} Trying again.",
    };

    /// <summary>What is wrong, for one that tries no more; null when the brokers answer.</summary>
    public string? Reason => _cause?.Sentence;

    /// <summary>Notes a sign that the brokers do not answer.</summary>
    public void Begin(string reason, SourceFailure failure = SourceFailure.Unavailable)
    {
        if (_cause is null)
        {
            _since = time.GetTimestamp();
            ReachableChanged?.Invoke(false);
        }

        _cause = new Cause(failure, failure == SourceFailure.Missing
            ? reason
            : $"The brokers {string.Join(", ", brokers)} cannot be reached: {reason.TrimEnd('.')}.");
    }

    /// <summary>Notes a sign that they do.</summary>
    public void End()
    {
        if (_cause is null) return;
        _cause = null;
        ReachableChanged?.Invoke(true);
    }

    /// <summary>Gives up when it has lasted too long.</summary>
    /// <exception cref="SourceException">It has.</exception>
    public void ThrowIfTooLong()
    {
        if (_cause is not { } cause || unavailableAfter is not { } limit || time.GetElapsedTime(_since) < limit) return;
        throw new SourceException(cause.Failure, string.Create(CultureInfo.InvariantCulture,
            $"{cause.Sentence} That has lasted {limit.TotalSeconds:0.#} s, the limit {section}.unavailable_after. Check the brokers, the "
                + $"network and {section}.properties."));
    }

    /// <summary>Repeats an act that asks the brokers until it succeeds.</summary>
    /// <param name="act">What to do.</param>
    /// <param name="isPatient">Whether a topic that does not exist may yet be created.</param>
    /// <param name="wait">Lets a moment pass.</param>
    public T Retry<T>(Func<T> act, bool isPatient, Action wait)
    {
        while (true)
        {
            try
            {
                T result = act();
                End();
                return result;
            }
            catch (SourceException missing) when (missing.Failure == SourceFailure.Missing && isPatient)
            {
                Begin(missing.Message, SourceFailure.Missing);
            }
            catch (KafkaException failure) when (!failure.Error.IsFatal && !KafkaClient.IsDenied(failure.Error.Code))
            {
                Begin(failure.Error.Reason);
            }

            ThrowIfTooLong();
            wait();
        }
    }

    /// <summary>Why the brokers do not answer.</summary>
    /// <param name="Failure">The kind of failure, should it last too long.</param>
    /// <param name="Sentence">For a person.</param>
    private sealed record Cause(SourceFailure Failure, string Sentence);
}
