using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Tests.LinearAlgebra;

public sealed class SignedLogTests
{
    private const double Origin = 3, PerUnit = 256, MaxBin = 40 * 256;

    [Theory]
    [InlineData("Portable")]
    [InlineData("Avx2")]
    [InlineData("Avx512")]
    public void Bins_AnyValues_AreThoseOfTheFormula(string path)
    {
        double[] values = Values();
        double[] actual = Bins(path, values);
        for (int at = 0; at < values.Length; at++)
        {
            double v = Origin - values[at], y = Math.Clamp(Math.CopySign(Math.Log(1 + Math.Abs(v)), v) * PerUnit, -MaxBin, MaxBin);
            // Both logarithms are within some ulps: only a value on the edge of a bin may go either way.
            if (Math.Abs(y - Math.Round(y)) > 1e-10) Assert.Equal(Math.Floor(y), actual[at]);
            else Assert.InRange(actual[at], Math.Round(y) - 1, Math.Round(y));
        }
    }

    [Theory]
    [InlineData("Portable")]
    [InlineData("Avx512")]
    public void Bins_EveryWidth_GiveTheSame(string path) => Assert.Equal(Bins("Avx2", Values()), Bins(path, Values()));

    [Fact]
    public void Bins_ExtremeValues_FollowTheStatedRules()
    {
        double[] values = [double.NegativeInfinity, double.PositiveInfinity, double.NaN, Origin, -1e300, 1e300];
        foreach (string path in Enum.GetNames<KernelPath>())
            Assert.Equal([MaxBin, -MaxBin, double.NaN, 0, MaxBin, -MaxBin], Bins(path, values));
    }

    private static double[] Bins(string path, double[] values)
    {
        double[] bins = new double[values.Length];
        SignedLog.Bins(Enum.Parse<KernelPath>(path), values, Origin, PerUnit, MaxBin, bins);
        return bins;
    }

    private static double[] Values()
    {
        var random = new Random(1);
        return
        [
            .. Enumerable.Range(0, 100_003).Select(_ => -30 + 60 * random.NextDouble()),
            .. Enumerable.Range(0, 1001).Select(_ => Math.Pow(10, -20 + 60 * random.NextDouble()) * (random.Next(2) == 0 ? 1 : -1)),
        ];
    }
}
