namespace StreamEm.Worker.Candidates;

/// <summary><c>candidates</c>: models with other numbers of components that learn the same stream, to be compared with.</summary>
public sealed record CandidateOptions
{
    /// <summary>Their numbers of components, or of states.</summary>
    public IReadOnlyList<int> Components { get; init; } = [1, 2, 3, 4, 5, 6, 7, 8];

    /// <summary>They learn from one minibatch in so many, all from the same; of sequences from all.</summary>
    public int Every { get; init; } = 4;
}
