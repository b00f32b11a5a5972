using StreamEm.Core.Data;
using StreamEm.Core.Learning;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Calibration;

/// <summary>How strange a record is does not depend on the units it is written in; its density does, by the scale.</summary>
public sealed class UnitsOfScoresTests
{
    private const int Probes = 400;

    private static readonly LearningOptions Options = new()
    {
        MinibatchSize = 200,
        Initialization = new() { Buffer = 400, NInit = 1 },
        Recursion = Core.Estimation.Recursion.Statistics,
    };

    public static TheoryData<CovarianceType, double> Cases()
    {
        var cases = new TheoryData<CovarianceType, double>();
        foreach (CovarianceType type in Enum.GetValues<CovarianceType>())
            foreach (double scale in (double[])[1000, 1e-3, 1024]) cases.Add(type, scale);
        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Score_MetresOrMillimetres_GivesTheSameAnomalyScoresAndDensitiesByTheScale(CovarianceType type, double scale)
    {
        Minibatch rows = Gaussians.Three.Draw(4000, 1), other = Scaled(rows, scale);
        (double[] densities, double[] anomalies) = Score(type, rows);
        (double[] otherDensities, double[] otherAnomalies) = Score(type, other);

        // Both features are in the unit: p(x) dx is the same, so log p falls by 2 log(scale).
        for (int row = 0; row < Probes; row++)
        {
            Assert.Equal(anomalies[row], otherAnomalies[row], 1e-6);
            Assert.Equal(densities[row] - 2 * Math.Log(scale), otherDensities[row], 1e-6);
        }

        Assert.Contains(anomalies, score => score > 0.9);
        Assert.Contains(anomalies, score => score < 0.1);
    }

    [Theory]
    [InlineData(CovarianceType.Full)]
    [InlineData(CovarianceType.Diag)]
    [InlineData(CovarianceType.Tied)]
    [InlineData(CovarianceType.Spherical)]
    public void Score_OneFeatureInAnyUnits_HasTheDensityOfTheSnapshotsOwnParameters(CovarianceType type)
    {
        Minibatch rows = new Gaussians([1], [[3]], [[4]]).Draw(2000, 2), scaled = Scaled(rows, 250);
        LearnedModel learned = Streams.Snapshot(Streams.Learn(Gaussians.Mixture(1, type), Options, scaled));
        double mean = learned.Parameters[1], variance = learned.Parameters[2];
        Assert.Equal(750, mean, 25.0);
        Assert.Equal(250 * 250 * 4, variance, 250 * 250 * 0.5);

        double[] densities = new double[2];
        var probe = new Minibatch(1);
        probe.AddRange([700.0, 2000]);
        new Scorer(learned).Score(probe, densities, new double[2], new double[2]);

        for (int row = 0; row < 2; row++)
        {
            double deviation = probe.Row(row)[0] - mean;
            Assert.Equal(-0.5 * (deviation * deviation / variance + Math.Log(2 * Math.PI * variance)), densities[row], 1e-9);
        }
    }

    private static (double[] Densities, double[] Anomalies) Score(CovarianceType type, Minibatch rows)
    {
        LearnedModel learned = Streams.Snapshot(Streams.Learn(Gaussians.Mixture(3, type), Options, rows));
        var probes = new Minibatch(2);
        probes.Append(rows, 0, Probes);
        double[] densities = new double[Probes], anomalies = new double[Probes];
        new Scorer(learned).Score(probes, densities, new double[Probes * learned.Model.ScoreLayout.Length], anomalies);
        return (densities, anomalies);
    }

    private static Minibatch Scaled(Minibatch rows, double scale)
    {
        var result = new Minibatch(rows.Dimension);
        double[] values = new double[rows.Dimension];
        for (int row = 0; row < rows.Count; row++)
        {
            for (int d = 0; d < values.Length; d++) values[d] = rows.Row(row)[d] * scale;
            result.Add(values);
        }

        return result;
    }
}
