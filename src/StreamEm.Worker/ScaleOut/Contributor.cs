using System.Diagnostics;
using System.Text;
using Confluent.Kafka;
using StreamEm.Core.Learning;
using StreamEm.Sources;
using StreamEm.Sources.Kafka;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Rejections;
using StreamEm.Worker.Scoring;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.ScaleOut;

/// <summary>
/// Works on the partitions that the group gives this worker: reads them from where the model stands, cuts minibatches of one partition,
/// computes what they say under the newest parameters known here, and sends that. With every change of the partitions, and whenever a
/// message was not counted, it begins anew from where the model stands: nothing that is not sent is kept. One thread.
/// </summary>
/// <param name="context">The model.</param>
/// <param name="topics">The topics.</param>
/// <param name="follower">The newest state.</param>
/// <param name="rejected">Where rejected records go.</param>
/// <param name="worker">This worker's name, which a worker that is started again at the same place has too.</param>
/// <param name="keys">What is known of the keys; null for nothing.</param>
internal sealed class Contributor(
    ModelContext context, ScaleOutTopics topics, ModelFollower follower, RejectionSink rejected, string worker, KeyShare? keys)
    : IDisposable
{
    /// <summary>So many minibatches' worth of offsets of which none counts are told to the model in a stream that never rests.</summary>
    private const long MostUntold = 64;

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);

    private readonly ModelOptions _options = context.Options;
    private readonly KafkaSourceOptions _source = (KafkaSourceOptions)context.Options.Source;
    private readonly InFlight _inFlight = new(context.Options.ScaleOut!.InFlight, context.Metrics.Lateness.Add);
    private readonly Guid _worker = Guid.CreateVersion7(context.Time.GetUtcNow());
    private readonly Dictionary<string, PartitionPosition> _next = new(StringComparer.Ordinal);
    private readonly HashSet<string> _begun = new(StringComparer.Ordinal);
    /// <summary>Where the model stood at the beginning: what is read of before is for the keys alone.</summary>
    private readonly Dictionary<string, PartitionPosition> _stood = new(StringComparer.Ordinal);
    private readonly ReadRange _range = new(rejected);
    private readonly SharedConfiguration _configuration = new(context.Options, context.Log);
    private Membership _members = null!;
    private StatisticsWriter _writer = null!;
    private LostTail _lost = null!;
    private SourceReader? _reader;
    private Checkpoint? _known, _looked, _behind;
    private Learner? _learner;
    private long _epoch = -1, _sequence;
    private bool _isMissed, _isAgain, _isRemembering;
    private volatile string? _problem;

    /// <summary>Why nothing comes from the source; null when all is well. Any thread.</summary>
    public string? Problem => _problem;

    /// <summary>What messages go through on their way; in a run nothing.</summary>
    public Func<StatisticsWriter, StatisticsWriter> Wrap { get; init; } = writer => writer;

    private bool IsTransactional => _options.ScaleOut!.Transactions == Transactions.On;

    /// <summary>Works until the stop.</summary>
    /// <exception cref="CommandException">It cannot go on.</exception>
    /// <exception cref="SourceException">The source cannot go on.</exception>
    public void Run(CancellationToken stop)
    {
        using var members = new Membership(topics.Statistics, topics.Group, worker, _source.Topics, _options.ScaleOut!,
            topics.NewOutage(), context.Time)
        { Rebalanced = context.Metrics.Rebalanced, Changing = how => keys?.Changing(how) };
        using StatisticsWriter writer = Wrap(StatisticsWriter.Create(context, topics, members, worker));
        using var lost = new LostTail(topics, _inFlight, context.Time);
        (_members, _writer, _lost) = (members, writer, lost);
        keys?.Open();
        try
        {
            while (!stop.IsCancellationRequested) Step(stop);
            keys?.GiveUp();
        }
        finally
        {
            Forget();
            keys?.Dispose();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _reader?.DisposeAsync().AsTask().GetAwaiter().GetResult();

    /// <summary>Whether what was begun is still this worker's to go on with.</summary>
    private bool IsValid => _members.Epoch == _epoch && !_isMissed && _behind is null;

    private void Step(CancellationToken stop)
    {
        Look();
        // Without a model there is nothing to compute with, and nobody knows where to begin.
        if (follower.Newest is { } newest && !IsValid && !(ReferenceEquals(newest, _behind) && _members.Epoch == _epoch))
            Begin(newest, stop);
        if (_reader is null)
        {
            Rest(stop);
        }
        else if (_reader.TryTake(out RecordBatch? batch))
        {
            Take(batch, stop);
            _reader.Return(batch);
        }
        else if (_reader.Ended.IsCompleted)
        {
            _reader.Ended.GetAwaiter().GetResult();
            throw new InvalidOperationException("The source ended by itself.");
        }
        else
        {
            rejected.Flush();
            using var awake = CancellationTokenSource.CreateLinkedTokenSource(stop);
            Task.WaitAny([_reader.WaitAsync(awake.Token), Task.Delay(LookEvery, context.Time, awake.Token)], CancellationToken.None);
            awake.Cancel();
        }
    }

    private void Rest(CancellationToken stop) =>
        Task.WaitAny([follower.Changed, Task.Delay(LookEvery, context.Time, stop)], CancellationToken.None);

    /// <summary>Looks at the group, the model and what is under way.</summary>
    private void Look()
    {
        _isMissed |= !_writer.Look() | _lost.Look();
        _members.Poll();
        keys?.Look();
        (_problem, context.Metrics.Progress) = (_reader?.Source.Problem ?? _members.Problem ?? _writer.Problem, _reader?.Source.Progress);
        if (follower.Newest is not { } newest) return;
        // Transactions have committed further than the model is.
        if (!IsTransactional) _members.Commit(newest.Position);
        if (ReferenceEquals(newest, _looked)) return;
        _looked = newest;
        _lost.Restart();
        _configuration.Look(newest);
        _isMissed |= _inFlight.Look(newest.Position, newest.StatisticsNext ?? 0, newest.Updates, newest.StatisticsCuts ?? 0);
        foreach ((string partition, PartitionPosition place) in newest.Position.Partitions) keys?.Confirm(partition, place.Next);
        context.Metrics.SetRead(newest.Rejections.Read, newest.Rejections.ByReason);
    }

    /// <summary>Begins at what is assigned now, from where the model stands.</summary>
    private void Begin(Checkpoint newest, CancellationToken stop)
    {
        bool isNew = !_isMissed;
        if (_isMissed) WorkerLog.ContributionsMissed(context.Log, _options.Id, _inFlight.Count);
        else if (_behind is null && (_members.Assigned.Count > 0 || _epoch >= 0))
            WorkerLog.PartitionsAssigned(context.Log, _options.Id, _members.Assigned.Count, string.Join(", ", _members.Assigned));
        Forget();
        // Until it is given other partitions: it may be slower than the others for as long.
        (_epoch, _isAgain, _isMissed, _behind) = (_members.Epoch, _isMissed || (_isAgain && _members.Epoch == _epoch), false, null);
        context.Metrics.Partitions = _members.Assigned.Count;
        if (keys?.TryTake(_members, stop) == false || _members.Assigned.Count == 0) return;
        // A newer state is on its way.
        if ((_behind = keys?.IsAheadOf(newest, stop) == true ? newest : null) is not null) return;
        var stands = new SourcePosition();
        string[] partitions = [.. _members.Assigned];
        foreach (string partition in partitions)
            if (newest.Position.Partitions.GetValueOrDefault(partition) is { } next) stands.Set(partition, next);
        // What others have sent says nothing of where it leaves sequences.
        if (IsTransactional && isNew && keys is not { AreSequences: true })
            foreach (RecordRange range in AheadOfModel.Pass(topics, newest, partitions, stands, _inFlight, stop))
                _begun.Add(range.Partition);

        var position = new SourcePosition();
        foreach (string partition in partitions)
        {
            PartitionPosition? stood = stands.Partitions.GetValueOrDefault(partition);
            if (stood is not null) _stood[partition] = stood;
            if ((keys is null ? stood : keys.Place(partition, stood)) is { } place) position.Set(partition, place);
        }

        _reader = SharedSource.Open(_options, partitions, position, newest.Position.Partitions.Count > 0, context.Time);
        Refresh();
    }

    /// <summary>Lets go of everything that is not in the model.</summary>
    private void Forget()
    {
        Dispose();
        (_reader, _learner, _known, _isRemembering) = (null, null, null, false);
        _writer.Forget();
        _inFlight.Clear();
        keys?.Forget();
        _next.Clear();
        _begun.Clear();
        _stood.Clear();
        _range.Forget();
    }

    /// <summary>Takes the newest parameters there are; what is pending stays.</summary>
    private void Refresh()
    {
        if (follower.Newest is not { } newest || ReferenceEquals(newest, _known)) return;
        _configuration.Look(newest);
        Learner learner = StateRestore.Learner(_options, newest, binding: null);
        if (_learner is { Pending: > 0 }) learner.TakePending(_learner);
        (_learner, _known) = (learner, newest);
    }

    private void Take(RecordBatch batch, CancellationToken stop)
    {
        if (batch.PartitionName != _range.Partition && !Cut(stop)) return;
        _range.Partition = batch.PartitionName;
        keys?.Meet(batch, stop);
        long stood = _stood.GetValueOrDefault(_range.Partition)?.Next ?? 0;
        _next.TryAdd(_range.Partition, batch.Start.Next < stood ? _stood[_range.Partition] : batch.Start);
        int refused = 0;
        for (int row = 0; row < batch.Count;)
        {
            for (; refused < batch.Rejected.Count && batch.Rejected[refused].BeforeRow <= row; refused++)
                if (batch.Rejected[refused].Offset >= stood) _range.Reject(batch.Rejected[refused]);
            int end = refused < batch.Rejected.Count ? batch.Rejected[refused].BeforeRow : batch.Count;
            bool isNew = batch.Offset(row) >= stood;
            if (isNew) Remember(stood);
            int count = isNew ? Math.Min(end - row, _options.Learning.MinibatchSize - _learner!.Pending) : 1;
            if (keys is not null) count = keys.CountAlike(batch, row, count);
            var taken = new TakenRecords(batch, row, count, _learner!.Features?.Make(batch.Records, row, count) ?? batch.Records);
            bool isLacked = keys?.Take(taken) == true;
            row += count;
            _range.End = batch.PositionAfter(row - 1);
            // The model has those before: they are read for where they leave sequences.
            if (isNew) _range.Accept(batch, taken.First, count);
            else _isRemembering = keys is { AreSequences: true };
            if (!isNew && !(_isRemembering && isLacked)) continue;
            _learner.Add(taken.Made, taken.FirstMade, count);
            if (_learner.Pending < _options.Learning.MinibatchSize) continue;
            if (!isNew) Remember(Math.Min(_range.End.Next, stood));
            else if (!Cut(stop)) return;
        }

        for (; refused < batch.Rejected.Count; refused++)
            if (batch.Rejected[refused].Offset >= stood) _range.Reject(batch.Rejected[refused]);
        _range.End = batch.EndPosition;
        keys?.Reach(batch, stop);
        // A partition that has no more for now sends what it has, and how far it is where nothing of it counts.
        bool isUntold = batch.IsDecision
            || (_range.Read == 0 && _range.End.Next - _next[_range.Partition].Next >= MostUntold * _options.Learning.MinibatchSize);
        if (isUntold || _range.Read - _learner!.Pending >= _options.Learning.MinibatchSize) Cut(stop, tellsPlace: isUntold);
        if (_range.Excess(_options.Rejected.StopAboveRatio) is { } excess) throw new CommandException(ExitCode.DataCorrupt, excess);
    }

    /// <summary>Has the sequences of the keys go on with the records that the model has; what these say is in it already.</summary>
    private void Remember(long to)
    {
        if (!_isRemembering) return;
        _isRemembering = false;
        Refresh();
        keys!.Contribute(_range.Partition, _learner!, to);
        keys.Confirm(_range.Partition, to);
    }

    /// <summary>Sends what the records say that were read of the partition since the last message.</summary>
    /// <param name="stop">Stops waiting.</param>
    /// <param name="tellsPlace">Whether it says how far that is where no record counts: filtered ones, and offsets without one.</param>
    /// <returns>False when everything is to begin anew, or to stop.</returns>
    private bool Cut(CancellationToken stop, bool tellsPlace = false)
    {
        string partition = _range.Partition;
        Remember(Math.Min(_range.End.Next, _stood.GetValueOrDefault(partition)?.Next ?? 0));
        if (_range.Read == 0 && !(tellsPlace && _range.End.Next > _next[partition].Next)) return true;
        for (; !_inFlight.HasRoom(partition); Look())
        {
            if (stop.IsCancellationRequested || !IsValid) return false;
            Rest(stop);
        }

        if (!IsValid) return false;
        Refresh();
        using Activity? span = WorkerTraces.Begin("contribute", _options.Id, _known!.Updates, ActivityKind.Producer)
            .OfMessages("contribute", "send", topics.Statistics.Topic, 1);
        _range.Links.MoveTo(span);
        var range = new RecordRange(partition, _next[partition].Next, _range.End.Next);
        var message = new StatisticsMessage
        {
            ModelId = _options.Id,
            RunId = _known.RunId,
            Worker = _worker,
            Sequence = ++_sequence,
            BaseVersion = _known.Updates,
            Range = range,
            Identity = _range.End.Identity,
            // Only the first range of one that has no place: should it be lost, those after it are a gap.
            Begins = _begun.Add(partition) && !_known.Position.Partitions.ContainsKey(partition),
            IsAgain = _isAgain,
            Read = _range.Read,
            Rejected = _range.Rejected,
            Contribution = keys is not null ? keys.Contribute(partition, _learner!, range.To)
                : _learner!.Pending > 0 ? _learner.Contribute() : null,
        };
        _writer.Send(new Message<byte[]?, byte[]?> { Key = Encoding.UTF8.GetBytes(partition), Value = message.Encode() }, range,
            _inFlight.Add(range, _known.Updates));
        _next[partition] = _range.End;
        _range.Forget();
        return true;
    }
}
