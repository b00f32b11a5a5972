using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Tests.LinearAlgebra;

public sealed class MostProbableTests
{
    [Theory]
    [InlineData(1, 256)]
    [InlineData(2, 1)]
    [InlineData(7, 33)]
    [InlineData(40, 251)]
    public void Mark_AnyShape_IsTheLowestNumberOfTheLargest(int components, int count)
    {
        var random = new Random(components);
        // Few values, so that many are equal; lanes of negative infinities, and some that begin with a number that is none.
        double[] values = [double.NegativeInfinity, -1e300, -2, 0, 0.5, 1];
        double[] entries = new double[components * RowBlock.Stride];
        for (int at = 0; at < entries.Length; at++) entries[at] = at % 17 == 0 ? values[0] : values[random.Next(values.Length)];
        for (int k = 0; k < components; k++) entries[k * RowBlock.Stride] = double.NegativeInfinity;
        if (count > 5) entries[5] = double.NaN;
        double[] expected = (double[])entries.Clone();
        for (int i = 0; i < count; i++)
        {
            int most = 0;
            for (int k = 1; k < components; k++)
                if (entries[k * RowBlock.Stride + i] > entries[most * RowBlock.Stride + i]) most = k;
            for (int k = 0; k < components; k++) expected[k * RowBlock.Stride + i] = k == most ? 1 : 0;
        }
        MostProbable.Mark(entries, components, count);
        for (int k = 0; k < components; k++)
            Assert.Equal(expected[(k * RowBlock.Stride)..(k * RowBlock.Stride + count)],
                entries[(k * RowBlock.Stride)..(k * RowBlock.Stride + count)]);
    }
}
