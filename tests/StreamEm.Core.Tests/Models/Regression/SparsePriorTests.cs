using StreamEm.Core.Models.Regression;

namespace StreamEm.Core.Tests.Models.Regression;

public sealed class SparsePriorTests
{
    [Theory]
    [InlineData(1e-200)]
    [InlineData(1e-160)]
    [InlineData(1e-20)]
    [InlineData(1e-3)]
    [InlineData(1.0)]
    [InlineData(1e3)]
    [InlineData(1e20)]
    [InlineData(1e150)]
    public void Precision_OfAnyCoefficient_IsPositiveAndFinite(double w)
    {
        foreach (double gamma in (double[])[1e-3, 1, 20, 1e4])
            foreach (int prior in (int[])[(int)SparsePrior.Laplace, (int)SparsePrior.Student, (int)SparsePrior.Horseshoe])
                Assert.InRange(ScaleMixture.Precision((SparsePrior)prior, gamma, w), double.Epsilon, double.MaxValue);
    }

    [Fact]
    public void Precision_UnderTheHorseshoe_FallsAsTheCoefficientGrows()
    {
        double before = double.PositiveInfinity;
        for (double w = 1e-12; w < 1e12; w *= 1.3)
        {
            double now = ScaleMixture.Precision(SparsePrior.Horseshoe, 2, w);
            Assert.True(now < before, $"{w:R}: {now:R} after {before:R}");
            before = now;
        }
    }
}
