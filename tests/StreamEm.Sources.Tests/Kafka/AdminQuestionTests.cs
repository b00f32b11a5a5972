using Confluent.Kafka;
using Microsoft.Extensions.Time.Testing;
using StreamEm.Sources.Kafka;

namespace StreamEm.Sources.Tests.Kafka;

/// <summary>Nobody waits for ever for an answer of the brokers.</summary>
public sealed class AdminQuestionTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task Answer_AQuestionNeverAnswered_EndsAfterItsTime()
    {
        Task<int> waiting = AdminQuestion.AnswerAsync(new TaskCompletionSource<int>().Task, Patience, _time);
        _time.Advance(Patience - TimeSpan.FromMilliseconds(1));
        Assert.False(waiting.IsCompleted);

        _time.Advance(TimeSpan.FromMilliseconds(1));

        KafkaException lost = await Assert.ThrowsAsync<KafkaException>(() => waiting);
        Assert.Equal(ErrorCode.Local_TimedOut, lost.Error.Code);
        Assert.False(lost.Error.IsFatal);
    }

    [Fact]
    public async Task Answer_AnActNeverConfirmed_EndsAfterItsTime()
    {
        Task waiting = AdminQuestion.AnswerAsync((Task)new TaskCompletionSource().Task, Patience, _time);

        _time.Advance(2 * Patience);

        await Assert.ThrowsAsync<KafkaException>(() => waiting);
    }

    [Fact]
    public async Task Answer_AnAnswer_IsPassedOn()
    {
        var answer = new TaskCompletionSource<int>();
        Task<int> waiting = AdminQuestion.AnswerAsync(answer.Task, Patience, _time);

        answer.SetResult(7);

        Assert.Equal(7, await waiting);
    }

    [Fact]
    public async Task Answer_AFailure_IsPassedOn()
    {
        var refused = new KafkaException(ErrorCode.Local_UnsupportedFeature);
        Task<int> waiting = AdminQuestion.AnswerAsync(Task.FromException<int>(refused), Patience, _time);

        Assert.Same(refused, await Assert.ThrowsAsync<KafkaException>(() => waiting));
    }
}
