using Microsoft.Extensions.Time.Testing;

namespace StreamEm.Sources.Tests.Contracts;

/// <summary>The fake clock, which also says when somebody has begun to wait for it.</summary>
internal sealed class AwaitedTime : FakeTimeProvider
{
    private volatile TaskCompletionSource _waiting = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when a timer was started since the last <see cref="Elapse"/>.</summary>
    public Task WaitedForAsync() => _waiting.Task.WaitAsync(TimeSpan.FromSeconds(20), System, TestContext.Current.CancellationToken);

    /// <summary>Moves on; who waits from then on is told anew.</summary>
    public void Elapse(TimeSpan by)
    {
        _waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Advance(by);
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ITimer timer = base.CreateTimer(callback, state, dueTime, period);
        _waiting.TrySetResult();
        return timer;
    }
}
