using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Tests.LinearAlgebra;

public sealed class ComponentLanesTests
{
    [Theory, MemberData(nameof(KernelData.Shapes), MemberType = typeof(KernelData))]
    public void OneRow_AnyShapeAndPath_EqualsTheBlock(string path, int dimension, int components)
    {
        var data = new KernelData(dimension, components, 40);
        var chosen = Enum.Parse<KernelPath>(path);
        foreach (bool triangular in (bool[])[true, false])
        {
            double[] block = new double[components * RowBlock.Stride], densities = new double[RowBlock.Stride];
            ComponentLanes lanes = triangular
                ? ComponentLanes.Triangular(components, dimension, data.Triangles, data.Biases, data.Constants)
                : ComponentLanes.Diagonal(components, dimension, data.Factors, data.Biases, data.Constants);
            if (triangular)
                QuadraticForms.AddTriangular(data.Columns, dimension, components, data.Triangles, data.Biases, data.Constants, block);
            else QuadraticForms.AddDiagonal(data.Columns, dimension, components, data.Factors, data.Biases, data.Constants, block);
            var forms = (double[])block.Clone();
            double[] addends = Enumerable.Range(0, ComponentLanes.Padded(components)).Select(k => 0.25 * (k % 3)).ToArray();
            for (int k = 0; k < components; k++)
                for (int row = 0; row < data.Count; row++) forms[k * RowBlock.Stride + row] += addends[k];
            Array.Copy(forms, block, forms.Length);
            LogSumExp.Normalize(block, components, densities);
            for (int row = 0; row < data.Count; row++)
            {
                double[] joint = Enumerable.Repeat(double.NaN, addends.Length).ToArray();
                lanes.Sum(chosen, data.Rows.AsSpan(row * dimension, dimension), addends, joint);
                double[] expected = Enumerable.Range(0, components).Select(k => forms[k * RowBlock.Stride + row]).ToArray();
                KernelData.Close(expected, joint.AsSpan(0, components), 8 * (dimension + 8) * 1.2e-16); // as in QuadraticFormsTests
                Assert.All(joint[components..], value => Assert.Equal(double.NegativeInfinity, value));

                // A form of size F carries an error of some D ulps of F into the exponent.
                double tolerance = 1e-14 * (1 + Math.Abs(expected.Max())) * (dimension + 8);
                Assert.Equal(densities[row], SoftMax.Normalize(chosen, joint), tolerance);
                for (int k = 0; k < components; k++) Assert.Equal(block[k * RowBlock.Stride + row], joint[k], tolerance);
            }
        }
    }

    [Theory]
    [InlineData("Portable")]
    [InlineData("Avx2")]
    [InlineData("Avx512")]
    public void SoftMax_NothingPossible_IsNegativeInfinityAndZeros(string path)
    {
        double[] joint = Enumerable.Repeat(double.NegativeInfinity, 16).ToArray();
        Assert.Equal(double.NegativeInfinity, SoftMax.Normalize(Enum.Parse<KernelPath>(path), joint));
        Assert.All(joint, r => Assert.Equal(0, r));
    }

    [Fact]
    public void TrySumAbove_AnyLength_SumsUnlessOneIsNotAbove()
    {
        for (int length = 0; length < 20; length++)
        {
            double[] values = Enumerable.Range(1, length).Select(i => (double)i).ToArray();
            Assert.True(LaneSums.TrySumAbove(values, 0.5, out double sum));
            Assert.Equal(length * (length + 1) / 2, sum);
            foreach (double bad in (double[])[double.NaN, 0.5])
                for (int at = 0; at < length; at++)
                {
                    var spoiled = (double[])values.Clone();
                    spoiled[at] = bad;
                    Assert.False(LaneSums.TrySumAbove(spoiled, 0.5, out _));
                }
        }
    }
}
