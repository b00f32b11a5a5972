using StreamEm.Core.Calibration;

namespace StreamEm.Core.Tests.Calibration;

public sealed class FarTailTests
{
    private const double Scale = 0.5, Share = 0.02, Start = 1, FarShare = 0.004, FarScale = 2;

    private static readonly FarTail Tail = new(Scale, Share, Start, FarShare, FarScale, FarCount: 20);

    [Theory]
    [InlineData(0.02)]
    [InlineData(0.5)]
    [InlineData(1)]
    [InlineData(double.NaN)]
    public void Of_AScoreThatIsNotInTheTail_IsItself(double pValue) => Assert.Equal(pValue, Tail.Of(pValue));

    /// <summary>Scores beyond the tail's start, and the p-values by the last of them.</summary>
    [Theory]
    [InlineData(0.5, 0.0073575888234288468)] // 0.02 exp(-1), which is more than lies beyond v
    [InlineData(0.9, FarShare)] // 0.02 exp(-1.8) is less
    [InlineData(1, FarShare)]
    [InlineData(1.5, 0.0031152031322856196)] // 0.004 exp(-0.5 / 2)
    [InlineData(3, 0.0014715177646857693)] // 0.004 exp(-2 / 2)
    [InlineData(21, 1.8159971904993939e-07)] // 0.004 exp(-20 / 2)
    public void Of_AScoreInTheTail_FollowsItsLastScores(double excess, double expected) =>
        Assert.Equal(expected, Tail.Of(Share * Math.Exp(-excess / Scale)), 1e-12 * expected);

    [Fact]
    public void Of_RarerScores_IsNoHigher()
    {
        double last = 1;
        for (double excess = 0.01; excess < 30; excess += 0.01)
        {
            double pValue = Tail.Of(Share * Math.Exp(-excess / Scale));
            Assert.True(pValue <= last && pValue > 0, $"{pValue} at {excess}");
            last = pValue;
        }
    }
}
