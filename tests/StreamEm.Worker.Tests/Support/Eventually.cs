using System.Diagnostics;

namespace StreamEm.Worker.Tests.Support;

/// <summary>Waits for what another process or thread will make true, with a deadline.</summary>
internal static class Eventually
{
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    public static async Task<T> Get<T>(Func<Task<T?>> attempt, string what)
        where T : class
    {
        var watch = Stopwatch.StartNew();
        while (watch.Elapsed < Deadline)
        {
            if (await attempt() is { } result) return result;
            await Task.Delay(5);
        }

        throw new TimeoutException($"Not within {Deadline.TotalSeconds:0} s: {what}.");
    }

    public static async Task True(Func<bool> condition, string what) => await Get(() => Task.FromResult(condition() ? "yes" : null), what);

    public static Task<T> Within<T>(Task<T> task) => task.WaitAsync(Deadline);

    public static Task Within(Task task) => task.WaitAsync(Deadline);
}
