using System.Collections.Concurrent;
using System.Diagnostics;

namespace StreamEm.Worker.Tests.Support;

/// <summary>Tests with somebody who listens to spans: the process has one source of them, so nothing runs beside these.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class ListeningTests
{
    public const string Name = "listening";
}

/// <summary>Listens to the worker's spans, and keeps those that have ended.</summary>
internal sealed class Listening : IDisposable
{
    private readonly ConcurrentQueue<Activity> _ended = new();
    private readonly ActivityListener _listener;

    public Listening(params string[] others)
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "StreamEM" || others.Contains(source.Name),
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = _ended.Enqueue,
        };
        ActivitySource.AddActivityListener(_listener);
    }

    /// <summary>The spans of a name that have ended, in that order.</summary>
    public IReadOnlyList<Activity> Spans(string name) => [.. _ended.Where(span => span.OperationName == name)];

    public void Dispose() => _listener.Dispose();
}
