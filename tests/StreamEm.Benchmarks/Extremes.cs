using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;

namespace StreamEm.Benchmarks;

/// <summary>
/// One EM iteration where the arithmetic is least of the work, few features and components, and where it is all of it, very many.
/// </summary>
internal sealed class Extremes(Report report, Goals goals, bool quick)
{
    private const int Samples = 5;
    private readonly double _seconds = quick ? 0.05 : 0.3;

    /// <summary>Writes the table.</summary>
    public void Run()
    {
        report.Table("Smallest and largest shapes, one thread",
            "Full: form and products, 2 K (D^2 + 3 D) operations a row; diag: 8 K D; spherical: x mu and r x, 4 K D, all that a matrix "
                + "product leaves.",
            "covariance", "(D,K)", "rows/s", "GFLOP/s", "FMA probe", "of peak");
        (CovarianceType Type, Shape Shape, double Least)[] cases =
        [
            (CovarianceType.Full, Of(2, 3), 0.22), (CovarianceType.Full, Of(4, 4), 0.42), (CovarianceType.Full, Of(8, 8), 0.64),
            (CovarianceType.Diag, Of(8, 8), 0.47), (CovarianceType.Spherical, new Shape(128, 1024, quick ? 2_000 : 20_000, 0), 0.8),
        ];
        foreach ((CovarianceType type, Shape shape, double least) in cases) Measure(type, shape, least);
    }

    private Shape Of(int dimension, int components) => new(dimension, components, quick ? 50_000 : 200_000, 0);

    private void Measure(CovarianceType type, Shape shape, double least)
    {
        var data = new SyntheticMixture(shape.Dimension, shape.Components);
        Minibatch rows = data.Draw(shape.Rows);
        double probe = FmaProbe.OneThread(), rate = type == CovarianceType.Spherical
            ? Spherical(data, rows)
            : new Iteration(data, type == CovarianceType.Full).Rate(rows, 1, Samples, _seconds);
        double operations = type == CovarianceType.Spherical
            ? 4.0 * shape.Components * shape.Dimension
            : shape.Flops(type == CovarianceType.Full);
        double flops = rate * operations * 1e-9;
        string kind = type.ToString().ToLowerInvariant();
        report.Row(kind, shape.ToString(), Report.Rate(rate), $"{flops:F1}", $"{probe:F1}", $"{flops / probe:P0}");
        goals.AtLeast($"{kind} {shape}, share of the FMA peak", flops / probe, least);
    }

    private double Spherical(SyntheticMixture data, Minibatch rows)
    {
        var family = new GaussianOptions { CovarianceType = CovarianceType.Spherical };
        LatentModel model = ModelCatalog.MixtureOf(family, data.Components).Create(FeatureSpace.Unscaled(data.Dimension));
        double[] theta = new double[model.ParameterLayout.Length];
        model.Neutral(theta);
        data.Means.CopyTo(model.ParameterLayout["means"].Of(theta.AsSpan()));
        return Iteration.RateOf(model, theta, rows, Samples, _seconds);
    }
}
