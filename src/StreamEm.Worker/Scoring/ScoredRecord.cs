namespace StreamEm.Worker.Scoring;

/// <summary>What a model says of one record.</summary>
internal readonly ref struct ScoredRecord
{
    /// <summary>The record's number in the input, from 0, bad records included.</summary>
    public required long Record { get; init; }

    /// <summary>log p(x), nats, user units; negative infinity where no component can produce it.</summary>
    public required double LogDensity { get; init; }

    /// <summary>p(z = k given x), K values.</summary>
    public required ReadOnlySpan<double> Responsibilities { get; init; }

    /// <summary>The most responsible component.</summary>
    public required int Component { get; init; }

    /// <summary>Its stable id.</summary>
    public required string ComponentId { get; init; }

    /// <summary>In [0, 1]; NaN while the model is not calibrated.</summary>
    public required double AnomalyScore { get; init; }
}
