using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models.Emissions;

namespace StreamEm.Core.Tests.Models.Emissions;

/// <summary>Products and squares of differences say the same of spheres, and which is taken depends on the parameters alone.</summary>
public sealed class SphericalGaussianEStepTests
{
    private const int Components = 5, Dimension = 6, Count = 41;

    public static TheoryData<double, double> Places => new()
    {
        { 0, 1e-10 }, { 0.99, 1e-10 }, { 1.01, 1e-10 }, { 1e6, 1e-7 },
    };

    /// <param name="place">|mu|^2 / sigma^2 of the component that is farthest, in units of the limit.</param>
    /// <param name="tolerance">Of a log-density of size F: times 1 + F.</param>
    [Theory, MemberData(nameof(Places))]
    public void LogDensities_AnywhereInSpace_EqualTheFormula(double place, double tolerance)
    {
        (double[] means, double[] variances) = Spheres(place);
        Minibatch batch = Rows(means, variances);
        var step = new SphericalGaussianEStep(Components, Dimension);
        step.Set(means, variances);
        var block = new RowBlock(Dimension);
        block.Fill(batch, 0, Count);
        double[] joint = new double[Components * RowBlock.Stride];
        Array.Fill(joint, 0.5);
        step.LogDensities(block, joint);
        for (int k = 0; k < Components; k++)
            for (int i = 0; i < Count; i++)
            {
                double expected = 0.5 + LogDensity(batch.Row(i), means.AsSpan(k * Dimension, Dimension), variances[k]);
                Assert.Equal(expected, joint[k * RowBlock.Stride + i], tolerance * (1 + Math.Abs(expected)));
            }
    }

    /// <summary>The same rows learned by products and by differences: the statistics do not know which.</summary>
    [Fact]
    public void Accumulate_RowsWithMissingValues_SumsWhatIsObserved()
    {
        (double[] means, double[] variances) = Spheres(0.5);
        Minibatch batch = Rows(means, variances);
        var step = new SphericalGaussianEStep(Components, Dimension);
        step.Set(means, variances);
        var block = new RowBlock(Dimension);
        block.Fill(batch, 0, Count);
        Assert.NotEmpty(block.Incomplete.ToArray());
        double[] responsibilities = new double[Components * RowBlock.Stride],
            statistics = new double[Components * (2 * Dimension + 1)], expected = new double[statistics.Length];
        for (int k = 0; k < Components; k++)
            for (int i = 0; i < Count; i++)
            {
                double r = responsibilities[k * RowBlock.Stride + i] = (1 + (k * 7 + i * 3) % 11) / 12.0;
                for (int d = 0; d < Dimension; d++)
                {
                    double x = batch.Row(i)[d];
                    if (double.IsNaN(x)) continue;
                    expected[k * Dimension + d] += r;
                    expected[Components * Dimension + k * Dimension + d] += r * x;
                    expected[2 * Components * Dimension + k] += r * x * x;
                }
            }
        step.Accumulate(block, responsibilities, statistics);
        for (int at = 0; at < expected.Length; at++) Assert.Equal(expected[at], statistics[at], 1e-13 * (1 + Math.Abs(expected[at])));
    }

    [Fact]
    public void TryLogJoint_OneRow_IsTheBlocksToTheByte()
    {
        foreach (double place in (double[])[0.5, 2])
        {
            (double[] means, double[] variances) = Spheres(place);
            Minibatch batch = Rows(means, variances);
            var step = new SphericalGaussianEStep(Components, Dimension);
            step.Set(means, variances);
            var block = new RowBlock(Dimension);
            block.Fill(batch, 0, Count);
            double[] joint = new double[Components * RowBlock.Stride], weights = new double[ComponentLanes.Padded(Components)],
                alone = new double[weights.Length];
            Array.Fill(joint, -1.5);
            Array.Fill(weights, -1.5);
            step.LogDensities(block, joint);
            Assert.True(step.TryLogJoint(batch.Row(0), weights, alone));
            for (int k = 0; k < Components; k++)
                Assert.Equal(BitConverter.DoubleToInt64Bits(joint[k * RowBlock.Stride]), BitConverter.DoubleToInt64Bits(alone[k]));
        }
    }

    private static (double[] Means, double[] Variances) Spheres(double place)
    {
        var random = new Random(11);
        double[] means = new double[Components * Dimension], variances = new double[Components];
        double largest = 0;
        for (int k = 0; k < Components; k++)
        {
            variances[k] = 0.5 + random.NextDouble();
            for (int d = 0; d < Dimension; d++) means[k * Dimension + d] = random.NextDouble() - 0.5;
            largest = Math.Max(largest, SquaredNorms.Of(means.AsSpan(k * Dimension, Dimension)) / variances[k]);
        }
        double scale = Math.Sqrt(place * SphericalGaussianEStep.Furthest / largest);
        for (int at = 0; at < means.Length; at++) means[at] *= scale;
        return (means, variances);
    }

    /// <summary>Rows round the components in turn, some with missing values, one with none but these; the first is complete.</summary>
    private static Minibatch Rows(double[] means, double[] variances)
    {
        var random = new Random(12);
        double[] values = new double[Count * Dimension];
        for (int i = 0; i < Count; i++)
            for (int d = 0; d < Dimension; d++)
            {
                int k = i % Components;
                values[i * Dimension + d] = means[k * Dimension + d] + Math.Sqrt(variances[k]) * (4 * random.NextDouble() - 2);
                if (i == 9 || (i % 4 == 3 && d == i % Dimension)) values[i * Dimension + d] = double.NaN;
            }
        var batch = new Minibatch(Dimension);
        batch.AddRange(values);
        return batch;
    }

    private static double LogDensity(ReadOnlySpan<double> row, ReadOnlySpan<double> mean, double variance)
    {
        double sum = 0;
        for (int d = 0; d < Dimension; d++)
        {
            if (double.IsNaN(row[d])) continue;
            double off = row[d] - mean[d];
            sum -= 0.5 * (Math.Log(2 * Math.PI * variance) + off * off / variance);
        }
        return sum;
    }
}
