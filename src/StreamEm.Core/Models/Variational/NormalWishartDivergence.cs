using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Variational;

/// <summary>The Kullback-Leibler divergence of a normal-Wishart posterior to its prior (Bishop 2006, equations 10.74 and 10.77).</summary>
internal static class NormalWishartDivergence
{
    /// <summary>KL(q(mu, Lambda) || p(mu, Lambda)), nats.</summary>
    /// <param name="mean">m [D].</param>
    /// <param name="covariance">(nu W)^-1 [D, D].</param>
    /// <param name="precision">beta.</param>
    /// <param name="degrees">nu.</param>
    /// <param name="prior">m_0, beta_0, nu_0 and the inverse of W_0, which is diagonal.</param>
    public static double Of(
        ReadOnlySpan<double> mean, ReadOnlySpan<double> covariance, double precision, double degrees, VariationalPrior prior)
    {
        int dimension = mean.Length;
        double[] inverse = new double[Packed.Length(dimension)];
        double logDeterminant = 2 * SymmetricMatrix.InverseFactor(covariance, dimension, 0, inverse);
        double trace = 0, square = 0, logScatter = 0, digammas = 0, gammas = 0, before = prior.DegreesOfFreedom;
        for (int i = 0; i < dimension; i++)
        {
            double off = 0;
            for (int j = 0; j <= i; j++)
            {
                double entry = inverse[Packed.Index(i, j)];
                trace = Math.FusedMultiplyAdd(entry * entry, prior.Scatter[j], trace);
                off = Math.FusedMultiplyAdd(entry, mean[j] - prior.Mean[j], off);
            }
            square = Math.FusedMultiplyAdd(off, off, square);
            logScatter += ScalarMath.Log(prior.Scatter[i]);
            digammas += ScalarMath.Digamma(0.5 * (degrees - i));
            gammas += ScalarMath.LogGamma(0.5 * (before - i)) - ScalarMath.LogGamma(0.5 * (degrees - i));
        }
        double normal = 0.5 * (dimension * (ScalarMath.Log(precision / prior.MeanPrecision) - 1 + prior.MeanPrecision / precision)
            + prior.MeanPrecision * square);
        // log |W| = -D log nu - log |(nu W)^-1|; log |W_0| = -log |S_0|.
        double logScale = -dimension * ScalarMath.Log(degrees) - logDeterminant, logTwo = ScalarMath.Log(2);
        double expected = digammas + dimension * logTwo + logScale;
        double wishart = -0.5 * degrees * logScale - 0.5 * before * logScatter - 0.5 * (degrees - before) * dimension * logTwo + gammas
            + 0.5 * (degrees - before) * expected - 0.5 * degrees * dimension + 0.5 * trace;
        return normal + wishart;
    }
}
