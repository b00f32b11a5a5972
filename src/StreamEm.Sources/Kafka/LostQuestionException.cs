using Confluent.Kafka;

namespace StreamEm.Sources.Kafka;

/// <summary>
/// A question to the brokers that was neither answered nor given up. The client keeps its own timeout but for a question that it handed to
/// the connection of a broker that it drops in the same moment (seen with librdkafka 2.15.1 and a broker that stood still for longer than
/// its session): nobody ever hears of that one again, and whoever waits for it waits for ever.
/// </summary>
public sealed class LostQuestionException : KafkaException
{
    /// <summary>How much later than its timeout a question is taken for lost.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    private LostQuestionException() : base(new Error(ErrorCode.Local_TimedOut, "a question was not answered in time"))
    {
    }

    /// <summary>Waits for an answer, not much longer than its question may take.</summary>
    /// <param name="question">The question that is out.</param>
    /// <param name="timeout">Its timeout.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="LostQuestionException">Nothing came; what the question itself throws is passed on.</exception>
    public static async Task<T> GuardAsync<T>(Task<T> question, TimeSpan timeout, TimeProvider time)
    {
        await EndAsync(question, timeout, time).ConfigureAwait(false);
        return await question.ConfigureAwait(false);
    }

    /// <summary>Waits for an act to be confirmed, not much longer than it may take.</summary>
    /// <inheritdoc cref="GuardAsync{T}(Task{T}, TimeSpan, TimeProvider)"/>
    public static async Task GuardAsync(Task question, TimeSpan timeout, TimeProvider time)
    {
        await EndAsync(question, timeout, time).ConfigureAwait(false);
        await question.ConfigureAwait(false);
    }

    private static async Task EndAsync(Task question, TimeSpan timeout, TimeProvider time)
    {
        try
        {
            await question.WaitAsync(timeout + Grace, time).ConfigureAwait(false);
        }
        catch (TimeoutException) when (!question.IsCompleted)
        {
            throw new LostQuestionException();
        }
    }
}
