using StreamEm.Core.Learning;
using StreamEm.Sources;
using StreamEm.Sources.Kafka;
using StreamEm.Worker.Pipeline;

namespace StreamEm.Worker.ScaleOut;

/// <summary>
/// What a model begins with that has no state yet: the parameters that the configuration names, or those that are found in the first
/// records of the source, which the first reducer reads for itself. The records are then learned from by the workers like all others.
/// </summary>
internal sealed class FirstParameters : IDisposable
{
    private readonly ModelContext _context;
    private readonly Learner _learner;
    private readonly SourceReader? _reader;
    private long? _since;

    /// <summary>Begins to read where that is needed.</summary>
    public FirstParameters(ModelContext context)
    {
        _context = context;
        ModelOptions options = context.Options;
        _learner = LearnerStart.Create(options);
        if (_learner.HasParameters) return;
        KafkaSourceOptions source = (KafkaSourceOptions)options.Source with { GroupId = null };
        _reader = new SourceReader(new KafkaSource(source,
            new SourceContext(options.Schema.Read, new SourcePosition(), context.Time) { MinibatchSize = options.Learning.MinibatchSize }),
            options.Schema.Read, context.Time);
        _reader.Start();
    }

    /// <summary>What the parameters are found in, so far.</summary>
    public int Records => _learner.Pending;

    /// <summary>Takes what there is; never waits.</summary>
    /// <returns>A learner with parameters; null while there are too few records.</returns>
    public Learner? TryFind()
    {
        if (_reader is null) return _learner;
        while (_reader.TryTake(out RecordBatch? batch))
        {
            int count = Math.Min(batch.Count, Math.Max(0, _context.Options.Learning.Initialization.Buffer - _learner.Pending));
            if (count > 0)
                _learner.Add(_learner.Features?.Make(batch.Records, 0, count) ?? batch.Records, 0, count);
            _reader.Return(batch);
            if (_learner.Pending > 0) _since ??= _context.Time.GetTimestamp();
            if (_learner.Pending >= _context.Options.Learning.Initialization.Buffer && _learner.TryBegin(flush: false)) return _learner;
        }

        if (_reader.Ended.IsFaulted) _reader.Ended.GetAwaiter().GetResult();
        bool isOverdue = _since is { } since && _context.Options.InitializationMaxWait is { } wait
            && _context.Time.GetElapsedTime(since) >= wait && _learner.Pending >= _context.Options.LeastRowsToStart;
        return isOverdue && _learner.TryBegin(flush: true) ? _learner : null;
    }

    /// <inheritdoc/>
    public void Dispose() => _reader?.DisposeAsync().AsTask().GetAwaiter().GetResult();
}
