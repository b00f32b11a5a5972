using StreamEm.Core.Estimation;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Snapshots;

namespace StreamEm.Worker.Fitting;

/// <summary>What <c>streamem fit</c> was asked for.</summary>
internal sealed record FitRequest
{
    /// <summary>The model to fit.</summary>
    public required ModelOptions Model { get; init; }

    /// <summary>Data files and globs.</summary>
    public required IReadOnlyList<string> Data { get; init; }

    /// <summary>The engine.</summary>
    public FitEngine Engine { get; init; }

    /// <summary>How many times the data are streamed.</summary>
    public int Passes { get; init; } = 1;

    /// <summary>Where one line per update goes; null nowhere.</summary>
    public string? Trace { get; init; }

    /// <summary>Where snapshots of some versions go; null nowhere.</summary>
    public string? History { get; init; }

    /// <summary>Where one line per record of the first pass goes; null nowhere.</summary>
    public string? Scores { get; init; }

    /// <summary>Whose the result is: a run of its own.</summary>
    public RunIdentity NewIdentity(TimeProvider time) => RunIdentity.New(Model.Id, Model.ConfigHash, time);
}
