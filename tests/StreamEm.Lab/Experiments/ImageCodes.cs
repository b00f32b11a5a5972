using StreamEm.Core;
using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Initialization;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Lab.Charts;
using StreamEm.Worker.Plotting;

namespace StreamEm.Lab.Experiments;

/// <summary>An image whose pixels are replaced by the nearest of K greys, learned by hard EM.</summary>
internal sealed class ImageCodes : Experiment
{
    private const int Side = 48, Bits = 8;

    private static readonly int[] Counts = [2, 3, 4, 8, 16, 32];

    public override string Name => "vector-quantisation";

    public override string Title => "An image in few greys";

    public override string Claim =>
        "K-means as a code: N pixels of C bits become N log2 K bits and a code book of K C, at an error that falls as K grows (about by "
        + "6 dB for each bit).";

    public override string Source => "Murphy 2012, section 11.4.2.6; Gersho & Gray 1992, section 5.6, for 6 dB a bit.";

    public override string Setting =>
        $"A picture of {Side} by {Side} pixels of 8 bits made by formula (a hill of light, a disc, stripes). `gaussian_mixture`, "
        + "`covariance_type: spherical`, `fixed: [weights, covariances]`, `responsibilities: hard`: k-means. The best of 8 starts by "
        + "k-means++. The error is the signal-to-noise ratio 10 log10 (255^2 / mean squared error).";

    public override Finding Run()
    {
        double[,] image = Image();
        Minibatch pixels = Fits.Rows(image.Cast<double>().Select(value => new[] { value }));
        double[] bits = new double[Counts.Length], quality = new double[Counts.Length];
        var pictures = new List<Panel> { new HeatMap("The picture, 8 bits a pixel", [], [], Scaled(image), "") };
        for (int at = 0; at < Counts.Length; at++)
        {
            double[] greys = Greys(pixels, Counts[at]);
            double[,] coded = new double[Side, Side];
            double error = 0;
            for (int i = 0; i < Side; i++)
                for (int j = 0; j < Side; j++)
                {
                    coded[i, j] = greys.MinBy(grey => Math.Abs(grey - image[i, j]));
                    error += Math.Pow(coded[i, j] - image[i, j], 2) / (Side * Side);
                }
            bits[at] = Math.Log2(Counts[at]) + Counts[at] * (double)Bits / (Side * Side);
            quality[at] = 10 * ScalarMath.Log(255 * 255 / error) / ScalarMath.Log(10);
            if (Counts[at] is 2 or 4)
                pictures.Add(new HeatMap($"K = {Counts[at]}, {Fits.Text(bits[at], "F2")} bits a pixel", [], [], Scaled(coded), ""));
        }
        double perBit = (quality[^1] - quality[0]) / (Math.Log2(Counts[^1]) - 1);
        pictures.Add(new Chart("Quality by size of the code", "bits a pixel, code book included", "signal to noise, dB")
            .Line("", bits, quality, dots: true));
        return new Finding(
            perBit is > 5 and < 7.5 && Enumerable.Range(1, Counts.Length - 1).All(at => quality[at] > quality[at - 1]),
            $"Four greys take {Fits.Text(bits[2], "F2")} bits a pixel in place of 8 at {Fits.Text(quality[2], "F1")} dB, sixteen "
            + $"{Fits.Text(bits[4], "F2")} at {Fits.Text(quality[4], "F1")} dB; each further bit is worth {Fits.Text(perBit, "F1")} dB.",
            Figure.Of(pictures),
            "The picture, two codes of it, and what a bit buys",
            new NumberTable(["K", "bits a pixel", "dB"],
                [.. Counts.Select((k, at) => (IReadOnlyList<string>)[$"{k}", Fits.Text(bits[at], "F3"), Fits.Text(quality[at], "F2")])]));
    }

    private double[] Greys(Minibatch pixels, int k)
    {
        LatentModel model = Fits.Gaussians(k, 1, CovarianceType.Spherical);
        model.Hold(new BlockNames(["weights", "covariances"]));
        var pass = new Pass(null) { Rule = HardResponsibilities.Instance };
        (double LogLikelihood, double[] Means) best = (double.NegativeInfinity, []);
        for (ulong start = 0; start < 8; start++)
        {
            double[] centres = CentreSelection.Choose(InitializationMethod.KMeansPlusPlus, pixels, k, new SplitMix64(Seed + start));
            double[] theta = Fits.Theta(model, [.. Enumerable.Repeat(1.0 / k, k)], centres, [.. Enumerable.Repeat(4.0, k)]);
            BatchEmResult fit =
                BatchEm.Run(model, pixels, theta, new BatchEmOptions { Threads = 1, MaxIterations = 60, Tolerance = 1e-9 }, pass);
            if (fit.LogLikelihoods[^1] > best.LogLikelihood) best = (fit.LogLikelihoods[^1], Fits.Block(model, fit.Parameters, "means"));
        }
        return best.Means;
    }

    private static double[,] Image()
    {
        double[,] image = new double[Side, Side];
        for (int i = 0; i < Side; i++)
            for (int j = 0; j < Side; j++)
            {
                double x = j - 16.0, y = i - 18.0, u = j - 34.0, v = i - 32.0;
                double light = 60 + 150 * ScalarMath.Exp(-(x * x + y * y) / 220);
                if (u * u + v * v < 90) light = 30 + 2 * (u + v + 18);
                if (i > 42 && j / 4 % 2 == 0) light = 235;
                image[i, j] = Math.Round(Math.Clamp(light, 0, 255));
            }
        return image;
    }

    private static double[,] Scaled(double[,] image)
    {
        double[,] scaled = new double[Side, Side];
        for (int i = 0; i < Side; i++)
            for (int j = 0; j < Side; j++) scaled[i, j] = Math.Round(image[i, j] / 255, 2);
        return scaled;
    }
}
