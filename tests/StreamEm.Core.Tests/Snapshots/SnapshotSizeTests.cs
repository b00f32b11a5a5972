using System.Buffers;
using System.Globalization;
using StreamEm.Core.Calibration;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Schedules;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Tests.Support;

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
        var options = Gaussians.Mixture(components, type);
        string[] features = [.. Enumerable.Range(0, dimension).Select(d => string.Create(CultureInfo.InvariantCulture, $"\"größe\"{d}"))];

        var schema = new RecordSchema { Features = features };

        long written = WorstSnapshot(options, schema);

        long bound = SnapshotSize.Bound("boiler", options, schema);
        Assert.InRange(written, (long)(0.7 * (bound - 8192)), bound);
    }

    private static long WorstSnapshot(MixtureOptions options, RecordSchema schema)
    {
        IReadOnlyList<string> features = schema.Features;
        LatentModel model = options.CreateLargest(schema);
        double[] parameters = new double[model.ParameterLayout.Length];
        Array.Fill(parameters, Longest);
        double[] location = new double[features.Count], scale = new double[features.Count];
        Array.Fill(location, Longest);
        Array.Fill(scale, -Longest);
        double[] quantiles = new double[50], knots = new double[220];
        Array.Fill(quantiles, Longest);
        Array.Fill(knots, Longest);
        var learned = new LearnedModel
        {
            Options = options,
            Schema = schema,
            Version = long.MaxValue,
            Space = options.Plan(schema).WithScales(location, scale),
            Model = model,
            Parameters = parameters,
            ComponentIds = [.. Enumerable.Range(0, options.Components).Select(k => string.Create(CultureInfo.InvariantCulture, $"c{k}"))],
            ComponentStatus = [.. Enumerable.Repeat("covariance_floored", options.Components)],
            Calibration = new AnomalyCalibration(Longest, quantiles, Longest, Longest) { LogDensities = knots, Scores = knots },
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
        var origin = new SnapshotOrigin("boiler", Guid.Empty.ToString("D"), "sha256:" + new string('0', 64), DateTimeOffset.UnixEpoch);
        var output = new ArrayBufferWriter<byte>();
        SnapshotJson.Write(new ModelSnapshot(learned, origin), output);
        return output.WrittenCount;
    }
}
