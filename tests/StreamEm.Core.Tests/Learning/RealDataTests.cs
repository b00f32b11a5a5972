using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Learning;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Learning;

/// <summary>
/// Share of the gain from one component to converged batch EM that a stream recovers, against references made with scikit-learn 1.2.1
/// (GaussianMixture, n_init=10, tol=1e-9) and cross-checked with mclust.
/// </summary>
public sealed class RealDataTests(ITestOutputHelper output)
{
    private sealed record Reference(
        string File, string[] Columns, int Components, CovarianceType Type, double One, double Converged, bool ZScored = false);

    private static readonly string[] Iris = ["sepal_length_cm", "sepal_width_cm", "petal_length_cm", "petal_width_cm"];
    private static readonly string[] Penguins = ["beak_length_mm", "beak_depth_mm", "flipper_length_mm", "body_mass_g"];

    private static readonly Dictionary<string, Reference> References = new(StringComparer.Ordinal)
    {
        ["faithful"] = new("faithful.csv", ["eruptions", "waiting"], 2, CovarianceType.Full, -4.741899797991773, -4.155382206594467),
        ["iris"] = new("iris.csv", Iris, 3, CovarianceType.Full, -2.532764201306822, -1.2012365175724433),
        ["penguins"] = new("penguins.csv", Penguins, 3, CovarianceType.Full, -4.439041747838443, -3.358004108431531, ZScored: true),
        ["penguins_tied"] = new("penguins.csv", Penguins, 3, CovarianceType.Tied, -4.439041747838443, -3.4733793119461516, ZScored: true),
        ["quakes_depth"] = new("quakes.csv", ["depth"], 2, CovarianceType.Full, -6.791563903041127, -6.446433851068714),
        ["quakes_xyz"] =
            new("quakes.csv", ["long", "lat", "depth"], 4, CovarianceType.Full, -4.170836133313768, -1.830178352445398, ZScored: true),
    };

    public static TheoryData<string, Recursion, int> Cases()
    {
        var cases = new TheoryData<string, Recursion, int>();
        foreach (string name in References.Keys)
        {
            cases.Add(name, Recursion.Parameters, 512);
            cases.Add(name, Recursion.Statistics, 512);
            cases.Add(name, Recursion.Statistics, 64);
        }
        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Learner_TenPasses_RecoverNinetyNinePercentOfTheGain(string name, Recursion recursion, int minibatch) =>
        Assert.True(Share(name, recursion, minibatch, passes: 10, seed: 1) >= 0.99);

    [Theory]
    [MemberData(nameof(Cases))]
    public void Learner_OneShuffledPass_RecoversNinetyPercentOfTheGain(string name, Recursion recursion, int minibatch) =>
        Assert.True(Share(name, recursion, minibatch, passes: 1, seed: 7) >= 0.90);

    private double Share(string name, Recursion recursion, int minibatch, int passes, ulong seed)
    {
        Reference reference = References[name];
        Minibatch rows = CsvData.Load(reference.File, reference.Columns);
        if (reference.ZScored) rows = CsvData.ZScore(rows);
        rows = CsvData.Shuffle(rows, seed);
        var model = Gaussians.Mixture(reference.Components, reference.Type);
        var options = new LearningOptions { Recursion = recursion, MinibatchSize = minibatch };
        LearnedModel snapshot = Streams.Snapshot(Streams.Learn(model, options, rows, passes));
        double share = (Streams.MeanLogDensity(snapshot, rows) - reference.One) / (reference.Converged - reference.One);
        output.WriteLine($"{name} {recursion} m={minibatch}: {share:P2} after {snapshot.Version} updates");
        return share;
    }
}
