namespace StreamEm.Core.LinearAlgebra;

/// <summary>The Kullback-Leibler divergence of Dirichlet distributions (Bishop 2006, appendix B).</summary>
internal static class DirichletDivergence
{
    /// <summary>KL(Dirichlet(a) || Dirichlet(prior, ..., prior)), nats.</summary>
    /// <param name="a">Above 0.</param>
    /// <param name="prior">Above 0.</param>
    public static double ToSymmetric(ReadOnlySpan<double> a, double prior)
    {
        double total = 0;
        foreach (double value in a) total += value;
        double digamma = ScalarMath.Digamma(total), logPrior = ScalarMath.LogGamma(prior);
        double result = ScalarMath.LogGamma(total) - ScalarMath.LogGamma(a.Length * prior);
        foreach (double value in a)
            result += logPrior - ScalarMath.LogGamma(value) + (value - prior) * (ScalarMath.Digamma(value) - digamma);
        return result;
    }
}
