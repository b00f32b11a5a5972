using StreamEm.Worker.Pipeline;

namespace StreamEm.Worker.Selection;

/// <summary>What <c>streamem select</c> was asked for.</summary>
internal sealed record SelectRequest
{
    /// <summary>The model as configured; the candidates differ from it in one setting.</summary>
    public required ModelOptions Model { get; init; }

    /// <summary>Data files and globs.</summary>
    public required IReadOnlyList<string> Data { get; init; }

    /// <summary>Numbers of components.</summary>
    public required IReadOnlyList<int> Components { get; init; }

    /// <summary>Parts that the sample is cut into, each left out once; 0 leaves the criterion out.</summary>
    public int Folds { get; init; } = 5;

    /// <summary>The most records that are fitted again and again: a sample of the data.</summary>
    public int SampleSize { get; init; } = 20_000;
}
