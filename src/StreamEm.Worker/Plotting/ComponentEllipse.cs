using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Vectors;

namespace StreamEm.Worker.Plotting;

/// <summary>
/// One Gaussian component seen in two features: the marginal of a Gaussian is the Gaussian of the sub-block, so the curve of Mahalanobis
/// distance r is an ellipse about the mean with half axes r sqrt(eigenvalue).
/// </summary>
/// <param name="X">Mean of the first feature.</param>
/// <param name="Y">Mean of the second feature.</param>
/// <param name="VarianceX">Variance of the first feature.</param>
/// <param name="Covariance">Covariance of the two.</param>
/// <param name="VarianceY">Variance of the second feature.</param>
internal sealed record ComponentEllipse(double X, double Y, double VarianceX, double Covariance, double VarianceY)
{
    /// <summary>The Mahalanobis distance inside which half of a plane Gaussian lies, and 95 %: sqrt(-2 log(1 - p)).</summary>
    public static readonly double Half = Math.Sqrt(-2 * Math.Log(0.5)), NineteenOfTwenty = Math.Sqrt(-2 * Math.Log(0.05));

    /// <summary>Component <paramref name="k"/> of a mixture of Gaussians, any covariance type.</summary>
    public static ComponentEllipse Of(ModelSnapshot snapshot, int k, int x, int y)
    {
        int d = snapshot.Features.Count;
        ReadOnlySpan<double> means = snapshot.Layout["means"].Of((ReadOnlySpan<double>)snapshot.Parameters);
        VectorBlock block = snapshot.Layout["covariances"];
        ReadOnlySpan<double> values = block.Of((ReadOnlySpan<double>)snapshot.Parameters);
        bool spherical = snapshot.Layout.Contains("scale");
        bool matrices = block.Shape.Count == 3 || (block.Shape.Count == 2 && !IsDiagonal(snapshot));
        double[] pair = new double[3];
        if (matrices)
        {
            int offset = block.Shape.Count == 3 ? k * d * d : 0;
            (pair[0], pair[1], pair[2]) = (values[offset + x * d + x], values[offset + x * d + y], values[offset + y * d + y]);
        }
        else if (spherical)
        {
            ReadOnlySpan<double> scale = snapshot.Layout["scale"].Of((ReadOnlySpan<double>)snapshot.Parameters);
            (pair[0], pair[2]) = (values[k] * scale[x] * scale[x], values[k] * scale[y] * scale[y]);
        }
        else
        {
            (pair[0], pair[2]) = (values[k * d + x], values[k * d + y]);
        }

        return new ComponentEllipse(means[k * d + x], means[k * d + y], pair[0], pair[1], pair[2]);
    }

    /// <summary>Points of the curve of Mahalanobis distance <paramref name="radius"/>, closed.</summary>
    public IEnumerable<(double X, double Y)> Curve(double radius)
    {
        // Cholesky factor of the 2 x 2 block maps the circle onto the ellipse.
        double a = Math.Sqrt(VarianceX), b = a > 0 ? Covariance / a : 0, c = Math.Sqrt(Math.Max(0, VarianceY - b * b));
        const int points = 64;
        for (int i = 0; i <= points; i++)
        {
            (double sin, double cos) = Math.SinCos(2 * Math.PI * i / points);
            yield return (X + radius * a * cos, Y + radius * (b * cos + c * sin));
        }
    }

    private static bool IsDiagonal(ModelSnapshot snapshot) =>
        snapshot.Model is GaussianMixtureOptions { CovarianceType: CovarianceType.Diag };
}
