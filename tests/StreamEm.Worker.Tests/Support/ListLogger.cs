using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace StreamEm.Worker.Tests.Support;

/// <summary>Keeps the names of the events logged.</summary>
internal sealed class ListLogger : ILogger
{
    public ConcurrentQueue<string> Events { get; } = new();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception,
        Func<TState, Exception?, string> formatter) =>
        Events.Enqueue(eventId.Name ?? "");
}
