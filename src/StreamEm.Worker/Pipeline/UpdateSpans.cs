using System.Diagnostics;
using StreamEm.Core.Estimation;
using StreamEm.Sources.Kafka;
using StreamEm.Worker.Scoring;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Pipeline;

/// <summary>
/// Times the updates of a model, and makes a span of each that learned from records which came with a trace: from the E-step to the version
/// that is handed on, linked to the traces of the records. Updates from other records make none: where nobody traces what he sends there
/// would be many, which say nothing. One thread.
/// </summary>
internal sealed class UpdateSpans
{
    private const string Operation = "update";

    private readonly ModelContext _context;
    private readonly UpdateClock _clock;
    private readonly KafkaSourceOptions? _kafka;
    private readonly string? _topic;
    private readonly TraceLinks _links = new();
    private DateTimeOffset _since;
    private int _records;

    public UpdateSpans(ModelContext context)
    {
        (_context, _clock) = (context, new UpdateClock(context.Metrics, context.Time));
        _kafka = context.Options.Source as KafkaSourceOptions;
        _topic = _kafka is { Topics: [var only] } ? only : null;
        Entering = Enter;
    }

    /// <summary>Told of the steps of updates.</summary>
    public Action<UpdatePhase> Entering { get; }

    /// <summary>Takes note of records that are about to be learned from.</summary>
    public void Take(in TakenRecords taken)
    {
        _links.Add(taken.Batch, taken.First, taken.Count);
        _records += taken.Count;
    }

    /// <summary>The span of the update just done; null where its records came with no trace, or nobody listens.</summary>
    /// <param name="version">What it made.</param>
    public Activity? Begin(long version)
    {
        Activity? span = null;
        if (!_links.IsEmpty)
        {
            span = WorkerTraces.Begin(_topic is null ? Operation : $"{Operation} {_topic}", _context.Options.Id, version,
                _kafka is null ? ActivityKind.Internal : ActivityKind.Consumer, since: _since);
            _links.MoveTo(span);
            if (_kafka is not null)
                span.OfMessages(Operation, "process", _topic, _records)?.SetTag("messaging.consumer.group.name", _kafka.GroupId);
        }

        (_since, _records) = (default, 0);
        return span;
    }

    private void Enter(UpdatePhase phase)
    {
        if (phase == UpdatePhase.Expectation && _since == default && !_links.IsEmpty) _since = _context.Time.GetUtcNow();
        _clock.Enter(phase);
    }
}
