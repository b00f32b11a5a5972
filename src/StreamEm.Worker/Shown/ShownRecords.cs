using StreamEm.Core;
using StreamEm.Core.Alarms;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Worker.Scoring;

namespace StreamEm.Worker.Shown;

/// <summary>
/// What a person may want to see of the records a model takes: an even sample of the latest, those that raised or ended an alarm, and the
/// strangest. Bounded in memory, in no state, and of no influence on what is learned: a restart begins anew. The learner's thread adds,
/// which costs it a comparison a batch and a copy of some records a second; anybody may read.
/// <para>The sample takes every record while they come slowly. It takes one in <see cref="Every"/>, at random distances so that no rhythm
/// of the stream is met, where its room would hold less than some seconds; and never lets <see cref="LongestGap"/> go by without
/// one.</para>
/// </summary>
internal sealed class ShownRecords
{
    /// <summary>The most records of the sample.</summary>
    public const int MaxSample = 1000;

    /// <summary>The most of the alarms, and of the strangest, that are told.</summary>
    public const int MaxNotable = 100;

    private const int MaxValues = 1 << 17, MinSample = 64;
    private const long MaxTextBytes = 1 << 20;
    private const long MostApart = 1 << 20;

    /// <summary>A record whose p-value is above this is not strange.</summary>
    private const double Strange = 0.1;

    /// <summary>How long half of the sample is to last.</summary>
    private static readonly TimeSpan ShortestHalf = TimeSpan.FromSeconds(5);

    /// <summary>The longest time that passes without a record, where there is any.</summary>
    private static readonly TimeSpan LongestGap = TimeSpan.FromMilliseconds(50);

    /// <summary>The strangest are of the last one to two of these.</summary>
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(10);

    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private readonly SplitMix64 _chance = new(1);
    private readonly int _half;
    private readonly int _dimension;
    private readonly int[] _textFeatures;
    private KeptRecords _older, _newer, _olderAlarms, _newerAlarms, _olderStrange, _newerStrange;
    private long _next, _takenAt, _turnedAt, _windowAt;

    /// <summary>Nothing yet.</summary>
    /// <param name="schema">The columns of the records; what they hold is known.</param>
    /// <param name="time">The clock.</param>
    public ShownRecords(RecordSchema schema, TimeProvider time)
    {
        _time = time;
        _dimension = schema.Width;
        _textFeatures = [.. Enumerable.Range(0, _dimension).Where(d => schema.KindOf(d) is FeatureKind.Level or FeatureKind.Terms)];
        _half = Math.Clamp(MaxValues / Math.Max(1, _dimension), MinSample, MaxSample) / 2;
        (_older, _newer, _olderAlarms, _newerAlarms, _olderStrange, _newerStrange) = (None(), None(), None(), None(), None(), None());
        _takenAt = _turnedAt = _windowAt = time.GetTimestamp();
    }

    /// <summary>How many records the sample has one of, now.</summary>
    public long Every { get; private set; } = 1;

    /// <summary>Whether every record is scored as it comes, so that the strangest are those of all and not of the sample.</summary>
    public bool IsScored { get; set; }

    /// <summary>Scored records with a smaller p-value are to be told of. The learner's thread.</summary>
    public double StrangeBelow { get; private set; } = Strange;

    /// <summary>Takes what belongs to the sample of the records that are taken next. The learner's thread.</summary>
    /// <param name="taken">The records.</param>
    /// <param name="record">The first one's number in the input.</param>
    public void Take(in TakenRecords taken, long record)
    {
        long now = _time.GetTimestamp(), end = record + taken.Count;
        if (_time.GetElapsedTime(_windowAt, now) >= Window) TurnWindow(now);
        if (_next >= end)
        {
            if (_time.GetElapsedTime(_takenAt, now) < LongestGap) return;
            Every = Math.Max(1, Every / 2);
            _next = record;
        }

        lock (_lock)
        {
            for (_next = Math.Max(_next, record); _next < end; _next += Distance())
            {
                int row = (int)(_next - record);
                if (_newer.Count >= _half || _newer.TextBytes > MaxTextBytes) Turn(now);
                _newer.Add(taken.Made, taken.FirstMade + row,
                    new KeptMark(_next, taken.Batch.PartitionName, taken.Batch.Offset(taken.First + row)));
            }
        }

        _takenAt = now;
    }

    /// <summary>Takes a record that raised or ended an alarm, or is strange. The learner's thread.</summary>
    public void Take(in ScoredRecord score)
    {
        Minibatch rows = score.Rows ?? throw new InvalidOperationException("The record's fields are not at hand.");
        KeptMark mark = KeptMark.Of(score);
        lock (_lock)
        {
            if (score.Alarm is AlarmMark.Raised or AlarmMark.Cleared)
            {
                if (_newerAlarms.Count >= MaxNotable || _newerAlarms.TextBytes > MaxTextBytes)
                    Turn(ref _olderAlarms, ref _newerAlarms);
                _newerAlarms.Add(rows, score.Row, mark);
            }

            if (score.PValue < StrangeBelow)
            {
                _newerStrange.Add(rows, score.Row, mark);
                if (_newerStrange.Count >= 2 * MaxNotable || _newerStrange.TextBytes > MaxTextBytes) Sift();
            }
        }
    }

    /// <summary>The newest of the sample, oldest first. Any thread.</summary>
    public KeptRecords Sample(int count) => Last(count, ref _older, ref _newer);

    /// <summary>The newest that raised or ended an alarm, oldest first. Any thread.</summary>
    public KeptRecords Alarms(int count) => Last(count, ref _olderAlarms, ref _newerAlarms);

    /// <summary>The strangest of those scored as they came, the strangest first. Any thread.</summary>
    public KeptRecords Strangest(int count) => Last(int.MaxValue, ref _olderStrange, ref _newerStrange).Strangest(count);

    private KeptRecords Last(int count, ref KeptRecords older, ref KeptRecords newer)
    {
        KeptRecords last = None();
        lock (_lock)
        {
            last.AddLast(older, count - Math.Min(count, newer.Count));
            last.AddLast(newer, count);
        }

        return last;
    }

    private KeptRecords None() => new(_dimension, _textFeatures);

    private long Distance() => Every == 1 ? 1 : 1 + (long)(_chance.NextDouble() * (2 * Every - 1));

    /// <summary>Begins the next half of the sample; a half that was full too soon has the next one spread over twice the records.</summary>
    private void Turn(long now)
    {
        Turn(ref _older, ref _newer);
        if (_time.GetElapsedTime(_turnedAt, now) < ShortestHalf) Every = Math.Min(MostApart, 2 * Every);
        _turnedAt = now;
    }

    private void TurnWindow(long now)
    {
        lock (_lock) Turn(ref _olderStrange, ref _newerStrange);
        StrangeBelow = Strange;
        _windowAt = now;
    }

    /// <summary>Leaves the strangest, and asks of what comes to be as strange as the least of them.</summary>
    private void Sift()
    {
        KeptRecords strangest = _newerStrange.Strangest(Math.Clamp(_newerStrange.Count / 2, 1, MaxNotable));
        // A table of its own: what is left out takes its texts with it.
        _newerStrange = None();
        _newerStrange.AddLast(strangest, strangest.Count);
        StrangeBelow = strangest.Marks[^1].PValue;
    }

    private static void Turn(ref KeptRecords older, ref KeptRecords newer)
    {
        (older, newer) = (newer, older);
        newer.Clear();
    }
}
