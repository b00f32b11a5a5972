using Confluent.Kafka;
using StreamEm.Core.Learning;
using StreamEm.Sources;
using StreamEm.Sources.Kafka;
using StreamEm.Worker.Pipeline;

namespace StreamEm.Worker.ScaleOut;

/// <summary>
/// What a model begins with that has no state yet: the parameters that the configuration names, or those that are found in the first
/// records of the source, which the first reducer reads for itself. The records are then learned from by the workers like all others.
/// Where the source does not begin with its first record, it says for all workers where it begins.
/// </summary>
internal sealed class FirstParameters : IDisposable
{
    private readonly ModelContext _context;
    private readonly Outage _outage;
    private readonly Learner _learner;
    private readonly KafkaSourceOptions _source;
    private SourceReader? _reader;
    private long? _since;

    /// <summary>Nothing is asked or read yet.</summary>
    /// <param name="context">The model.</param>
    /// <param name="outage">How long the brokers may be away.</param>
    public FirstParameters(ModelContext context, Outage outage)
    {
        (_context, _outage) = (context, outage);
        _learner = LearnerStart.Create(context.Options);
        _source = (KafkaSourceOptions)context.Options.Source with { GroupId = null };
        if (_source.Start == KafkaStart.Earliest) Starts = new SourcePosition();
    }

    /// <summary>
    /// Where every partition begins, found once for all workers; empty where each begins with its first record, null before.
    /// </summary>
    public SourcePosition? Starts { get; private set; }

    /// <summary>What the parameters are found in, so far.</summary>
    public int Records => _learner.Pending;

    /// <summary>Takes what there is; never waits.</summary>
    /// <returns>A learner with parameters; null while there are too few records.</returns>
    /// <exception cref="SourceException">The source cannot be read, or the brokers were away for too long.</exception>
    public Learner? TryFind()
    {
        if ((Starts ??= TryFindStarts()) is not { } starts) return null;
        if (_learner.HasParameters) return _learner;
        if (_reader is null) Open(starts);
        while (_reader!.TryTake(out RecordBatch? batch))
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

    private void Open(SourcePosition starts)
    {
        ModelOptions options = _context.Options;
        _reader = new SourceReader(new KafkaSource(_source,
            new SourceContext(options.Schema.Read, starts, _context.Time) { MinibatchSize = options.Learning.MinibatchSize }),
            options.Schema.Read, _context.Time);
        _reader.Start();
    }

    /// <summary>Asks where the partitions begin, once.</summary>
    /// <returns>Null when the brokers do not say, or a topic is not there yet.</returns>
    private SourcePosition? TryFindStarts()
    {
        try
        {
            SourcePosition found = _source.FindStarts(_context.Options.Schema.Read, _context.Time);
            _outage.End();
            return found;
        }
        catch (SourceException missing) when (missing.Failure == SourceFailure.Missing)
        {
            _outage.Begin(missing.Message, SourceFailure.Missing);
        }
        catch (KafkaException failure) when (!failure.Error.IsFatal && !KafkaClient.IsDenied(failure.Error.Code))
        {
            _outage.Begin(failure.Error.Reason);
        }
        catch (KafkaException failure)
        {
            throw KafkaClient.FailureOf(failure.Error, _source, failure);
        }

        _outage.ThrowIfTooLong();
        return null;
    }

    /// <inheritdoc/>
    public void Dispose() => _reader?.DisposeAsync().AsTask().GetAwaiter().GetResult();
}
