using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Models;

public sealed class InfluenceBoundTests
{
    /// <summary>The chi-square values with the two-sided tail of 6 standard deviations (scipy.stats.chi2.isf, 3 decimals).</summary>
    [Theory]
    [InlineData(1, 36.000)]
    [InlineData(2, 40.087)]
    [InlineData(3, 43.452)]
    [InlineData(5, 49.250)]
    [InlineData(8, 56.796)]
    [InlineData(20, 81.755)]
    public void Limit_ManyObservations_IsChiSquare(int values, double expected)
    {
        var bound = new InfluenceBound(20);
        bound.Begin(1, double.PositiveInfinity);
        Assert.Equal(expected, bound.Limit(values), 1e-3);
        Assert.Equal(double.PositiveInfinity, bound.Limit(0));
    }

    /// <summary>Student's t of 40 degrees of freedom has this tail at 7.6: t^2 = 57; few observations bound nothing.</summary>
    [Fact]
    public void Limit_FewObservations_IsWider()
    {
        var bound = new InfluenceBound(1);
        bound.Begin(1, 41);
        Assert.InRange(bound.Limit(1), 50, 60);
        bound.Begin(1, 2);
        Assert.Equal(double.PositiveInfinity, bound.Limit(1));
    }

    [Theory]
    [InlineData(CovarianceType.Full)]
    [InlineData(CovarianceType.Tied)]
    [InlineData(CovarianceType.Diag)]
    [InlineData(CovarianceType.Spherical)]
    public void Distance_OfGaussians_IsWhatTheLogDensityLacksOfItsPeak(CovarianceType type)
    {
        const int components = 3, dimension = 4;
        Emission emission = Create(type, components, dimension);
        double[] theta = Parameters(emission, 1);
        EmissionEStep step = emission.Prepare(theta);
        Minibatch rows = Rows(dimension, 200, 2);
        var block = new RowBlock(dimension);
        block.Fill(rows, 0, rows.Count);
        double[] joint = new double[components * RowBlock.Stride], peaks = new double[components];
        step.LogDensities(block, joint);
        step.AddPeaks(peaks);
        Assert.Equal(dimension, step.MeasuredValues);
        for (int row = 0; row < rows.Count; row++)
            for (int k = 0; k < components; k++)
            {
                MeasuredDistance distance = step.Distance(block, row, k);
                int observed = dimension - rows.Row(row).Count(double.NaN);
                Assert.Equal(observed, distance.Values);
                if (observed < dimension) continue;
                double expected = 2 * (peaks[k] - joint[k * RowBlock.Stride + row]);
                Assert.Equal(expected, distance.Square, 1e-9 * Math.Max(1, expected));
            }
    }

    /// <summary>With a value missing the distance is that of the model of the others.</summary>
    [Fact]
    public void Distance_WithMissingValues_IsThatOfTheMarginal()
    {
        Emission whole = Create(CovarianceType.Full, 1, 2), part = Create(CovarianceType.Full, 1, 1);
        EmissionEStep step = whole.Prepare(new[] { 1.0, 2, 4, 1.5, 1.5, 9 }), marginal = part.Prepare(new[] { 2.0, 9 });
        Minibatch rows = new(2), rest = new(1);
        rows.Add([double.NaN, 11]);
        rest.Add([11]);
        RowBlock block = new(2), other = new(1);
        block.Fill(rows, 0, 1);
        other.Fill(rest, 0, 1);
        Assert.Equal(marginal.Distance(other, 0, 0), step.Distance(block, 0, 0));
        Assert.Equal(9, step.Distance(block, 0, 0).Square, 1e-12);
    }

    /// <summary>2 (x log(x / rate) - (x - rate)), and nothing of yes-no features.</summary>
    [Fact]
    public void Distance_OfCounts_IsTheDeviance()
    {
        var rows = new Minibatch(2);
        rows.Add([8, 0]);
        var block = new RowBlock(2);
        block.Fill(rows, 0, 1);
        EmissionEStep counts = new Poisson(1, [0, 0], Prior.None).Prepare(new[] { 2.0, 3 });
        Assert.Equal(2 * ((8 * Math.Log(4)) - 6 + 3), counts.Distance(block, 0, 0).Square, 1e-12);
        Assert.Equal(2, counts.Distance(block, 0, 0).Values);
        // A first count under a rate of nothing: from 0.01.
        EmissionEStep never = new Poisson(1, [0, 0], Prior.None).Prepare(new[] { 1e-10, 1e-10 });
        rows.Clear();
        rows.Add([1, 0]);
        block.Fill(rows, 0, 1);
        Assert.Equal(2 * (Math.Log(100) - 0.99 + 0.01), never.Distance(block, 0, 0).Square, 1e-12);
        EmissionEStep flags = new Bernoulli(1, 2, Prior.None).Prepare(new[] { 0.5, 0.5 });
        Assert.Equal(0, flags.MeasuredValues);
        Assert.Equal(default, flags.Distance(block, 0, 0));
    }

    private static Emission Create(CovarianceType type, int components, int dimension) =>
        new GaussianOptions { CovarianceType = type, RegCovar = 0 }.Create(
            StreamEm.Core.Features.FeatureSpace.Unscaled(dimension).Features, components);

    /// <summary>Valid parameters that are not the neutral ones.</summary>
    private static double[] Parameters(Emission emission, ulong seed)
    {
        var chance = new SplitMix64(seed);
        double[] theta = new double[emission.ParameterLayout.Length];
        emission.Neutral(theta);
        for (int k = 0; k < emission.Components; k++)
        {
            double[] location = [.. Enumerable.Range(0, emission.Dimension).Select(_ => Gaussians.Normal(chance))];
            double[] variances = [.. Enumerable.Range(0, emission.Dimension).Select(_ => 0.2 + chance.NextDouble())];
            emission.Reseed(theta, k, location, variances);
        }
        return theta;
    }

    private static Minibatch Rows(int dimension, int count, ulong seed)
    {
        var chance = new SplitMix64(seed);
        var rows = new Minibatch(dimension, count);
        for (int row = 0; row < count; row++)
        {
            double[] values = [.. Enumerable.Range(0, dimension).Select(_ => 3 * Gaussians.Normal(chance))];
            if (row % 3 == 0) values[row % dimension] = double.NaN;
            rows.Add(values);
        }
        return rows;
    }
}
