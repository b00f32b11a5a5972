using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Factors;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Models.Factors;

/// <summary>Records so wide that they are taken as rows, not as columns; and features solved together, not one by one.</summary>
public sealed class WideFactorTests
{
    private const int Narrow = 100, Wide = 157, Factors = 3;

    /// <summary>Features of variance 1 without loadings add a constant to log p, and nothing to the others' statistics.</summary>
    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 0)]
    [InlineData(false, 0.2)]
    [InlineData(true, 0.2)]
    public void EStep_OfWideRows_IsThatOfTheirFirstFeatures(bool isIsotropic, double missing)
    {
        FactorAnalyser few = FactorTests.Analyser(2, Narrow, Factors, isIsotropic),
            many = FactorTests.Analyser(2, Wide, Factors, isIsotropic);
        (double[] theta, double[] padded) = Parameters(few, many);
        (Minibatch rows, Minibatch wide) = Rows(missing);
        (double[] expected, double[] densities) = Average(few, theta, rows);
        (double[] found, double[] wideDensities) = Average(many, padded, wide);

        double constant = -0.5 * (Wide - Narrow) * Math.Log(2 * Math.PI);
        for (int n = 0; n < rows.Count; n++) Assert.Equal(densities[n] + constant, wideDensities[n], 1e-10);
        foreach (string block in (string[])["latent_means", "latent_moments"])
            Assert.Equal(few.StatisticsLayout[block].Of(expected.AsSpan(2)).ToArray(),
                many.StatisticsLayout[block].Of(found.AsSpan(2)).ToArray(), (a, b) => Math.Abs(a - b) < 1e-10);
        for (int k = 0; k < 2; k++)
            for (int d = 0; d < Narrow; d++)
            {
                foreach (string block in (string[])["first_moments", "squares"])
                    Assert.Equal(few.StatisticsLayout[block].Of(expected.AsSpan(2))[k * Narrow + d],
                        many.StatisticsLayout[block].Of(found.AsSpan(2))[k * Wide + d], 1e-10);
                for (int j = 0; j < Factors; j++)
                    Assert.Equal(few.StatisticsLayout["latent_products"].Of(expected.AsSpan(2))[(k * Factors + j) * Narrow + d],
                        many.StatisticsLayout["latent_products"].Of(found.AsSpan(2))[(k * Factors + j) * Wide + d], 1e-10);
            }
    }

    /// <summary>A negative zero among what missing values leave out is no zero by its bits, and changes no number.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Maximize_AllFeaturesAtOnce_GivesTheBytesOfOneByOne(bool isIsotropic)
    {
        FactorAnalyser few = FactorTests.Analyser(2, Narrow, Factors, isIsotropic),
            many = FactorTests.Analyser(2, Wide, Factors, isIsotropic);
        double[] theta = Parameters(few, many).Wide;
        (double[] averages, _) = Average(many, theta, Rows(0).Wide);
        double[] together = Maximize(many, averages, theta);
        Span<double> missing = many.StatisticsLayout["missing"].Of(averages.AsSpan(2));
        for (int at = 0; at < missing.Length; at += 10) missing[at] = -0.0;

        Assert.Equal(Bits(Maximize(many, averages, theta)), Bits(together));
        Assert.NotEqual(Bits(theta), Bits(together));
    }

    private static double[] Maximize(FactorAnalyser family, double[] averages, double[] theta)
    {
        double[] result = new double[theta.Length];
        new Mixture("factors", family).Maximize(averages, 300, theta, result, new ModelEvents());
        return result;
    }

    private static (double[] Averages, double[] Densities) Average(FactorAnalyser family, double[] theta, Minibatch rows)
    {
        var model = new Mixture("factors", family);
        double[] averages = new double[model.StatisticsLayout.Length], densities = new double[rows.Count];
        new ShardedEStep(model, 1).Average(model.Prepare(theta), theta, rows, averages, densities, new Pass(null, 1));
        return (averages, densities);
    }

    private static (double[] Narrow, double[] Wide) Parameters(FactorAnalyser few, FactorAnalyser many)
    {
        var chance = new SplitMix64(11);
        double[] theta = [0.4, 0.6, .. new double[few.ParameterLayout.Length]],
            padded = [0.4, 0.6, .. new double[many.ParameterLayout.Length]];
        Span<double> means = few.ParameterLayout["means"].Of(theta.AsSpan(2)),
            wideMeans = many.ParameterLayout["means"].Of(padded.AsSpan(2)),
            loadings = few.ParameterLayout["loadings"].Of(theta.AsSpan(2)),
            wideLoadings = many.ParameterLayout["loadings"].Of(padded.AsSpan(2));
        for (int k = 0; k < 2; k++)
            for (int d = 0; d < Narrow; d++)
            {
                wideMeans[k * Wide + d] = means[k * Narrow + d] = chance.NextDouble() - 0.5;
                for (int j = 0; j < Factors; j++)
                    wideLoadings[(k * Wide + d) * Factors + j] = loadings[(k * Narrow + d) * Factors + j] = chance.NextDouble() - 0.5;
            }
        few.ParameterLayout.Blocks[2].Of(theta.AsSpan(2)).Fill(1);
        many.ParameterLayout.Blocks[2].Of(padded.AsSpan(2)).Fill(1);
        return (theta, padded);
    }

    private static (Minibatch Narrow, Minibatch Wide) Rows(double missing)
    {
        var chance = new SplitMix64(12);
        Minibatch rows = new(Narrow, 300), wide = new(Wide, 300);
        for (int n = 0; n < 300; n++)
        {
            double[] row = new double[Wide];
            double common = Gaussians.Normal(chance);
            for (int d = 0; d < Narrow; d++)
                row[d] = n % 5 < 2 && chance.NextDouble() < missing ? double.NaN : 0.3 * common + Gaussians.Normal(chance);
            rows.Add(row.AsSpan(0, Narrow));
            wide.Add(row);
        }
        return (rows, wide);
    }

    private static long[] Bits(double[] values) => Array.ConvertAll(values, BitConverter.DoubleToInt64Bits);
}
