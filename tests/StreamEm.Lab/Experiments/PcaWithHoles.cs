using MathNet.Numerics.LinearAlgebra;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Worker.Plotting;

namespace StreamEm.Lab.Experiments;

/// <summary>Principal components with missing values: EM, and filling in.</summary>
internal sealed class PcaWithHoles : Experiment
{
    private const int Rows = 800, Dimension = 10, Factors = 2;

    private static readonly double[] Shares = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6];

    public override string Name => "ppca";

    public override string Title => "Principal components with missing values";

    public override string Claim =>
        "Probabilistic PCA finds the same subspace as PCA where nothing is missing, and goes on finding it where values are missing, "
        + "without filling them in.";

    public override string Source => "Tipping & Bishop 1999 (JRSS B 61), sections 3.2 and 4.3; Roweis 1998.";

    public override string Setting =>
        $"{Rows} records of {Dimension} features: {Factors} factors with loadings from N(0, 1) and noise of variance 0.5. `ppca` with "
        + $"{Factors} factors, batch EM, on records with holes; eigenvectors of the covariance with holes filled by feature means. The "
        + "largest angle between the subspace found and the true one, and the noise variance.";

    public override Finding Run()
    {
        var draws = new RandomDraws(Seed);
        Matrix<double> loadings = Matrix<double>.Build.Dense(Dimension, Factors, (_, _) => draws.Normal());
        double[][] complete = [.. Enumerable.Range(0, Rows).Select(_ =>
        {
            Vector<double> z = Vector<double>.Build.Dense(Factors, _ => draws.Normal());
            return (double[])[.. (loadings * z).Select(value => value + Math.Sqrt(0.5) * draws.Normal())];
        })];
        LatentModel model = Fits.Model("ppca", FeatureSpace.Unscaled(Dimension), ("factors", $"{Factors}"), ("reg_covar", "0"));
        double[] em = new double[Shares.Length], filled = new double[Shares.Length], noise = new double[Shares.Length],
            filledNoise = new double[Shares.Length];
        double same = 0;
        for (int at = 0; at < Shares.Length; at++)
        {
            var holes = new RandomDraws(Seed + 1);
            double[][] rows = [.. complete.Select(row => row.Select(value => holes.Uniform() < Shares[at] ? double.NaN : value).ToArray())
                .Where(row => row.Any(value => !double.IsNaN(value)))];
            double[] start =
                Fits.Theta(model, new double[Dimension], [.. Enumerable.Range(0, Dimension * Factors).Select(_ => draws.Normal())], [1]);
            double[] theta =
                BatchEm.Run(model, Fits.Rows(rows), start, Fits.Exact with { Tolerance = 1e-11, MaxIterations = 3000 }).Parameters;
            Matrix<double> found = Matrix<double>.Build.DenseOfRowMajor(Dimension, Factors, Fits.Block(model, theta, "loadings"));
            (Matrix<double> vectors, double rest) = Principal(rows);
            (em[at], filled[at]) = (Angle(loadings, found), Angle(loadings, vectors));
            (noise[at], filledNoise[at]) = (Fits.Block(model, theta, "noise_variance")[0], rest);
            if (at == 0) same = Math.Max(Angle(vectors, found), Math.Abs(rest - noise[0]));
        }
        return new Finding(
            same < 0.01 && em[4] < 0.6 * filled[4] && Math.Abs(noise[4] - 0.5) < 0.05,
            $"With nothing missing the two subspaces and noises are the same to {Fits.Text(Math.Max(same, 1e-4), "G1")} (degrees, "
            + $"variance). With 40 % missing EM's is {Fits.Text(em[4], "F1")} degrees from the truth and the filled-in one "
            + $"{Fits.Text(filled[4], "F1")}; EM's noise variance is {Fits.Text(noise[4], "F2")}, the filled-in one "
            + $"{Fits.Text(filledNoise[4], "F2")} (true: 0.5).",
            Figure.Of(
                new Chart("Angle to the true subspace", "share missing", "degrees") { MustShowUp = [0] }
                    .Line("ppca", Shares, em, dots: true).Line("filled in, then PCA", Shares, filled, dots: true),
                new Chart("Noise variance", "share missing", "variance").Line("ppca", Shares, noise, dots: true)
                    .Line("filled in, then PCA", Shares, filledNoise, dots: true).Level(0.5, "truth")),
            "Subspace and noise by the share of missing values",
            new NumberTable(["missing", "degrees, ppca", "degrees, filled in", "noise, ppca", "noise, filled in"],
                [.. Shares.Select(
                    (share, at) => (IReadOnlyList<string>)[Fits.Text(share), Fits.Text(em[at], "F2"), Fits.Text(filled[at], "F2"),
                    Fits.Text(noise[at], "F3"), Fits.Text(filledNoise[at], "F3")])]));
    }

    private static (Matrix<double> Vectors, double Noise) Principal(double[][] rows)
    {
        double[] means =
            [.. Enumerable.Range(0, Dimension).Select(d => rows.Select(row => row[d]).Where(value => !double.IsNaN(value)).Average())];
        Matrix<double> centred = Matrix<double>.Build.Dense(
            rows.Length, Dimension, (n, d) => double.IsNaN(rows[n][d]) ? 0 : rows[n][d] - means[d]);
        MathNet.Numerics.LinearAlgebra.Factorization.Evd<double> spectrum = (centred.TransposeThisAndMultiply(centred) / rows.Length)
            .Evd(Symmetricity.Symmetric);
        double[] values = [.. spectrum.EigenValues.Select(value => value.Real)];
        return (spectrum.EigenVectors.SubMatrix(0, Dimension, Dimension - Factors, Factors), values[..(Dimension - Factors)].Average());
    }

    /// <summary>The largest principal angle of two subspaces, degrees.</summary>
    private static double Angle(Matrix<double> one, Matrix<double> other)
    {
        Matrix<double> a = one.QR(MathNet.Numerics.LinearAlgebra.Factorization.QRMethod.Thin).Q,
            b = other.QR(MathNet.Numerics.LinearAlgebra.Factorization.QRMethod.Thin).Q;
        double sine = (b - a * a.TransposeThisAndMultiply(b)).Svd().S[0];
        return Math.Asin(Math.Min(1, sine)) * 180 / Math.PI;
    }
}
