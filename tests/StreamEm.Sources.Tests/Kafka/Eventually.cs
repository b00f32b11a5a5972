using System.Diagnostics;

namespace StreamEm.Sources.Tests.Kafka;

/// <summary>Waits for what another process does: the only place where a test waits by the clock.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(50);

    /// <summary>Waits until a condition holds.</summary>
    public static async Task TrueAsync(Func<bool> condition, string what)
    {
        long start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < Deadline, $"Within {Deadline.TotalSeconds} s: {what}.");
            await Task.Delay(Between, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Repeats an act until it succeeds.</summary>
    public static async Task SucceedsAsync(Func<Task> act, string what)
    {
        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                await act();
                return;
            }
            catch (Confluent.Kafka.KafkaException) when (Stopwatch.GetElapsedTime(start) < Deadline)
            {
                await Task.Delay(Between, TestContext.Current.CancellationToken);
            }
        }
    }
}
