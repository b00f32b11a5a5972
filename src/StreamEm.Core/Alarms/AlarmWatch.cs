using StreamEm.Core.Calibration;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Snapshots;

namespace StreamEm.Core.Alarms;

/// <summary>
/// Raises alarms over a stream of scored records, key by key. A record whose p-value is below the threshold, and which is off by enough to
/// matter, raises one; after it, for a while, only one at least twice as improbable raises another (the rest); an alarm lasts until a
/// record is usual again (hysteresis). A function of the records and their order alone; its state is part of the checkpoint, so that a
/// replay raises none twice. One thread at a time.
/// </summary>
public sealed partial class AlarmWatch
{
    /// <summary>What a p-value has to be of that of the last alarm to count as stronger: twice as improbable.</summary>
    private const double Stronger = 0.5;

    /// <summary>Where what people say moves the threshold to, at most.</summary>
    private const double LeastThreshold = 1e-12, MostThreshold = 0.1;

    /// <summary>More keys than any state has.</summary>
    private const int MostKeys = 100_000_000;

    /// <summary>The part of the threshold below which a record is in alarm that is abnormal and not new.</summary>
    private const double Flagged = 0.1;

    private readonly AlarmOptions _options;
    private readonly BusinessLimits _limits;
    private readonly DiscoveryRate? _rate;
    private readonly CalendarClock? _calendar;
    private readonly double _clear;
    private double _flag, _calibrated = double.PositiveInfinity;
    private bool _isOfGrowing;
    private FarTail? _far;
    private KeyTable _keys;
    private Entry[] _entries;
    private string? _lastKey;
    private int _lastSlot;

    /// <summary>A watch that has seen nothing.</summary>
    /// <param name="options">When a record raises an alarm.</param>
    /// <param name="features">Names of the D features.</param>
    /// <param name="calendar">Times that no alarm is raised in; null for none.</param>
    public AlarmWatch(AlarmOptions options, IReadOnlyList<string> features, Calendar? calendar = null)
    {
        _options = options;
        _rate = options.FalseDiscoveryRate is { } rate ? new DiscoveryRate(rate) : null;
        _calendar = calendar is { SkipAlarms.Count: > 0 } ? new CalendarClock(calendar) : null;
        _limits = new BusinessLimits(options, features);
        _clear = Math.Max(options.Threshold, options.Clear ?? options.Threshold);
        Threshold = options.Threshold;
        _flag = options.Flag ?? options.Threshold;
        _keys = new KeyTable(options.MaxKeys);
        _entries = new Entry[Math.Min(options.MaxKeys, 16)];
    }

    /// <summary>Whether a record's p-values may make an alarm: what it is off by then counts.</summary>
    public bool MayMatter(double pValue, double novelty) =>
        pValue < _flag || (_rate is null ? novelty : pValue) < Threshold;

    /// <summary>Whether novelty raises alarms, where it is told, and not the p-value.</summary>
    public bool TestsNovelty => _rate is null;

    /// <summary>Whether a record's component counts.</summary>
    public bool HasLimits => _limits.Any;

    /// <summary>The p-value below which a record may raise an alarm: as configured, moved by what people said.</summary>
    public double Threshold { get; private set; }

    /// <summary>Alarms raised over the whole run.</summary>
    public long Raised { get; private set; }

    /// <summary>Alarms that ended over the whole run.</summary>
    public long Cleared { get; private set; }

    /// <summary>Keys whose alarm lasts.</summary>
    public int Lasting { get; private set; }

    /// <summary>Takes the version that the records to come are scored under.</summary>
    /// <param name="learned">The version.</param>
    /// <param name="isByNovelty">Whether it tells what is new, as a mixture that grows does: that raises alarms where no rate is held.
    /// </param>
    public void Begin(LearnedModel learned, bool isByNovelty = false)
    {
        _limits.Begin(learned);
        _calibrated = learned.Calibration?.Records ?? 0;
        _isOfGrowing = isByNovelty;
        _far = learned.Calibration?.Far;
        _flag = _options.Flag ?? (_rate is not null ? 0 : isByNovelty ? Flagged : 1) * Threshold;
    }

    /// <summary>Takes the next record.</summary>
    /// <param name="key">Its key; null for none.</param>
    /// <param name="timestamp">Its time, ms since 1970; <see cref="Minibatch.NoTimestamp"/> without.</param>
    /// <param name="pValue">Its p-value; NaN where there is none to give.</param>
    /// <param name="novelty">The p-value that raises an alarm: against everything seen, where that is told; else the same.</param>
    /// <param name="component">The component it most probably comes from; -1 without.</param>
    /// <param name="row">D values, the user's units.</param>
    public AlarmMark Take(string? key, long timestamp, double pValue, double novelty, int component, ReadOnlySpan<double> row)
    {
        key ??= "";
        if (_calendar?.SkipsAlarms(timestamp) == true) pValue = novelty = double.NaN;
        bool isNew = false;
        // Of a key that never was in alarm nothing has to be known, unless a rest is a share of its records.
        if (IsOfNoKeyInAlarm(key) && _rate is null && _options.RestShare == 0 && !MayMatter(pValue, novelty)) return AlarmMark.Quiet;
        int slot = ReferenceEquals(key, _lastKey) ? _lastSlot : _keys.Touch(key, out isNew);
        (_lastKey, _lastSlot) = (key, slot);
        if (slot >= _entries.Length) Array.Resize(ref _entries, Math.Min(_keys.Capacity, 2 * slot + 1));
        ref Entry entry = ref _entries[slot];
        if (isNew)
        {
            if (entry.IsLasting) Lasting--;
            entry = default;
        }

        entry.Seen++;
        bool matters = MayMatter(pValue, novelty) && _limits.Allow(row, component);
        bool isRaised, isFlagged = pValue < _flag;
        if (_rate is null)
        {
            isRaised = matters && novelty < Threshold && IsDue(entry, timestamp, novelty);
        }
        else
        {
            novelty = DiscoveryRate.Cautious(pValue, _calibrated, 1 - AnomalyCalibration.TailQuantile, _isOfGrowing, _far);
            isRaised = IsDiscovery(_rate, entry, timestamp, novelty, matters, ref isFlagged);
        }
        if (isRaised || (matters && isFlagged))
        {
            if (!entry.IsLasting) Lasting++;
            entry.IsLasting = true;
            if (!isRaised) return AlarmMark.Lasting;
            (entry.HasRaised, entry.LastSeen, entry.LastTime, entry.PValue) = (true, entry.Seen, timestamp, novelty);
            Raised++;
            return AlarmMark.Raised;
        }

        if (!entry.IsLasting) return AlarmMark.Quiet;
        if (!(pValue >= _clear)) return AlarmMark.Lasting;
        entry.IsLasting = false;
        Lasting--;
        Cleared++;
        return AlarmMark.Cleared;
    }

    /// <summary>
    /// Takes a person's word for a record: the threshold moves so that such a record raises no alarm (half of its p-value) or does (twice
    /// it), by at most a factor of two, and never above 0.1.
    /// </summary>
    /// <param name="pValue">The p-value that it was judged by.</param>
    /// <param name="isNormal">What was said.</param>
    /// <returns>Whether it moved.</returns>
    public bool MoveThreshold(double pValue, bool isNormal)
    {
        if (double.IsNaN(pValue) || isNormal != pValue < Threshold) return false;
        double before = Threshold;
        Threshold = isNormal
            ? Math.Max(Math.Max(pValue / 2, before / 2), LeastThreshold)
            : Math.Max(before, Math.Min(Math.Min(2 * pValue, 2 * before), MostThreshold));
        return Threshold != before;
    }

    /// <summary>Writes its state.</summary>
    public void Save(BinaryWriter writer)
    {
        writer.Write(Raised);
        writer.Write(Cleared);
        writer.Write(_keys.Count);
        _keys.Save(writer);
        for (int slot = 0; slot < _keys.Count; slot++) _entries[slot].Save(writer);
        writer.Write(_rate is not null);
        _rate?.Save(writer);
        writer.Write(Threshold / _options.Threshold);
    }

    /// <summary>Reads what <see cref="Save"/> wrote, whatever the options were then.</summary>
    /// <param name="reader">Where it is.</param>
    /// <param name="hasRate">Whether it says if a rate of false alarms was held, which states of 0.2 and before do not.</param>
    /// <param name="hasThreshold">Whether it says where the threshold is, which states from before feedback do not.</param>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public void Load(BinaryReader reader, bool hasRate = true, bool hasThreshold = true)
    {
        (Raised, Cleared) = (reader.ReadInt64(), reader.ReadInt64());
        int count = reader.ReadInt32();
        if (Raised < 0 || Cleared < 0 || count is < 0 or > MostKeys || count > reader.BaseStream.Length - reader.BaseStream.Position)
            throw new InvalidDataException("The alarms' state is damaged: a count is impossible.");
        _keys = new KeyTable(Math.Max(_options.MaxKeys, count));
        _keys.Load(reader);
        if (_keys.Count != count)
            throw new InvalidDataException("The alarms' state is damaged: it has another number of keys than it says.");
        _entries = new Entry[Math.Max(16, count)];
        _lastKey = null;
        Lasting = 0;
        for (int slot = 0; slot < count; slot++)
            if ((_entries[slot] = Entry.Load(reader)).IsLasting) Lasting++;
        if (hasRate && reader.ReadBoolean()) (_rate ?? new DiscoveryRate(1)).Load(reader);
        if (!hasThreshold) return;
        double moved = reader.ReadDouble();
        if (!(moved > 0) || !double.IsFinite(moved)) throw new InvalidDataException("The alarms' state is damaged: its threshold is none.");
        Threshold = Math.Clamp(moved * _options.Threshold, Math.Min(LeastThreshold, _options.Threshold), 1);
    }

    /// <summary>
    /// Whether a record raises an alarm where the rate of false ones is held. The level is known before the record: while a key rests, half
    /// of the p-value of its last alarm where that is less, and 0 within the least gap.
    /// </summary>
    private bool IsDiscovery(DiscoveryRate rate, in Entry entry, long timestamp, double pValue, bool matters, ref bool isFlagged)
    {
        if (double.IsNaN(pValue)) return false;
        double most = Math.Min(rate.Level, Threshold);
        double level = IsWithinGap(entry, timestamp) ? 0 : IsResting(entry) ? Math.Min(most, Stronger * entry.PValue) : most;
        bool isRaised = matters && pValue <= level && level > 0;
        if (_options.Flag is null) isFlagged = pValue <= most;
        rate.Take(level, isRaised);
        return isRaised;
    }

    private bool IsOfNoKeyInAlarm(string key) => !ReferenceEquals(key, _lastKey) && !_keys.Contains(key);

    private bool IsDue(in Entry entry, long timestamp, double pValue)
    {
        if (!entry.HasRaised) return true;
        return !IsWithinGap(entry, timestamp) && (!IsResting(entry) || pValue < Stronger * entry.PValue);
    }

    private bool IsWithinGap(in Entry entry, long timestamp)
    {
        bool hasTimes = entry.HasRaised && timestamp != Minibatch.NoTimestamp && entry.LastTime != Minibatch.NoTimestamp;
        return _options.MinGap is { } gap && hasTimes && timestamp - entry.LastTime < gap.TotalMilliseconds;
    }

    private bool IsResting(in Entry entry)
    {
        double rest = Math.Max(_options.Rest, Math.Min(_options.RestAtMost ?? double.MaxValue, _options.RestShare * (entry.Seen - 1)));
        return entry.HasRaised && entry.Seen - entry.LastSeen <= rest;
    }

    /// <summary>What is known of a key.</summary>
    private struct Entry
    {
        public long Seen, LastSeen, LastTime;
        public double PValue;
        public bool HasRaised, IsLasting;

        public static Entry Load(BinaryReader reader) => new()
        {
            Seen = reader.ReadInt64(),
            LastSeen = reader.ReadInt64(),
            LastTime = reader.ReadInt64(),
            PValue = reader.ReadDouble(),
            HasRaised = reader.ReadBoolean(),
            IsLasting = reader.ReadBoolean(),
        };

        public readonly void Save(BinaryWriter writer)
        {
            writer.Write(Seen);
            writer.Write(LastSeen);
            writer.Write(LastTime);
            writer.Write(PValue);
            writer.Write(HasRaised);
            writer.Write(IsLasting);
        }
    }
}
