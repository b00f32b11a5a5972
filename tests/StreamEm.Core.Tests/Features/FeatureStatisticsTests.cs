using StreamEm.Core.Data;
using StreamEm.Core.Features;

namespace StreamEm.Core.Tests.Features;

public sealed class FeatureStatisticsTests
{
    [Fact]
    public void Learn_EveryScaling_IsWhatItSays()
    {
        var rows = new Minibatch(5);
        rows.Add([1, 10, 2, 100, 7]);
        rows.Add([3, 50, 4, 100, 7]);
        rows.Add([5, 90, 12, 100, double.NaN]);
        const FeatureScaling both = FeatureScaling.LocationAndScale;
        FeatureSpace space = Space(both, FeatureScaling.ScaleOnly, FeatureScaling.None, both, both).Learn(rows);
        Assert.Equal([3, 0, 0, 100, 7], space.Location.ToArray());
        Near([Math.Sqrt(8.0 / 3), 50, 1, 1, 1], space.Scale);
        // Inside: standardised features have mean 0 and variance 1, the others what they have, and a constant one counts as of variance 1.
        Near([0, 1, 6, 0, 0], [.. space.Features.Select(feature => feature.Mean)]);
        Near([1, 3200 / 3.0 / 2500, 56 / 3.0, 1, 1], space.Variances);
    }

    [Fact]
    public void Learn_CommonScale_IsTheRootMeanSquareOfTheirOwn()
    {
        var rows = new Minibatch(3);
        rows.Add([0, 10, 0]);
        rows.Add([6, 12, 40]);
        FeatureSpace space = Space(FeatureScaling.CommonScale, FeatureScaling.CommonScale, FeatureScaling.LocationAndScale).Learn(rows);
        // Deviations 3 and 1: sqrt((9 + 1) / 2); the third feature takes no part.
        Near([Math.Sqrt(5), Math.Sqrt(5), 20], space.Scale);
        Near([3, 11, 20], space.Location);
        Near([9.0 / 5, 1.0 / 5, 1], space.Variances);
    }

    [Fact]
    public void Learn_Weights_CountForThem()
    {
        var rows = new Minibatch(1);
        rows.Add([0], weight: 3);
        rows.Add([8]);
        FeatureSpace space = Space(FeatureScaling.LocationAndScale).Learn(rows);
        Near([2], space.Location);
        Near([Math.Sqrt(12)], space.Scale);
    }

    [Fact]
    public void Learn_ScaleOnlyWithoutAPositiveMean_LeavesTheUnits()
    {
        var rows = new Minibatch(1);
        rows.AddRange([-1.0, 1, -1]);
        Assert.Equal([1.0], Space(FeatureScaling.ScaleOnly).Learn(rows).Scale.ToArray());
    }

    [Fact]
    public void Learn_ValueFarOutside_TakesNoPart()
    {
        Minibatch rows = new(1), clean = new(1);
        for (int row = 0; row < 100; row++)
        {
            rows.Add([row % 10]);
            clean.Add([row % 10]);
        }
        rows.Add([1e12]);
        rows.Add([double.NaN]);
        FeatureSpace space = Space(FeatureScaling.LocationAndScale);
        Near(space.Learn(clean).Location, space.Learn(rows).Location);
        Near(space.Learn(clean).Scale, space.Learn(rows).Scale);
        Near([1], space.Learn(rows).Variances);
    }

    [Fact]
    public void Learn_SmallSpreadOnALargeOffset_KeepsItsDigits()
    {
        var rows = new Minibatch(1);
        for (int row = 0; row < 1000; row++) rows.Add([1e9 + row % 3 * 0.125]);
        FeatureSpace space = Space(FeatureScaling.LocationAndScale).Learn(rows);
        // 334 rows at 0, 333 at 1/8 and at 1/4: rounding of the values themselves is 1e-7.
        Assert.Equal(1e9 + 0.124875, space.Location[0], 2e-7);
        Assert.Equal(Math.Sqrt(0.026015625 - 0.124875 * 0.124875), space.Scale[0], 1e-7);
    }

    [Fact]
    public void WithoutGlitches_OfRows_LeavesThemOutOrEmptyInSequences()
    {
        Minibatch rows = new(2), sequence = new(2), glitches = new(2);
        sequence.BeginSequence();
        foreach (double value in (double[])[1, 1e7, 3])
        {
            rows.Add([value, 0]);
            sequence.Add([value, 0]);
        }
        glitches.Add([1e7, 0]);
        Assert.Equal([1, 0, 3, 0.0], FeatureStatistics.WithoutGlitches(rows).Values.ToArray());
        Minibatch kept = FeatureStatistics.WithoutGlitches(sequence);
        Assert.Equal([1, 0, double.NaN, double.NaN, 3, 0], kept.Values.ToArray());
        Assert.Equal([0], kept.SequenceStarts.ToArray());
        Assert.Same(glitches, FeatureStatistics.WithoutGlitches(glitches));
    }

    [Fact]
    public void AbsentFeatures_AreThoseWithoutAnyValue()
    {
        var rows = new Minibatch(3);
        rows.Add([double.NaN, double.NaN, 1]);
        rows.Add([0, double.NaN, double.NaN]);
        Assert.Equal([1], FeatureStatistics.AbsentFeatures(rows));
    }

    private static FeatureSpace Space(params FeatureScaling[] scalings) =>
        new([.. scalings.Select(
            (scaling, d) => new Feature($"x{d}", scaling == FeatureScaling.None ? FeatureKind.Count : FeatureKind.Number, scaling))]);

    private static void Near(ReadOnlySpan<double> expected, ReadOnlySpan<double> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int at = 0; at < expected.Length; at++) Assert.Equal(expected[at], actual[at], 1e-12 * Math.Max(1, Math.Abs(expected[at])));
    }
}
