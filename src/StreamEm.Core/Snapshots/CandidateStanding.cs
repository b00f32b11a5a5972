namespace StreamEm.Core.Snapshots;

/// <summary>Where a model stands that learns the same stream with another number of components.</summary>
/// <param name="Components">Its number of components, or states.</param>
/// <param name="Records">Records its log-likelihood is of.</param>
/// <param name="MeanLogLikelihood">Test-then-train, nats per record; NaN before there is any.</param>
/// <param name="Rank">1 for the largest; 0 before there is any.</param>
public readonly record struct CandidateStanding(int Components, long Records, double MeanLogLikelihood, int Rank);
