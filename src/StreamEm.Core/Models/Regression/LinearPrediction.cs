using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Regression;

/// <summary>A normal prediction of a target.</summary>
internal static class LinearPrediction
{
    /// <summary>Half of the width of the interval with 95 % probability, standard deviations.</summary>
    public const double Half = 1.959963984540054;

    /// <summary>log N(y; mean, variance) and the squared distance, of a lane's response.</summary>
    public static double LogDensity(double response, double mean, double variance, out double square)
    {
        double off = response - mean;
        square = off * off / variance;
        return -0.5 * (square + ScalarMath.Log(variance)) - ScalarMath.HalfLogTwoPi;
    }

    /// <summary>Writes mean, variance and interval.</summary>
    public static void Write(double mean, double variance, Span<double> scores)
    {
        double half = Half * Math.Sqrt(variance);
        (scores[0], scores[1], scores[2], scores[3]) = (mean, variance, mean - half, mean + half);
    }
}
