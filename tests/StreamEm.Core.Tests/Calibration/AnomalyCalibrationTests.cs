using StreamEm.Core.Calibration;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Calibration;

public sealed class AnomalyCalibrationTests
{
    [Theory]
    [InlineData(1, 0)]
    [InlineData(8, 0)]
    [InlineData(24, 0)]
    [InlineData(4, 50)]
    public void Score_OfTheStreamsOwnRecords_IsUniform(int dimension, double shift)
    {
        double[] densities = Densities(dimension, 50_000, 1, shift), fresh = Densities(dimension, 20_000, 2, shift);
        var sketch = new LogDensitySketch();
        foreach (double density in densities) sketch.Add(density);
        AnomalyCalibration calibration = sketch.Calibrate()!;
        double[] scores = [.. fresh.Select(calibration.Score).Order()];
        foreach (double level in (double[])[0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98])
        {
            // Knots 2 % apart and bins of 1/256 in u; the sampling errors of a quantile of 50 000 and of 20 000 are below 0.0042 together.
            double share = scores.Count(score => score <= level) / (double)scores.Length;
            Assert.True(Math.Abs(share - level) < 0.012, $"{share:F4} of the records score at most {level}");
        }
        double beyond = scores.Count(score => score > 0.999) / (double)scores.Length;
        Assert.InRange(beyond, 0.0002, 0.004);
    }

    [Fact]
    public void Score_RarerRecords_ScoreHigher()
    {
        var sketch = new LogDensitySketch();
        foreach (double density in Densities(2, 5000, 3, 0)) sketch.Add(density);
        AnomalyCalibration calibration = sketch.Calibrate()!;
        double last = -1;
        foreach (double density in (double[])[0, -2, -3, -4, -6, -8, -10, -20, -50])
        {
            double score = calibration.Score(density);
            Assert.True(score > last && score < 1, $"{score:R} at {density}");
            last = score;
        }
        Assert.Equal(1, calibration.Score(double.NegativeInfinity));
    }

    [Fact]
    public void Calibrate_FewerThanAHundredRecords_GivesNoScore()
    {
        var sketch = new LogDensitySketch();
        for (int n = 0; n < 99; n++) sketch.Add(-n);
        Assert.Null(sketch.Calibrate());
        sketch.Add(-1);
        Assert.NotNull(sketch.Calibrate());
    }

    [Fact]
    public void Merge_TwoSketches_IsTheSketchOfAll()
    {
        double[] a = Densities(3, 4000, 4, 0), b = Densities(3, 3000, 5, 2);
        LogDensitySketch left = Of(a), right = Of(b), all = Of([.. a, .. b]);
        left.Merge(right);
        Assert.Equal(all.Calibrate()!.Quantiles, left.Calibrate()!.Quantiles);
    }

    [Fact]
    public void Score_AllRecordsAlike_KeepsToTheUnitInterval()
    {
        var sketch = new LogDensitySketch();
        for (int n = 0; n < 1000; n++) sketch.Add(1.5);
        AnomalyCalibration calibration = sketch.Calibrate()!;
        foreach (double density in (double[])[5, 1.5, 1.4, 0, -1e9]) Assert.InRange(calibration.Score(density), 0, 1);
        Assert.True(calibration.Score(-5) > 0.99);
    }

    /// <summary>By definition: 1 less the share at least as improbable, of equal records all.</summary>
    [Theory]
    [InlineData(new[] { 0.7, 0.2, 0.095, 0.005 })]
    [InlineData(new[] { 0.97, 0.029, 0.001 })]
    [InlineData(new[] { 0.985, 0.015 })]
    [InlineData(new[] { 0.95, 0.05 })]
    [InlineData(new[] { 0.5, 0.5 })]
    [InlineData(new[] { 0.4, 0.3, 0.2, 0.06, 0.04 })]
    public void Score_TiedRecords_IsTheShareThatIsMoreProbable(double[] shares)
    {
        const int Count = 20_000;
        var sketch = new LogDensitySketch();
        for (int kind = 0; kind < shares.Length; kind++)
            for (int n = 0; n < shares[kind] * Count; n++) sketch.Add(-1 - 2 * kind);
        AnomalyCalibration calibration = sketch.Calibrate()!;
        double above = 0;
        for (int kind = 0; kind < shares.Length; kind++)
        {
            Assert.Equal(above, calibration.Score(-1 - 2 * kind), 1e-4);
            above += shares[kind];
            // Between two kinds all of the first are more probable, and few of the rest stay.
            if (kind + 1 < shares.Length) Assert.InRange(calibration.Score(-2 - 2 * kind), above - 1e-3, 1);
        }
        Assert.True(calibration.Score(-1 - 2 * shares.Length) > 0.9999);
    }

    [Fact]
    public void Score_TheOneOtherAmongEqualRecords_IsNearOne()
    {
        LogDensitySketch sketch = Of([.. Enumerable.Repeat(2.5, 5000)]);
        sketch.Add(-40);
        AnomalyCalibration calibration = sketch.Calibrate()!;
        Assert.Equal(0, calibration.Score(2.5));
        Assert.InRange(calibration.Score(-40), 0.9995, 1);
        Assert.InRange(calibration.Score(-4000), calibration.Score(-40), 1);
    }

    [Fact]
    public void Score_CalibrationOfRelease010_IsInterpolatedBetweenItsRanks()
    {
        double[] quantiles = [.. Enumerable.Range(0, 50).Select(at => -(double)at)];
        var calibration = new AnomalyCalibration(1000, quantiles, Math.Log(1 + 3 + 49), 0.1);
        Assert.Equal(0, calibration.Score(1));
        Assert.Equal(0.98 * 10.5 / 49, calibration.Score(-10.5), 1e-12);
        Assert.Equal(0.98, calibration.Score(-49), 1e-12);
        Assert.Equal(1 - 0.02 * Math.Exp(-(Math.Log(104) - Math.Log(53)) / 0.1), calibration.Score(-100), 1e-12);
    }

    private static LogDensitySketch Of(double[] densities)
    {
        var sketch = new LogDensitySketch();
        foreach (double density in densities) sketch.Add(density);
        return sketch;
    }

    /// <summary>log-densities of a standard normal in D dimensions, plus a shift (a narrow model has high ones).</summary>
    private static double[] Densities(int dimension, int count, ulong seed, double shift)
    {
        var chance = new SplitMix64(seed);
        double[] densities = new double[count];
        for (int n = 0; n < count; n++)
        {
            double squares = 0;
            for (int d = 0; d < dimension; d++)
            {
                double z = Gaussians.Normal(chance);
                squares += z * z;
            }
            densities[n] = shift - 0.5 * (squares + dimension * Math.Log(2 * Math.PI));
        }
        return densities;
    }
}
