namespace StreamEm.Core.Learning;

/// <summary>What the mixture of one key has learned.</summary>
/// <param name="Status"><c>warming_up</c> until location and scale are found, <c>calibrating</c> until it has p-values, then
/// <c>learning</c>.</param>
/// <param name="Records">Records taken.</param>
/// <param name="Location">Location of every feature [D]; empty while it warms up.</param>
/// <param name="Scale">Scale of every feature [D]; empty while it warms up.</param>
/// <param name="Components">Its components.</param>
public sealed record KeySummary(
    string Status, long Records, IReadOnlyList<double> Location, IReadOnlyList<double> Scale, IReadOnlyList<KeyComponent> Components);

/// <summary>One component of the mixture of a key, in the user's units.</summary>
/// <param name="Id">Its id among those of the key, which no other ever had.</param>
/// <param name="Weight">Its part of all records, in [0, 1].</param>
/// <param name="Mean">Its mean [D].</param>
/// <param name="StandardDeviation">Standard deviation of every feature [D].</param>
/// <param name="Status"><c>ok</c>, or <c>quarantined</c>.</param>
public sealed record KeyComponent(
    string Id, double Weight, IReadOnlyList<double> Mean, IReadOnlyList<double> StandardDeviation, string Status);
