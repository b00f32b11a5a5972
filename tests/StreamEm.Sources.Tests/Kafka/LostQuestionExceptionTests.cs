using Confluent.Kafka;
using Microsoft.Extensions.Time.Testing;
using StreamEm.Sources.Kafka;

namespace StreamEm.Sources.Tests.Kafka;

/// <summary>Nobody waits for ever for an answer that the client has lost.</summary>
public sealed class LostQuestionExceptionTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(3);

    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task Guard_AQuestionNeverAnswered_EndsAfterItsTime()
    {
        Task<int> guarded = LostQuestionException.GuardAsync(new TaskCompletionSource<int>().Task, Timeout, _time);
        _time.Advance(Timeout);
        Assert.False(guarded.IsCompleted, "the client's own timeout comes first");

        _time.Advance(TimeSpan.FromSeconds(1));

        KafkaException lost = await Assert.ThrowsAsync<LostQuestionException>(() => guarded);
        Assert.Equal(ErrorCode.Local_TimedOut, lost.Error.Code);
        Assert.False(lost.Error.IsFatal);
    }

    [Fact]
    public async Task Guard_AnActNeverConfirmed_EndsAfterItsTime()
    {
        Task guarded = LostQuestionException.GuardAsync((Task)new TaskCompletionSource().Task, Timeout, _time);

        _time.Advance(2 * Timeout);

        await Assert.ThrowsAsync<LostQuestionException>(() => guarded);
    }

    [Fact]
    public async Task Guard_AnAnswer_IsPassedOn()
    {
        var answer = new TaskCompletionSource<int>();
        Task<int> guarded = LostQuestionException.GuardAsync(answer.Task, Timeout, _time);

        answer.SetResult(7);

        Assert.Equal(7, await guarded);
    }

    [Fact]
    public async Task Guard_AFailure_IsPassedOn()
    {
        var refused = new KafkaException(ErrorCode.Local_UnsupportedFeature);
        Task<int> guarded = LostQuestionException.GuardAsync(Task.FromException<int>(refused), Timeout, _time);

        Assert.Same(refused, await Assert.ThrowsAsync<KafkaException>(() => guarded));
    }
}
