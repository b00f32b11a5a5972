namespace StreamEm.Worker.Scores;

/// <summary>
/// The last records that were scored, so that a person can say something of one of them: number, key, time, p-value and values. A ring that
/// grows to its capacity with what comes; part of the state.
/// </summary>
/// <param name="dimension">D.</param>
/// <param name="capacity">How many are kept.</param>
internal sealed class RecentRecords(int dimension, int capacity)
{
    private const int First = 256;

    private long[] _numbers = [], _times = [];
    private string?[] _keys = [];
    private double[] _pValues = [], _values = [];
    private int _next, _count;

    /// <summary>Takes the next record.</summary>
    public void Add(long record, string? key, long timestamp, double pValue, ReadOnlySpan<double> row)
    {
        if (_next == _numbers.Length) Grow();
        (_numbers[_next], _keys[_next], _times[_next], _pValues[_next]) = (record, key, timestamp, pValue);
        row.CopyTo(_values.AsSpan(_next * dimension));
        _next = _next + 1 == capacity ? 0 : _next + 1;
        _count = Math.Min(_count + 1, capacity);
    }

    /// <summary>The place of the newest record that is meant; -1 where none is kept.</summary>
    public int Find(RecordName name)
    {
        for (int back = 1; back <= _count; back++)
        {
            int at = Place(back);
            bool isMeant = name.Record is { } number
                ? _numbers[at] == number
                : _times[at] == name.Timestamp && (name.Key ?? "") == (_keys[at] ?? "");
            if (isMeant) return at;
        }

        return -1;
    }

    /// <summary>Its number.</summary>
    public long Number(int at) => _numbers[at];

    /// <summary>Its key; null without.</summary>
    public string? Key(int at) => _keys[at];

    /// <summary>The p-value that it could have raised an alarm by.</summary>
    public double PValue(int at) => _pValues[at];

    /// <summary>Its values.</summary>
    public ReadOnlySpan<double> Row(int at) => _values.AsSpan(at * dimension, dimension);

    /// <summary>Writes them, oldest first.</summary>
    public void Save(BinaryWriter writer)
    {
        writer.Write(dimension);
        writer.Write(_count);
        for (int back = _count; back > 0; back--)
        {
            int at = Place(back);
            writer.Write(_numbers[at]);
            writer.Write(_keys[at] is not null);
            if (_keys[at] is { } key) writer.Write(key);
            writer.Write(_times[at]);
            writer.Write(_pValues[at]);
            foreach (double value in Row(at)) writer.Write(value);
        }
    }

    /// <summary>Reads what <see cref="Save"/> wrote; of more than are kept the newest.</summary>
    /// <param name="reader">Where it is.</param>
    /// <param name="into">Where it goes; null passes over it.</param>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public static void Load(BinaryReader reader, RecentRecords? into)
    {
        const int MostFeatures = 1 << 24;
        (int width, int count) = (reader.ReadInt32(), reader.ReadInt32());
        long left = reader.BaseStream.Length - reader.BaseStream.Position;
        if (width is <= 0 or > MostFeatures || count < 0 || (long)count * width * sizeof(double) > left)
            throw new InvalidDataException("The state of the scores is damaged: the records kept are more than there are.");
        double[] row = new double[width];
        for (int record = 0; record < count; record++)
        {
            long number = reader.ReadInt64();
            string? key = reader.ReadBoolean() ? reader.ReadString() : null;
            (long time, double pValue) = (reader.ReadInt64(), reader.ReadDouble());
            for (int d = 0; d < width; d++) row[d] = reader.ReadDouble();
            if (into is not null && into.IsOf(width)) into.Add(number, key, time, pValue, row);
        }
    }

    private bool IsOf(int width) => width == dimension;

    private int Place(int back) => _next >= back ? _next - back : _next - back + capacity;

    private void Grow()
    {
        int length = (int)Math.Min(capacity, Math.Max(First, 2L * _numbers.Length));
        Array.Resize(ref _numbers, length);
        Array.Resize(ref _times, length);
        Array.Resize(ref _keys, length);
        Array.Resize(ref _pValues, length);
        Array.Resize(ref _values, checked(length * dimension));
    }
}
