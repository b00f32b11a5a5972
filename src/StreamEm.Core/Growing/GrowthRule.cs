using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models;

namespace StreamEm.Core.Growing;

/// <summary>Which records a growing mixture learns from.</summary>
internal sealed record GrowthGuard
{
    /// <summary>Whether records stranger than any are learned apart from what is confirmed as normal.</summary>
    public bool Quarantines { get; init; }

    /// <summary>Records whose p-value is below this are not learned; 0 learns all.</summary>
    public double LearnAbove { get; init; }

    /// <summary>The span of records over which those not learned have to be more than half to be a new normal.</summary>
    public double ConfirmAfter { get; init; } = 1000;

    /// <summary>Records after which nothing is learned; null: never.</summary>
    public long? FreezeAfter { get; init; }

    /// <summary>Whether locations and scales are found, and not 0 and 1.</summary>
    public bool Standardizes { get; init; } = true;
}

/// <summary>
/// The numbers a growing mixture follows. The floor of the covariances in units of the features' scale is f = K^(-2/D), the prior scale of
/// Fraley &amp; Raftery (2007, section 2.2) without its spread, as a prior worth nu = D + 2 records that shrinks with evidence to kappa of
/// itself.
/// </summary>
internal sealed class GrowthRule
{
    /// <summary>kappa: what is left of the floor however many records a component has.</summary>
    public const double LeastFloor = 0.01;

    /// <summary>tau: the part of a component's log volume that counts in the score: a dense clump of duplicates is not what is most
    /// normal.</summary>
    public const double VolumeShare = 0.5;

    /// <summary>gamma: the part of a Student t with D degrees of freedom about the bulk by which remote records score higher.</summary>
    public const double Remoteness = 0.5;

    /// <summary>log 2 pi.</summary>
    public const double LogTwoPi = 1.8378770664093453;

    /// <summary>The rule of a mixture.</summary>
    /// <param name="dimension">D.</param>
    /// <param name="growth">How it grows.</param>
    public GrowthRule(int dimension, GrowthOptions growth)
    {
        (Dimension, Growth) = (dimension, growth);
        Floor = ScalarMath.Pow(growth.Max, -2.0 / dimension);
        PriorRecords = dimension + 2;
        BirthSquare = growth.BirthDistance * growth.BirthDistance * dimension;
        FarSquare = new InfluenceBound(dimension).Limit(dimension);
        Quarantined = Math.Max(2, growth.Max / 4);
        Top = TopOf(dimension, Floor);
    }

    /// <summary>D.</summary>
    public int Dimension { get; }

    /// <summary>How it grows.</summary>
    public GrowthOptions Growth { get; }

    /// <summary>f: the variance of the floor.</summary>
    public double Floor { get; }

    /// <summary>nu: the records the floor is worth.</summary>
    public double PriorRecords { get; }

    /// <summary>The squared distance beyond which a component is born.</summary>
    public double BirthSquare { get; }

    /// <summary>F: the squared distance that a component's own record exceeds as rarely as a normal value 6 standard deviations.</summary>
    public double FarSquare { get; }

    /// <summary>The most components in quarantine, and as many again that people condemned.</summary>
    public int Quarantined { get; }

    /// <summary>L*: no scoring density lies above it.</summary>
    public double Top { get; }

    /// <summary>L* = -(D/2)(tau log((1 + kappa) f) + log 2 pi).</summary>
    public static double TopOf(int dimension, double floor) =>
        -0.5 * dimension * (VolumeShare * ScalarMath.Log((1 + LeastFloor) * floor) + LogTwoPi);

    /// <summary>
    /// g = (gamma D / 2) log(1 + mean over the observed features of (z - b)^2 / v): how remote a record is from the bulk.
    /// </summary>
    public static double RemotenessOf(ReadOnlySpan<double> row, ReadOnlySpan<double> mean, ReadOnlySpan<double> variance)
    {
        double sum = 0;
        int observed = 0;
        for (int d = 0; d < row.Length; d++)
        {
            if (double.IsNaN(row[d])) continue;
            double off = row[d] - mean[d];
            sum += off * off / variance[d];
            observed++;
        }
        return 0.5 * Remoteness * row.Length * ScalarMath.Log1P(sum / observed);
    }

    /// <summary>
    /// The squared distance over D features that is as improbable as one over n of them (Wilson &amp; Hilferty 1931): u = ((q / n)^(1/3) -
    /// 1 + 2 / (9n)) / sqrt(2 / (9n)), then back with D.
    /// </summary>
    public static double AsOfAll(double square, int observed, int dimension)
    {
        if (observed == dimension) return square;
        double own = 2.0 / (9 * observed), all = 2.0 / (9 * dimension);
        double u = (ScalarMath.Cbrt(square / observed) - (1 - own)) / Math.Sqrt(own);
        double root = Math.Max(1 - all + u * Math.Sqrt(all), 0);
        return dimension * root * root * root;
    }
}
