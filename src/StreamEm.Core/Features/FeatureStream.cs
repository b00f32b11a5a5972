using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Features;

/// <summary>
/// Makes the rows that a model learns from of the rows that are read: derived features (<see cref="DerivedFeature"/>), key by key in the
/// records' order, and weight 0 for records of a time that nothing is learned from. A function of the records and their order; what it
/// remembers of the keys is part of the state. In steady state nothing is allocated. One thread at a time.
/// </summary>
public sealed class FeatureStream
{
    private const int MostKeys = 100_000_000;

    private readonly Cell[] _cells;
    private readonly CalendarClock? _calendar;
    private readonly Minibatch _made;
    private readonly double[] _begin;
    private readonly int _capacity;
    private KeyTable? _keys;
    private double[] _memory = [];
    private string? _lastKey;
    private int _lastSlot;

    private FeatureStream(RecordSchema schema, CalendarClock? calendar)
    {
        _calendar = calendar;
        _cells = CellsOf(schema);
        _made = new Minibatch(schema.Width);
        _begin = new double[_cells.Sum(cell => cell.Length)];
        foreach (Cell cell in _cells)
            if (cell.Formula is FeatureFormula.Lag or FeatureFormula.Difference or FeatureFormula.Rate)
                _begin.AsSpan(cell.At + 1, cell.Length - 1).Fill(double.NaN);
        _capacity = schema.FeatureKeys;
    }

    /// <summary>What makes the rows of a schema; null where they are learned from as they are read.</summary>
    /// <param name="schema">The features.</param>
    /// <param name="calendar">Times that nothing is learned from; null for none.</param>
    /// <exception cref="ArgumentException">This machine does not know a time zone.</exception>
    public static FeatureStream? Of(RecordSchema schema, Calendar? calendar = null)
    {
        CalendarClock? clock = calendar is { SkipLearning.Count: > 0 } ? new CalendarClock(calendar) : null;
        return schema.Derived.Count == 0 && clock is null ? null : new FeatureStream(schema, clock);
    }

    /// <summary>Whether anything is remembered of the keys.</summary>
    public bool HasMemory => _begin.Length > 0;

    /// <summary>Makes the rows of some records; valid until the next call.</summary>
    /// <param name="read">Rows as <see cref="RecordSchema.Read"/> has them.</param>
    /// <param name="first">The first.</param>
    /// <param name="count">How many.</param>
    public Minibatch Make(Minibatch read, int first, int count)
    {
        _made.Clear();
        _made.Texts = read.Texts;
        for (int row = first; row < first + count; row++)
        {
            long time = read.Timestamp(row);
            Span<double> made = _made.NextRow;
            Make(read.Row(row), time, HasMemory ? MemoryOf(read.Texts?.Find(read.Key(row)) ?? "") : default, made);
            double weight = _calendar is { } calendar && calendar.SkipsLearning(time) ? 0 : read.Weight(row);
            if (read.HasTerms) _made.SetTerms(_made.Count, read.Terms(row), read.CountsOfTerms(row));
            _made.Commit(weight, read.Label(row), read.Target(row), read.Key(row), time);
            if (read.IsLast(row)) _made.EndSequence();
        }
        return _made;
    }

    /// <summary>Forgets the keys: other records follow, and not those after the last ones.</summary>
    public void Clear()
    {
        (_keys, _lastKey) = (null, null);
    }

    /// <summary>Takes over what another of the same features remembers.</summary>
    internal void CopyFrom(FeatureStream? other)
    {
        if (other?._keys is not { } keys || !HasMemory || other._begin.Length != _begin.Length) return;
        _lastKey = null;
        _keys = new KeyTable(keys.Capacity);
        _keys.CopyFrom(keys);
        _memory = [.. other._memory];
    }

    /// <summary>Writes what is remembered.</summary>
    internal void Save(BinaryWriter writer)
    {
        _keys ??= new KeyTable(_capacity);
        int count = _keys.Count;
        writer.Write(count);
        _keys.Save(writer);
        writer.WriteDoubles(_memory.AsSpan(0, count * _begin.Length));
    }

    /// <summary>Reads what <see cref="Save"/> wrote with the same features.</summary>
    /// <exception cref="InvalidDataException">It is damaged, or of other features.</exception>
    internal void Load(BinaryReader reader)
    {
        int count = reader.ReadInt32();
        if (count is < 0 or > MostKeys || count > reader.BaseStream.Length - reader.BaseStream.Position)
            throw new InvalidDataException($"The state of the features is damaged: it says {count} keys.");
        _keys = new KeyTable(Math.Max(_capacity, count));
        _keys.Load(reader);
        _memory = reader.ReadDoubles();
        _lastKey = null;
        if (_keys.Count != count || _memory.Length != (long)count * _begin.Length)
            throw new InvalidDataException("The state of the features is damaged: it is of other features, or of other keys.");
        foreach (Cell cell in _cells)
            for (int slot = 0; cell.Length > 0 && slot < count; slot++)
            {
                ReadOnlySpan<double> memory = _memory.AsSpan(slot * _begin.Length + cell.At, cell.Length);
                if (!IsWhole(memory[0], cell.Ring - 1) || (cell.IsRolling && !IsWhole(memory[1], cell.Ring)))
                    throw new InvalidDataException("The state of the features is damaged: a place in it is none.");
            }
    }

    private static bool IsWhole(double value, int most) => value >= 0 && value <= most && value == Math.Floor(value);

    private Span<double> MemoryOf(string key)
    {
        int length = _begin.Length;
        if (ReferenceEquals(key, _lastKey)) return _memory.AsSpan(_lastSlot * length, length);
        _keys ??= new KeyTable(_capacity);
        int slot = _keys.Touch(key, out bool isNew);
        if ((long)(slot + 1) * length > _memory.Length)
            Array.Resize(ref _memory, checked((int)Math.Min((long)_keys.Capacity * length, 2L * (slot + 1) * length)));
        Span<double> memory = _memory.AsSpan(slot * length, length);
        if (isNew) _begin.CopyTo(memory);
        (_lastKey, _lastSlot) = (key, slot);
        return memory;
    }

    private void Make(ReadOnlySpan<double> read, long time, Span<double> memory, Span<double> made)
    {
        foreach (ref readonly Cell cell in _cells.AsSpan())
        {
            double x = cell.Input < 0 ? double.NaN : cell.IsOfMade ? made[cell.Input] : read[cell.Input];
            Span<double> own = memory.IsEmpty ? memory : memory.Slice(cell.At, cell.Length);
            double value = cell.Formula switch
            {
                null => x,
                FeatureFormula.Lag => Exchange(own[1..], ref own[0], x),
                FeatureFormula.Difference => x - Exchange(own[1..], ref own[0], x),
                FeatureFormula.Rate => Rate(own, x, time),
                FeatureFormula.Log => x + cell.Offset is > 0 and var positive ? ScalarMath.Log(positive) : double.NaN,
                FeatureFormula.RollingMean => Take(own, x).Mean,
                FeatureFormula.RollingDeviation => Take(own, x).Deviation,
                _ => Phase(cell, time, out made[cell.Output + 1]),
            };
            // A difference of two numbers that are there may be none.
            made[cell.Output] = double.IsInfinity(value) ? double.NaN : value;
        }
    }

    /// <summary>Puts a value into a ring, in the place of the oldest, which is returned.</summary>
    private static double Exchange(Span<double> ring, ref double place, double value)
    {
        int at = (int)place;
        (double oldest, ring[at]) = (ring[at], value);
        place = at + 1 == ring.Length ? 0 : at + 1;
        return oldest;
    }

    private static double Rate(Span<double> memory, double x, long time)
    {
        int steps = (memory.Length - 1) / 2;
        double place = memory[0], now = time == Minibatch.NoTimestamp ? double.NaN : time;
        double before = Exchange(memory.Slice(1 + steps, steps), ref place, now);
        double change = x - Exchange(memory.Slice(1, steps), ref memory[0], x), seconds = (now - before) / 1000;
        return seconds > 0 ? change / seconds : double.NaN;
    }

    private static RollingMoments Take(Span<double> memory, double x)
    {
        var moments = new RollingMoments(memory);
        if (!double.IsNaN(x)) moments.Take(x);
        return moments;
    }

    private static double Phase(in Cell cell, long time, out double cosine)
    {
        cosine = double.NaN;
        if (time == Minibatch.NoTimestamp) return double.NaN;
        (int weekday, long ofDay) = LocalClock.Read(cell.Clock!.LocalOf(time));
        double day = LocalClock.PartOfDay(ofDay);
        (double sine, cosine) = ScalarMath.Turn(cell.Formula == FeatureFormula.HourOfDay ? day : (weekday + day) / 7);
        return sine;
    }

    private static Cell[] CellsOf(RecordSchema schema)
    {
        List<string> read = [.. schema.Read.Columns], made = [];
        IReadOnlyList<string> columns = schema.Columns;
        var clocks = new Dictionary<string, LocalClock>(StringComparer.Ordinal);
        var cells = new List<Cell>();
        int at = 0;
        for (int output = 0; output < columns.Count; output += cells[^1].Outputs)
        {
            string name = columns[output];
            DerivedFeature? derived = schema.Derived.FirstOrDefault(feature => feature.Outputs[0] == name);
            if (derived is not null && !schema.Features.Skip(output).Take(derived.Outputs.Count).SequenceEqual(derived.Outputs))
                throw new ArgumentException($"The features do not have what '{derived.Name}' makes.", nameof(schema));
            bool isOfMade = derived is { IsOfTime: false } && made.Contains(derived.Source);
            cells.Add(new Cell
            {
                Formula = derived?.Formula,
                Input = derived is { IsOfTime: true } ? -1 : (isOfMade ? made : read).IndexOf(derived?.Source ?? name),
                IsOfMade = isOfMade,
                Output = output,
                Outputs = derived?.Outputs.Count ?? 1,
                At = at,
                Length = derived?.MemoryLength ?? 0,
                Offset = derived?.Offset ?? 0,
                Clock = derived is { IsOfTime: true, TimeZone: { } zone }
                    ? clocks.TryGetValue(zone, out LocalClock? known) ? known : clocks[zone] = LocalClock.Of(zone)
                    : null,
            });
            at += cells[^1].Length;
            made.AddRange(derived?.Outputs ?? [name]);
        }
        return [.. cells];
    }

    /// <summary>How one feature is made.</summary>
    private readonly struct Cell
    {
        public FeatureFormula? Formula { get; init; }

        public int Input { get; init; }

        public bool IsOfMade { get; init; }

        public int Output { get; init; }

        public int Outputs { get; init; }

        public int At { get; init; }

        public int Length { get; init; }

        public double Offset { get; init; }

        public LocalClock? Clock { get; init; }

        public bool IsRolling => Formula is FeatureFormula.RollingMean or FeatureFormula.RollingDeviation;

        /// <summary>Values that go round.</summary>
        public int Ring => IsRolling ? RollingMoments.RingOf(Length) : Formula == FeatureFormula.Rate ? (Length - 1) / 2 : Length - 1;
    }
}
