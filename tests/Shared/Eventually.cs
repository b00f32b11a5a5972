using System.Diagnostics;
using System.Globalization;

namespace StreamEm.Tests.Shared;

/// <summary>
/// Waits for what another process or thread will make true, with a deadline: the only place where a test waits by the clock.
/// </summary>
internal static class Eventually
{
    /// <summary>A minute, for slow machines. Mutants wait for what never comes: their run asks for less.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(
        int.TryParse(Environment.GetEnvironmentVariable("STREAMEM_TEST_PATIENCE"), CultureInfo.InvariantCulture, out int asked)
            ? asked
            : 60);

    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(10);

    /// <summary>Repeats an attempt until it yields something.</summary>
    public static async Task<T> Get<T>(Func<Task<T?>> attempt, string what, TimeSpan? deadline = null)
        where T : class
    {
        var watch = Stopwatch.StartNew();
        while (watch.Elapsed < (deadline ?? Deadline))
        {
            if (await attempt() is { } result) return result;
            await Task.Delay(Between, TestContext.Current.CancellationToken);
        }

        throw new TimeoutException($"Not within {(deadline ?? Deadline).TotalSeconds:0} s: {what}.");
    }

    /// <summary>Waits until a condition holds.</summary>
    public static async Task True(Func<bool> condition, string what, TimeSpan? deadline = null) =>
        await Get(() => Task.FromResult(condition() ? "yes" : null), what, deadline);

    /// <summary>Repeats an act until it no longer throws <typeparamref name="TException"/>.</summary>
    public static async Task Succeeds<TException>(Func<Task> act, string what)
        where TException : Exception
    {
        await Get(async () =>
        {
            try
            {
                await act();
                return "yes";
            }
            catch (TException)
            {
                return null;
            }
        }, what);
    }

    public static Task<T> Within<T>(Task<T> task) => task.WaitAsync(Deadline);

    public static Task Within(Task task) => task.WaitAsync(Deadline);
}
