using System.Globalization;
using Confluent.Kafka;

namespace StreamEm.Sources.Kafka;

/// <summary>
/// How long an answer of the brokers to the admin client is waited for. The client's own timeout does not decide that: with librdkafka
/// 2.15.1 and 2.16.0 and a broker that stood still for longer than its session, a question that timed out while its connection was torn
/// down was at times followed by questions that were never answered, or that ended the process within the native client. So the client is
/// given much more time than the connection has, the wait is cut short here, and nothing is asked of brokers that did not just answer the
/// older question, <see cref="IAdminClient.GetMetadata(string, TimeSpan)"/>.
/// </summary>
public static class AdminQuestion
{
    /// <summary>The client's own timeout: beyond that of the connection, which fails first.</summary>
    public static readonly TimeSpan ClientTimeout = TimeSpan.FromMilliseconds(2 * KafkaClient.SocketTimeoutMs);

    /// <summary>Waits for an answer.</summary>
    /// <param name="question">The question that is out.</param>
    /// <param name="patience">For how long.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="KafkaException">Nothing came (<see cref="ErrorCode.Local_TimedOut"/>); what the question itself throws is passed
    /// on.</exception>
    public static async Task<T> AnswerAsync<T>(Task<T> question, TimeSpan patience, TimeProvider time)
    {
        await EndAsync(question, patience, time).ConfigureAwait(false);
        return await question.ConfigureAwait(false);
    }

    /// <summary>Waits for an act to be confirmed.</summary>
    /// <inheritdoc cref="AnswerAsync{T}(Task{T}, TimeSpan, TimeProvider)"/>
    public static async Task AnswerAsync(Task question, TimeSpan patience, TimeProvider time)
    {
        await EndAsync(question, patience, time).ConfigureAwait(false);
        await question.ConfigureAwait(false);
    }

    private static async Task EndAsync(Task question, TimeSpan patience, TimeProvider time)
    {
        try
        {
            await question.WaitAsync(patience, time).ConfigureAwait(false);
        }
        catch (TimeoutException late) when (!question.IsCompleted)
        {
            // Whatever comes later is of no use to anybody, nor is its failure.
            _ = question.ContinueWith(answer => answer.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
            throw new KafkaException(new Error(ErrorCode.Local_TimedOut,
                string.Create(CultureInfo.InvariantCulture, $"no answer came within {patience.TotalSeconds:0.#} s")), late);
        }
    }
}
