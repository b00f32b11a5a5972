using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Tests.LinearAlgebra;

public sealed class LogSumExpTests
{
    public static TheoryData<string, int> Shapes()
    {
        var shapes = new TheoryData<string, int>();
        foreach (KernelPath path in Enum.GetValues<KernelPath>())
            foreach (int components in (int[])[1, 2, 3, 8, 17, 64])
                shapes.Add(path.ToString(), components);
        return shapes;
    }

    [Fact]
    public void Normalize_TwiceMinus420_IsMinus420PlusLog2()
    {
        foreach (KernelPath path in Enum.GetValues<KernelPath>())
        {
            double[] joint = new double[2 * RowBlock.Stride], densities = new double[RowBlock.Stride];
            Array.Fill(joint, -420);
            LogSumExp.Normalize(path, joint, 2, densities);
            Assert.All(densities[..RowBlock.Capacity], density => Assert.Equal(-420 + Math.Log(2), density));
            Assert.All(joint[..RowBlock.Capacity], share => Assert.Equal(0.5, share));
        }
        double[] one = [-420, -420, double.NegativeInfinity, double.NegativeInfinity, double.NegativeInfinity, double.NegativeInfinity,
            double.NegativeInfinity, double.NegativeInfinity];
        Assert.Equal(-420 + Math.Log(2), SoftMax.Normalize(one));
        Assert.Equal([0.5, 0.5], one[..2]);
    }

    [Theory, MemberData(nameof(Shapes))]
    public void Normalize_AnySpread_EqualsThePlainLoop(string path, int components)
    {
        foreach (double spread in (double[])[1e-3, 1, 30, 1000, 1e6])
        {
            var random = new Random(components);
            double[] joint = new double[components * RowBlock.Stride], densities = new double[RowBlock.Stride];
            for (int k = 0; k < components; k++)
                for (int i = 0; i < RowBlock.Capacity; i++)
                    joint[k * RowBlock.Stride + i] = spread * (random.NextDouble() - 0.5) - 3 * spread;
            var responsibilities = (double[])joint.Clone();
            LogSumExp.Normalize(Enum.Parse<KernelPath>(path), responsibilities, components, densities);
            for (int i = 0; i < RowBlock.Capacity; i++)
            {
                double[] lane = Enumerable.Range(0, components).Select(k => joint[k * RowBlock.Stride + i]).ToArray();
                double max = lane.Max(), sum = lane.Sum(v => Math.Exp(v - max)), expected = max + Math.Log(sum);
                Assert.Equal(expected, densities[i], Math.Abs(expected) * 1e-15 + 1e-15);
                for (int k = 0; k < components; k++)
                {
                    // Relative: exp 1e-15, its argument exact, sum and quotient some 2^-53; below 1e-300 the absolute error.
                    double r = Math.Exp(lane[k] - max) / sum;
                    Assert.Equal(r, responsibilities[k * RowBlock.Stride + i], r * 4e-15 + 1e-300);
                }
            }
        }
    }

    [Theory, MemberData(nameof(Shapes))]
    public void Normalize_WithEntropies_GivesThoseOfTheResponsibilitiesAndTheSameBytesBeside(string path, int components)
    {
        foreach (double spread in (double[])[1e-3, 1, 30, 1000, 1e6])
        {
            var random = new Random(components);
            double[] joint = new double[components * RowBlock.Stride], densities = new double[RowBlock.Stride],
                entropies = new double[RowBlock.Stride], besides = new double[RowBlock.Stride];
            for (int k = 0; k < components; k++)
                for (int i = 0; i < RowBlock.Capacity; i++)
                    joint[k * RowBlock.Stride + i] =
                        i % 7 == 0 || (i % 7 == 1 && k > 0) ? double.NegativeInfinity : spread * random.NextDouble();
            double[] responsibilities = [.. joint], alone = [.. joint];
            LogSumExp.Normalize(Enum.Parse<KernelPath>(path), responsibilities, components, densities, entropies, RowBlock.Capacity);
            LogSumExp.Normalize(Enum.Parse<KernelPath>(path), alone, components, besides);
            Assert.Equal(alone, responsibilities);
            Assert.Equal(besides, densities);
            for (int i = 0; i < RowBlock.Capacity; i++)
            {
                double expected = 0;
                for (int k = 0; k < components; k++)
                {
                    double r = responsibilities[k * RowBlock.Stride + i];
                    if (r > 0) expected -= r * Math.Log(r);
                }
                // log S and the sum are each at most log K and of 1e-16 relative to their parts.
                Assert.Equal(expected, entropies[i], 1e-14 * (1 + Math.Log(components)));
            }
        }
    }

    [Theory, MemberData(nameof(Shapes))]
    public void Normalize_NegativeInfinities_GiveZeroAndAnEmptyLaneGivesNegativeInfinity(string path, int components)
    {
        double[] joint = new double[components * RowBlock.Stride], densities = new double[RowBlock.Stride];
        for (int k = 0; k < components; k++)
            for (int i = 0; i < RowBlock.Capacity; i++)
                joint[k * RowBlock.Stride + i] = i % 3 == 0 || (i % 3 == 1 && k > 0) ? double.NegativeInfinity : 1e5;
        LogSumExp.Normalize(Enum.Parse<KernelPath>(path), joint, components, densities);
        for (int i = 0; i < RowBlock.Capacity; i++)
        {
            double expected = (i % 3) switch { 0 => double.NegativeInfinity, 1 => 1e5, _ => 1e5 + Math.Log(components) };
            if (i % 3 == 0) Assert.Equal(expected, densities[i]);
            else Assert.Equal(expected, densities[i], 1e-10);
            for (int k = 0; k < components; k++)
                Assert.Equal((i % 3) switch { 0 => 0, 1 => k == 0 ? 1 : 0, _ => 1.0 / components }, joint[k * RowBlock.Stride + i], 1e-15);
        }
    }

    [Theory, MemberData(nameof(Shapes))]
    public void Normalize_NaN_DoesNotPassForANumber(string path, int components)
    {
        double[] joint = new double[components * RowBlock.Stride], densities = new double[RowBlock.Stride];
        joint[5] = double.NaN;
        LogSumExp.Normalize(Enum.Parse<KernelPath>(path), joint, components, densities);
        Assert.True(double.IsNaN(densities[5]));
        Assert.False(double.IsNaN(densities[4]));
    }
}
