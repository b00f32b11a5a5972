using StreamEm.Core.Models;

namespace StreamEm.Core.Intervals;

/// <summary>
/// How sure the parameters are, as of one version; in the layout and the units of the parameters, NaN where nothing is known: of blocks
/// that are held still, of parts of the model without records.
/// </summary>
/// <param name="Records">n, the records that the estimates and their errors are from.</param>
/// <param name="Estimates">The average of the iterates, one Newton step on (Le Cam's one-step estimator).</param>
/// <param name="StandardErrors">Of the estimates, from the information in the stream.</param>
/// <param name="Lower">Where the confidence sequence ends below: the true value is between it and <paramref name="Upper"/> at every look
/// with probability <see cref="Level"/>, each value by itself.</param>
/// <param name="Upper">Where it ends above.</param>
public sealed record ParameterIntervals(
    double Records, double[] Estimates, double[] StandardErrors, double[] Lower, double[] Upper)
{
    /// <summary>The probability of each value to be inside at every look.</summary>
    public static double Level => ConfidenceSequence.Level;

    /// <summary>The most free parameters that intervals are made of: their information is a matrix of as many rows.</summary>
    public const int MostFree = 512;

    /// <summary>How many parameters of a model are free to move by themselves.</summary>
    public static int FreeOf(LatentModel model) => new FreeEntries(model).Count;
}
