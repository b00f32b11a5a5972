using System.Buffers;
using System.Globalization;
using StreamEm.Core.Calibration;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Schedules;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Tests.Snapshots;

public sealed class SnapshotSizeTests
{
    /// <summary>24 characters, the most a double takes.</summary>
    private const double Longest = -2.2250738585072014E-308;

    [Theory]
    [InlineData(CovarianceType.Full, 3, 2)]
    [InlineData(CovarianceType.Full, 40, 30)]
    [InlineData(CovarianceType.Tied, 7, 50)]
    [InlineData(CovarianceType.Diag, 1000, 1)]
    [InlineData(CovarianceType.Spherical, 2, 300)]
    public void Bound_WorstSnapshotOfTheLayout_IsNotExceededAndNotFarAway(CovarianceType type, int components, int dimension)
    {
        var options = new GaussianMixtureOptions { Components = components, CovarianceType = type };
        string[] features = [.. Enumerable.Range(0, dimension).Select(d => string.Create(CultureInfo.InvariantCulture, $"\"größe\"{d}"))];

        long written = WorstSnapshot(options, features);

        long bound = SnapshotSize.Bound("boiler", options, features);
        Assert.InRange(written, (long)(0.7 * (bound - 8192)), bound);
    }

    private static long WorstSnapshot(GaussianMixtureOptions options, string[] features)
    {
        VectorLayout layout = options.CreateForUnitVariances(features.Length).ParameterLayout;
        double[] parameters = new double[layout.Length];
        Array.Fill(parameters, Longest);
        double[] location = new double[features.Length], scale = new double[features.Length];
        Array.Fill(location, Longest);
        Array.Fill(scale, -Longest);
        double[] quantiles = new double[50];
        Array.Fill(quantiles, Longest);
        var snapshot = new ModelSnapshot
        {
            ModelId = "boiler",
            Model = options,
            RunId = Guid.Empty.ToString("D"),
            ConfigHash = "sha256:" + new string('0', 64),
            Version = long.MaxValue,
            CreatedAt = DateTimeOffset.UnixEpoch,
            Features = features,
            Layout = layout,
            Parameters = parameters,
            Standardization = new Standardization(location, scale),
            ComponentIds = [.. Enumerable.Range(0, options.Components).Select(k => string.Create(CultureInfo.InvariantCulture, $"c{k}"))],
            ComponentStatus = [.. Enumerable.Repeat("covariance_floored", options.Components)],
            Calibration = new AnomalyCalibration(Longest, quantiles, Longest, Longest),
            Training = new TrainingReport
            {
                Recursion = Recursion.Statistics,
                StepSize = new StepSizeOptions { Kappa = Longest, T0 = Longest, Floor = Longest },
                LastStepSize = Longest,
                Updates = long.MaxValue,
                Records = long.MaxValue,
                EffectiveRecords = Longest,
                MeanLogLikelihood = Longest,
            },
        };
        var output = new ArrayBufferWriter<byte>();
        SnapshotJson.Write(snapshot, output);
        return output.WrittenCount;
    }
}
