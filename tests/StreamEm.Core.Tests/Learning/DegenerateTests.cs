using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Learning;

/// <summary>Data that break naive EM: parameters stay finite, the cases are reported.</summary>
public sealed class DegenerateTests
{
    private static readonly LearningOptions Options = new() { MinibatchSize = 64, Initialization = new() { Buffer = 128 } };

    public static TheoryData<string, CovarianceType, Recursion> Cases()
    {
        var cases = new TheoryData<string, CovarianceType, Recursion>();
        foreach (string data in (string[])["two points", "one point", "constant feature", "collinear", "one row", "outlier", "huge",
            "mostly missing", "all missing", "zero weights"])
            foreach (CovarianceType type in Enum.GetValues<CovarianceType>())
                foreach (Recursion recursion in Enum.GetValues<Recursion>()) cases.Add(data, type, recursion);
        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Learn_DegenerateData_StaysFinite(string data, CovarianceType type, Recursion recursion)
    {
        var model = Gaussians.Mixture(5, type);
        Learner learner = Streams.Learn(model, Options with { Recursion = recursion }, Rows(data), passes: 3);
        LearnedModel snapshot = Streams.Snapshot(learner);
        Assert.All(snapshot.Parameters, value => Assert.True(double.IsFinite(value)));
        Assert.Equal(1, snapshot.Parameters.Take(5).Sum(), 1e-12);
        Assert.True(snapshot.Health[CovarianceHealth.SmallestEigenvalue] > 0);
        double[] logDensities = new double[1], anomaly = new double[1];
        var probe = new Minibatch(3);
        probe.Add([0.5, 1, -2]);
        new Scorer(snapshot).Score(probe, logDensities, new double[5], anomaly);
        Assert.False(double.IsNaN(logDensities[0]));
    }

    [Fact]
    public void Maximize_SingularCovarianceWithoutRegularization_IsFlooredAndReported()
    {
        Mixture model = Gaussians.Model(1, 2, regCovar: 0);
        double[] theta = new double[model.ParameterLayout.Length], result = new double[theta.Length];
        model.Neutral(theta);
        var events = new ModelEvents();
        // 100 rows on the line y = x: variance 1, covariance 1.
        model.Maximize([1, 0, 0, 1, 1, 1], 100, theta, result, events);
        ModelEvent floored = Assert.Single(events.All);
        Assert.Equal(ModelEventKind.CovarianceFloored, floored.Kind);
        var facts = new Dictionary<string, double>(StringComparer.Ordinal);
        model.Health(result, facts);
        Assert.Equal(1e-6, facts[CovarianceHealth.SmallestEigenvalue], 1e-9);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(1000)]
    public void Learn_GlitchesInTheStream_DoNotTouchTheModel(int at)
    {
        Minibatch rows = Gaussians.Three.Draw(3000, 12), spoilt = new(2);
        for (int row = 0; row < rows.Count; row++)
        {
            if (row == at) foreach (double glitch in (double[])[1e300, -1e120, 1e40, 1e15]) spoilt.Add([glitch, 1]);
            spoilt.Add(rows.Row(row));
        }
        var options =
            new LearningOptions { Recursion = Recursion.Statistics, MinibatchSize = 200, Initialization = new() { Buffer = 500 } };
        var model = Gaussians.Mixture(3);
        LearnedModel snapshot = Streams.Snapshot(Streams.Learn(model, options, spoilt)),
            clean = Streams.Snapshot(Streams.Learn(model, options, rows));
        Assert.Equal(Streams.MeanLogDensity(clean, rows), Streams.MeanLogDensity(snapshot, rows), 0.01);
        ModelWarning warning = Assert.Single(snapshot.Training.Warnings);
        Assert.Equal(ModelWarningKind.ImpossibleRecords, warning.Kind);
        Assert.Contains("too far", warning.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(DeadComponents.Reseed)]
    [InlineData(DeadComponents.Keep)]
    public void Learn_ComponentLosesItsData_IsReseededOrKeptByPolicy(DeadComponents policy)
    {
        var both = new Gaussians([0.5, 0.5], [[0], [50]], [[1], [1]]);
        var options = new LearningOptions
        {
            Recursion = Recursion.Statistics,
            MinibatchSize = 50,
            DeadComponents = policy,
            StepSize = new() { Floor = 0.2 }
        };
        var learner = new Learner(Gaussians.Mixture(2), RecordSchema.OfNumbers(1), options, both.Start(1));
        Minibatch first = both.Draw(1000, 2), later = new Gaussians([1], [[0]], [[1]]).Draw(20_000, 3);
        Streams.Feed(learner, first, 0, first.Count);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (int row = 0; row < later.Count; row++)
        {
            Streams.Feed(learner, later, row, 1);
            if (Streams.Snapshot(learner) is { } snapshot) seen.UnionWith(snapshot.ComponentStatus);
        }
        double[] theta = Streams.Snapshot(learner).Parameters;
        Assert.Contains(policy == DeadComponents.Reseed ? "reseeded" : "dead", seen);
        if (policy == DeadComponents.Keep) Assert.Equal(50, theta[3], 1.0);
        else Assert.True(Math.Abs(theta[3]) < 10, $"mean {theta[3]}");
    }

    private static Minibatch Rows(string data)
    {
        var chance = new SplitMix64(1);
        var rows = new Minibatch(3);
        int count = data == "one row" ? 1 : 300;
        for (int n = 0; n < count; n++)
        {
            double a = Gaussians.Normal(chance), b = Gaussians.Normal(chance), c = Gaussians.Normal(chance);
            rows.Add(data switch
            {
                "two points" => n % 2 == 0 ? [1, 2, 3] : [4, 5, 6],
                "one point" or "one row" => [7, -8, 9],
                "constant feature" => [a, 1e9, c],
                "collinear" => [a, 2 * a, -a],
                "outlier" => n == 150 ? [1e300, 0, 0] : [a, b, c],
                "huge" => [a * 1e200, b * 1e-200, c],
                "mostly missing" => n % 3 == 0
                    ? [a, double.NaN, double.NaN]
                    : n % 3 == 1 ? [double.NaN, b, double.NaN] : [double.NaN, double.NaN, double.NaN],
                "all missing" => [double.NaN, double.NaN, double.NaN],
                _ => [a, b, c],
            }, weight: data == "zero weights" && n % 2 == 0 ? 0 : 1);
        }
        return rows;
    }
}
