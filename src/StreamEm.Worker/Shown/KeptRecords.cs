using StreamEm.Core.Alarms;
using StreamEm.Core.Data;
using StreamEm.Worker.Scoring;

namespace StreamEm.Worker.Shown;

/// <summary>Where a kept record is from, and what was told of it when it came.</summary>
/// <param name="Record">Its number in the input, from 0, bad records included.</param>
/// <param name="Partition">Its partition.</param>
/// <param name="Offset">Its offset there.</param>
internal readonly record struct KeptMark(long Record, string Partition, long Offset)
{
    /// <summary>log p(x), nats, user units.</summary>
    public double LogDensity { get; init; }

    /// <summary>In [0, 1]; NaN where the model was not calibrated.</summary>
    public double AnomalyScore { get; init; }

    /// <summary>Its p-value.</summary>
    public double PValue { get; init; }

    /// <summary>Its p-value against everything seen; null where that is not told.</summary>
    public double? NoveltyPValue { get; init; }

    /// <summary>What it did to the alarms.</summary>
    public AlarmMark Alarm { get; init; }

    /// <summary>Whether it was scored when it came.</summary>
    public bool IsScored { get; init; }

    /// <summary>The mark of a record that was scored just now.</summary>
    public static KeptMark Of(in ScoredRecord score) => new(score.Record, score.Partition ?? "", score.Offset)
    {
        LogDensity = score.LogDensity,
        AnomalyScore = score.AnomalyScore,
        PValue = score.PValue,
        NoveltyPValue = score.NoveltyPValue,
        Alarm = score.Alarm,
        IsScored = true,
    };
}

/// <summary>Records kept aside with their marks, oldest first, in memory that is used again. One thread at a time.</summary>
internal sealed class KeptRecords(int dimension, IReadOnlyList<int> textFeatures)
{
    private const int Capacity = 16;

    private readonly List<KeptMark> _marks = [];

    /// <summary>The records: user units, labels, keys and levels as numbers of texts.</summary>
    public Minibatch Rows { get; } = new(dimension, Capacity, new TextTable(), textFeatures);

    /// <summary>Their marks, one a record.</summary>
    public IReadOnlyList<KeptMark> Marks => _marks;

    /// <summary>How many there are.</summary>
    public int Count => Rows.Count;

    /// <summary>Bytes of their texts.</summary>
    public long TextBytes => Rows.Texts!.Bytes;

    /// <summary>Keeps a row.</summary>
    public void Add(Minibatch rows, int row, in KeptMark mark)
    {
        Rows.Append(rows, row, 1);
        _marks.Add(mark);
    }

    /// <summary>Keeps the last <paramref name="count"/> of others, or all where they are fewer.</summary>
    public void AddLast(KeptRecords others, int count)
    {
        int first = Math.Max(0, others.Count - count);
        if (first == others.Count) return;
        Rows.Append(others.Rows, first, others.Count - first);
        for (int row = first; row < others.Count; row++) _marks.Add(others._marks[row]);
    }

    /// <summary>Some of these, in the order given.</summary>
    public KeptRecords Chosen(ReadOnlySpan<int> rows)
    {
        var chosen = new KeptRecords(dimension, textFeatures);
        chosen.Rows.Texts = Rows.Texts;
        chosen.Rows.Append(Rows, rows);
        foreach (int row in rows) chosen._marks.Add(_marks[row]);
        return chosen;
    }

    /// <summary>Those with the smallest p-values when they came, the smallest first.</summary>
    public KeptRecords Strangest(int count)
    {
        int[] order = [.. Enumerable.Range(0, Count).OrderBy(row => _marks[row].PValue).Take(count)];
        return Chosen(order);
    }

    /// <summary>Forgets all of them, and their texts.</summary>
    public void Clear()
    {
        Rows.Clear();
        Rows.Texts = new TextTable();
        _marks.Clear();
    }
}
