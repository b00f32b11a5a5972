using StreamEm.Core.Calibration;

namespace StreamEm.Core.Tests.Calibration;

/// <summary>Scores and p-values of a calibration written by hand: forth, back, and of records with values missing.</summary>
public sealed class PValueTests
{
    /// <summary>98 % inside, as near to improbable as -4; then u = log(1 + 3 - log p) has a mean excess of 1/2 over log 8.</summary>
    private static readonly AnomalyCalibration Calibration = new(1000, [2, 1, -1, -4], Math.Log(8), 0.5)
    {
        LogDensities = [2, 1, -1, -4],
        Scores = [0, 0.4, 0.6, 0.98],
    };

    [Theory]
    [InlineData(2.5, 0)]
    [InlineData(2, 0)]
    [InlineData(1.5, 0.2)]
    [InlineData(1, 0.4)]
    [InlineData(-2.5, 0.79)]
    [InlineData(-4, 0.98)]
    [InlineData(-12, 0.995)] // (8 / 16)^2 of 2 %
    [InlineData(-76, 0.9998)] // (8 / 80)^2
    public void Judge_ALogDensity_IsItsScoreAndWhatIsLeft(double logDensity, double expected)
    {
        (double score, double pValue) = Calibration.Judge(logDensity);
        Assert.Equal(expected, score, 1e-12);
        Assert.Equal(expected, Calibration.Score(logDensity), 1e-12);
        Assert.Equal(1 - expected, pValue, 1e-12);
    }

    [Fact]
    public void Judge_WhatIsRarerThanAnyNumberTells_HasTheSmallestPValueAndNaNNone()
    {
        Assert.Equal((1, 1e-300), Calibration.Judge(double.NegativeInfinity));
        Assert.Equal((double.NaN, double.NaN), Calibration.Judge(double.NaN));
        // 0.02 (8 / 8e8)^2: 1 less that is no longer told from 1.
        Assert.Equal(2e-18, Calibration.Judge(4 - 8e8).PValue, 1e-24);
    }

    [Theory]
    [InlineData(0.9998e0, 1)]
    [InlineData(0.7, 1)]
    [InlineData(0.6, 1)]
    [InlineData(0.59, -1)]
    [InlineData(0.39, -4)]
    [InlineData(0.021, -4)]
    [InlineData(0.005, -12)]
    [InlineData(0.0002, -76)]
    public void LogDensityAt_APValue_IsTheFirstKnotThatReachesItOrWhereTheTailDoes(double pValue, double expected) =>
        Assert.Equal(expected, Calibration.LogDensityAt(pValue), 1e-9);

    /// <summary>The p-value of the last knot is its own, to the last bit: 1 - 0.7 is more than 0.3.</summary>
    [Fact]
    public void LogDensityAt_ThePValueWhereTheTailBegins_IsTheLastKnot()
    {
        var calibration = new AnomalyCalibration(1000, [2, -4], Math.Log(16), 0.5) { LogDensities = [2, -4], Scores = [0, 0.3] };
        Assert.Equal(-4, calibration.LogDensityAt(0.7));
        Assert.True(calibration.LogDensityAt(0.69) < -12);
    }

    [Fact]
    public void Score_ValuesMissingAndNoneOfTheirLikeKnown_IsThatOfACompleteRecordAsImprobable()
    {
        Assert.Equal(0.4, Calibration.Score([7, double.NaN], -1, 1));
        Assert.Equal(0.6, Calibration.Score([7, 7], -1, 1));
        Assert.Equal(0.6, Calibration.Score([7, double.NaN], -1, -1));
        Assert.Equal(1, Calibration.Score([7, double.NaN], double.NegativeInfinity, 1));
        Assert.Equal(double.NaN, Calibration.Score([7, double.NaN], double.NaN, 1));
        AnomalyCalibration other = Calibration with { Patterns = [new PatternCalibration([0], 2, Calibration)] };
        Assert.Equal(0.4, other.Score([7, double.NaN], -1, 1));
        Assert.Equal(0.4, other.Score([double.NaN, double.NaN], -1, 1));
        Assert.Equal(0.6, other.Score([double.NaN, 7], -1, 1));
    }

    [Fact]
    public void Score_CalibrationOfAnyListOfQuantiles_IsThatOfItsNumbers()
    {
        var listed = new AnomalyCalibration(1000, new List<double> { 2, 1, -1, -4 }, Math.Log(8), 0.5);
        Assert.Equal(0.98 / 3, listed.Score(1), 1e-12);
        Assert.Equal(0.98 * 5 / 6, listed.Score(-2.5), 1e-12);
    }
}
