using StreamEm.Core.Alarms;
using StreamEm.Core.Learning;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Keys;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Scores;
using StreamEm.Worker.Scoring;

namespace StreamEm.Worker.ScaleOut;

/// <summary>
/// Scores the records of the partitions that this worker has, each once, before the model of its key learns from it: by that model, or by
/// the newest model of all that is known here while its key knows too little. States of keys that have learned from records are written
/// when the lines of these have arrived, so that every record's line arrives, and some twice: after a kill what was learned since the last
/// mark is learned, and said, again. Used by the contributor's thread.
/// </summary>
internal sealed class KeyScoring : IKeyScores, IAsyncDisposable
{
    private static readonly TimeSpan FollowEvery = TimeSpan.FromMilliseconds(500), LookEvery = TimeSpan.FromMilliseconds(250);

    private readonly ModelContext _context;
    private readonly ScoreDelivery _delivery;
    private KeyedPartition? _current;
    private ScoreStream? _stream;
    private Checkpoint? _followed;
    private long _followedAt;
    private bool _isSettled = true;

    private KeyScoring(ModelContext context)
    {
        _context = context;
        ModelOptions options = context.Options;
        Alarms = options.CreateAlarms();
        _delivery = new ScoreDelivery([.. options.Scores.Select(entry => new ScoreLane(
            ScoreSinkCatalog.Create(options.Id, entry, context.Time, context.Log), context.Metrics, context.Time))]);
    }

    /// <summary>The alarms; null for none.</summary>
    public AlarmWatch? Alarms { get; }

    /// <summary>What keeps a sink from delivering; null when all is well. Any thread.</summary>
    public Obstacle? Obstacle => _delivery.Obstacle;

    /// <inheritdoc/>
    public ReadOnlySpan<KeyedScore> Scores => _current is { } part ? part.Scores : default;

    /// <summary>Scores as the model's options say; null where they say nothing of it.</summary>
    /// <exception cref="CommandException">There is no such sink.</exception>
    public static KeyScoring? Of(ModelContext context) =>
        context.Options is { Scores.Count: 0, Alarms: null } ? null : new KeyScoring(context);

    /// <summary>Begins with the first model that is known; then follows the newest now and then.</summary>
    /// <exception cref="CommandException">A sink cannot be opened.</exception>
    public void Follow(Checkpoint newest, CancellationToken stop)
    {
        if (ReferenceEquals(newest, _followed)) return;
        if (_stream is not null && _context.Time.GetElapsedTime(_followedAt) < FollowEvery) return;
        Learner learner = StateRestore.Learner(_context.Options, newest, binding: null);
        if (_stream is null) Begin(learner, newest.RunId, stop);
        else _stream.Follow(learner);
        (_followed, _followedAt) = (newest, _context.Time.GetTimestamp());
    }

    /// <summary>Scores records that the models of a partition's keys have just taken.</summary>
    public void Take(in TakenRecords taken, KeyedPartition part)
    {
        (_current, _isSettled) = (part, false);
        _stream!.Take(taken, record: 0);
    }

    /// <summary>Waits until all lines have arrived where they go, and stay there.</summary>
    /// <exception cref="CommandException">A sink cannot go on.</exception>
    public void Settle(CancellationToken stop)
    {
        if (_isSettled) return;
        Wait(mostBytes: 0, stop);
        _delivery.MakeDurable();
        _isSettled = true;
    }

    /// <summary>Looks at the sinks; where too much is under way, waits.</summary>
    /// <exception cref="CommandException">A sink cannot go on.</exception>
    public void Look(CancellationToken stop)
    {
        foreach (Task delivering in _delivery.Delivering)
            if (delivering.IsFaulted) delivering.GetAwaiter().GetResult();
        if (_delivery.IsFull) Wait(ScoreLane.LimitBytes / 2, stop);
    }

    /// <inheritdoc/>
    public int? Judge(string? key, ReadOnlySpan<double> row, bool isNormal) =>
        throw new NotSupportedException("What people say of records is not taken by workers that learn together.");

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _delivery.DisposeAsync();

    private void Begin(Learner learner, string runId, CancellationToken stop)
    {
        ModelOptions options = _context.Options;
        _delivery.OpenAsync(runId, stop).GetAwaiter().GetResult();
        _delivery.Begin(isReplayable: true);
        _context.Shown.IsScored = true;
        _stream = new ScoreStream(options.Id, options.Schema, learner, [.. options.Scores.Select(entry => entry.Selection)], _delivery,
            Alarms, recent: null, this, _context.Metrics, _context.Shown, _context.Time)
        { NumbersByOffset = true };
    }

    private void Wait(long mostBytes, CancellationToken stop)
    {
        while (true)
        {
            Task arrival = _delivery.NextArrival;
            if (_delivery.Bytes <= mostBytes) break;
            stop.ThrowIfCancellationRequested();
            Task.WaitAny([arrival, Task.Delay(LookEvery, _context.Time, stop)], CancellationToken.None);
            foreach (Task delivering in _delivery.Delivering)
                if (delivering.IsFaulted) delivering.GetAwaiter().GetResult();
        }
    }
}
