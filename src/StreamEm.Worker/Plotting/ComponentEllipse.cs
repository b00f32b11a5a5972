using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Vectors;

namespace StreamEm.Worker.Plotting;

/// <summary>
/// One component seen in two features as a Gaussian of its moments: the marginal of a Gaussian is the Gaussian of the sub-block, so the
/// curve of Mahalanobis distance r is an ellipse about the mean with half axes r sqrt(eigenvalue).
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

    /// <summary>All components in two features; null where the model has no moments.</summary>
    public static ComponentEllipse[]? Of(LearnedModel learned, int x, int y)
    {
        if (learned.Model is not ComponentModel model) return null;
        int d = model.Dimension, components = model.Components;
        double[] means = new double[components * d], variances = new double[components * d];
        if (!model.TryComponentMoments(learned.Parameters, means, variances)) return null;
        return [.. Enumerable.Range(0, components).Select(k => new ComponentEllipse(
            means[k * d + x], means[k * d + y], variances[k * d + x], CovarianceOf(learned, k, x, y), variances[k * d + y]))];
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

    /// <summary>
    /// The covariance of two features under a component, from the block of matrices that has both; 0 where they are independent.
    /// </summary>
    private static double CovarianceOf(LearnedModel learned, int k, int x, int y)
    {
        foreach (VectorBlock block in learned.Layout.Blocks)
        {
            if (block.Units != Units.Product) continue;
            int size = block.Shape[^1], i = Place(block, x), j = Place(block, y);
            if (i < 0 || j < 0) continue;
            ReadOnlySpan<double> values = block.Of((ReadOnlySpan<double>)learned.Parameters);
            return values[((block.Shape.Count == 3 ? k : 0) * size + i) * size + j];
        }

        return 0;
    }

    private static int Place(VectorBlock block, int feature)
    {
        if (block.Features is not { } features) return feature;
        for (int at = 0; at < features.Count; at++)
            if (features[at] == feature) return at;
        return -1;
    }
}
