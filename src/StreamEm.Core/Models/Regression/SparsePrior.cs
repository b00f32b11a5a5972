using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Regression;

/// <summary>The prior of every coefficient, a normal with a variance of its own (scale mixture of normals).</summary>
internal enum SparsePrior
{
    /// <summary>Laplace with rate gamma: the LASSO; exact zeros.</summary>
    Laplace,

    /// <summary>Student's t with 3 degrees of freedom and scale 1 / gamma: large coefficients are hardly shrunk.</summary>
    Student,

    /// <summary>Horseshoe with scale 1 / gamma: small ones vanish, large ones are hardly shrunk.</summary>
    Horseshoe,

    /// <summary>None: least squares.</summary>
    None,
}

/// <summary>E[1 / tau_j^2 given w_j], tau_j^2 the variance of coefficient j: what a coefficient is pulled to zero by.</summary>
internal static class ScaleMixture
{
    /// <summary>Degrees of freedom of Student's t.</summary>
    public const double Freedom = 3;

    private const double Least = 1e-300, Large = 1e7;

    /// <summary>The expected precision of a coefficient: positive and finite, but for the Laplace prior at 0.</summary>
    /// <param name="prior">The prior.</param>
    /// <param name="gamma">Rate, or one over the scale; positive.</param>
    /// <param name="w">The coefficient, not 0 where the prior is infinite there.</param>
    public static double Precision(SparsePrior prior, double gamma, double w) => prior switch
    {
        // p(tau^2) = Exp(gamma^2 / 2) (Andrews & Mallows 1974; Figueiredo 2003).
        SparsePrior.Laplace => gamma / Math.Abs(w),
        // tau^2 inverse gamma.
        SparsePrior.None => 0,
        SparsePrior.Student => (Freedom + 1) / (Freedom / (gamma * gamma) + w * w),
        _ => Horseshoe(gamma, w),
    };

    /// <summary>
    /// tau = lambda / gamma, lambda half Cauchy: with u = 1 / lambda^2 and b = (gamma w)^2 / 2, p(u given w) is proportional to exp(-b u) /
    /// (1 + u) (Carvalho, Polson &amp; Scott 2010), so that E[u] = 1 / (b exp(b) E_1(b)) - 1.
    /// </summary>
    private static double Horseshoe(double gamma, double w)
    {
        // A square that is no number any more is still pulled, and a large one still less than all others: 1 / b, where 1 - 1 is lost.
        double b = Math.Max(0.5 * gamma * gamma * w * w, Least);
        return gamma * gamma * (b > Large ? 1 / b : 1 / (b * ScaledExponentialIntegral(b)) - 1);
    }

    /// <summary>exp(b) E_1(b), b &gt; 0: a series below 1 (DLMF 6.6.2), a continued fraction above (6.9.1).</summary>
    private static double ScaledExponentialIntegral(double b)
    {
        const double euler = 0.5772156649015329;
        if (b > 1)
        {
            double fraction = 0;
            for (int n = 60; n >= 1; n--) fraction = n / (1 + n / (b + fraction));
            return 1 / (b + fraction);
        }
        double sum = -euler - ScalarMath.Log(b), term = 1;
        for (int n = 1; n <= 30; n++)
        {
            term *= -b / n;
            sum -= term / n;
        }
        return ScalarMath.Exp(b) * sum;
    }
}
