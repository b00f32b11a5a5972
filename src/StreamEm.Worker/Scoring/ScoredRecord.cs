using StreamEm.Core.Alarms;
using StreamEm.Core.Data;

namespace StreamEm.Worker.Scoring;

/// <summary>What a model says of one record.</summary>
internal readonly ref struct ScoredRecord
{
    /// <summary>The record's number in the input, from 0, bad records included.</summary>
    public required long Record { get; init; }

    /// <summary>Its key; null without.</summary>
    public required string? Key { get; init; }

    /// <summary>Its time, ms since 1970; <see cref="Minibatch.NoTimestamp"/> without.</summary>
    public required long Timestamp { get; init; }

    /// <summary>log p(x), nats, user units; negative infinity where no component can produce it.</summary>
    public required double LogDensity { get; init; }

    /// <summary>The blocks of the model's score layout, user units.</summary>
    public required ReadOnlySpan<double> Scores { get; init; }

    /// <summary>The most probable component; -1 for a model without components.</summary>
    public required int Component { get; init; }

    /// <summary>1 minus the probability of that component: what choosing it would be wrong with, were the model right.</summary>
    public required double Uncertainty { get; init; }

    /// <summary>The most probable class; -1 for a model without classes.</summary>
    public required int Class { get; init; }

    /// <summary>Its state on the most likely path of its sequence; -1 where that is not told.</summary>
    public int PathState { get; init; }

    /// <summary>In [0, 1]; NaN while the model is not calibrated.</summary>
    public required double AnomalyScore { get; init; }

    /// <summary>1 minus the anomaly score, with the resolution of the tail.</summary>
    public required double PValue { get; init; }

    /// <summary>Whether the p-values are of the model of its key, or else of that of all; null where keys have none.</summary>
    public bool? IsOfKey { get; init; }

    /// <summary>The p-value against everything seen; null where that is not told.</summary>
    public double? NoveltyPValue { get; init; }

    /// <summary>The partition it is from; null where that is not told.</summary>
    public string? Partition { get; init; }

    /// <summary>Its offset there.</summary>
    public long Offset { get; init; }

    /// <summary>What it does to the alarms.</summary>
    public AlarmMark Alarm { get; init; }

    /// <summary>The rows it is one of, as the source delivered them; null where its fields are not told.</summary>
    public Minibatch? Rows { get; init; }

    /// <summary>Which of them.</summary>
    public int Row { get; init; }
}
