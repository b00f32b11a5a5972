using System.Globalization;
using StreamEm.Core.Catalog;
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

/// <summary>Components that come and go in a model that has learned.</summary>
public sealed class ComponentChangeTests
{
    private static readonly RecordSchema Schema = new() { Features = ["a", "b", "c", "d"], Key = "key" };

    public static TheoryData<string, string, Recursion> Models
    {
        get
        {
            var data = new TheoryData<string, string, Recursion>();
            foreach (Recursion recursion in Enum.GetValues<Recursion>())
            {
                foreach (string covariance in (string[])["full", "tied", "diag", "spherical"])
                    data.Add("gaussian_mixture", covariance, recursion);
                string[] others = ["bernoulli_mixture", "poisson_mixture", "categorical_mixture", "mixture", "hidden_markov"];
                foreach (string type in others)
                    data.Add(type, "", recursion);
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void ChangeModel_MoreAndFewerComponents_TheOthersKeepWhatTheyLearned(string type, string covariance, Recursion recursion)
    {
        LearningOptions options = Options(recursion);
        Minibatch rows = Rows(2000, 1);
        Learner learner = Streams.Learn(Model(type, 3, covariance), options, rows, schema: Schema);
        LearnedModel before = Streams.Snapshot(learner);

        Learner wider = learner.ChangeModel(Model(type, 4, covariance), Schema, options);
        LearnedModel split = Streams.Snapshot(wider);
        Learner again = wider.ChangeModel(Model(type, 3, covariance), Schema, options);
        LearnedModel merged = Streams.Snapshot(again);

        Assert.Equal((before.Version, before.Training.Records, before.Training.EffectiveRecords),
            (split.Version, split.Training.Records, split.Training.EffectiveRecords));
        Assert.Equal(["c0", "c1", "c2", "c3"], split.ComponentIds);
        Assert.Equal(3, merged.ComponentIds.Count);
        double mean = Streams.MeanLogDensity(before, rows);
        Assert.InRange(Streams.MeanLogDensity(split, rows), mean - 0.35, mean + 0.35);
        Assert.InRange(Streams.MeanLogDensity(merged, rows), mean - 0.2, mean + 0.2);
        if (before.Layout.Contains("weights"))
        {
            double[] old = Block(before, "weights"), now = Block(split, "weights");
            Assert.Equal(1, now.Sum(), 1e-12);
            int halved = Array.FindIndex(old, weight => Math.Abs(now[3] - weight / 2) < 1e-12);
            Assert.InRange(halved, 0, 2);
            for (int k = 0; k < 3; k++) Assert.Equal(k == halved ? old[k] / 2 : old[k], now[k], 1e-12);
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void ChangeModel_SavedAndLoaded_GoesOnToTheSameBytes(string type, string covariance, Recursion recursion)
    {
        LearningOptions options = Options(recursion);
        Minibatch rows = Rows(1200, 2);
        var learner = new Learner(Model(type, 2, covariance), Schema, options);
        Streams.Feed(learner, rows, 0, 630);
        foreach (int components in (int[])[4, 1])
        {
            Learner changed = learner.ChangeModel(Model(type, components, covariance), Schema, options);
            var loaded = new Learner(Model(type, components, covariance), Schema, options);
            using (var reader = new BinaryReader(new MemoryStream(Streams.State(changed)))) loaded.Load(reader);
            Assert.Equal(30, changed.Pending);

            Streams.Feed(changed, rows, 630, 570);
            Streams.Feed(loaded, rows, 630, 570);

            Assert.Equal(1200, changed.Records + changed.Unlearned);
            Assert.Equal(Streams.State(changed), Streams.State(loaded));
            Assert.True(Streams.Snapshot(changed).Parameters.All(double.IsFinite));
        }
    }

    [Fact]
    public void ChangeModel_OneComponentTooFew_TheNewOneFindsItsData()
    {
        var options =
            new LearningOptions { MinibatchSize = 100, Recursion = Recursion.Statistics, Initialization = new() { Buffer = 500 } };
        MixtureOptions two = ModelCatalog.MixtureOf(new GaussianOptions(), 2), three = ModelCatalog.MixtureOf(new GaussianOptions(), 3);
        Minibatch rows = Gaussians.Three.Draw(6000, 3);
        Learner learner = Streams.Learn(two, options, rows);
        Learner wider = learner.ChangeModel(three, RecordSchema.OfNumbers(rows.Dimension), options);
        for (int pass = 0; pass < 3; pass++) Streams.Feed(wider, rows, 0, rows.Count);
        Learner fresh = Streams.Learn(three, options, rows, passes: 3);

        double expected = Streams.MeanLogDensity(Streams.Snapshot(fresh), rows);
        Assert.InRange(Streams.MeanLogDensity(Streams.Snapshot(wider), rows), expected - 0.1, expected + 0.1);
    }

    [Fact]
    public void ChangeModel_IdsAreNeverGivenTwice()
    {
        LearningOptions options = Options(Recursion.Statistics);
        Learner learner = Streams.Learn(Model("gaussian_mixture", 4, "diag"), options, Rows(1000, 4), schema: Schema);

        LearnedModel last = Streams.Snapshot(learner.ChangeModel(Model("gaussian_mixture", 2, "diag"), Schema, options)
            .ChangeModel(Model("gaussian_mixture", 4, "diag"), Schema, options));

        Assert.Equal(["c4", "c5"], last.ComponentIds.Skip(2));
        Assert.Equal(4, last.ComponentIds.Distinct().Count());
    }

    [Fact]
    public void ChangeModel_OfAnotherShape_Throws()
    {
        LearningOptions options = Options(Recursion.Statistics);
        Learner learner = Streams.Learn(Model("gaussian_mixture", 2, "full"), options, Rows(1000, 4), schema: Schema);

        Assert.Throws<ArgumentException>(() => learner.ChangeModel(Model("gaussian_mixture", 2, "diag"), Schema, options));
        Assert.False(ComponentChange.IsPossible(Of("gaussian_mixture", 2, "full"), Of("gaussian_mixture", 3, "diag")));
        Assert.True(ComponentChange.IsPossible(Of("gaussian_mixture", 2, "full"), Of("gaussian_mixture", 3, "full")));
        Assert.False(ComponentChange.IsPossible(Of("bernoulli_mixture", 2, ""), Of("poisson_mixture", 3, "")));
    }

    private static LatentModel Of(string type, int components, string covariance)
    {
        LatentModelOptions model = Model(type, components, covariance);
        return model.Create(model.Plan(Schema));
    }

    private static LearningOptions Options(Recursion recursion) =>
        new() { MinibatchSize = 100, Recursion = recursion, Initialization = new() { Buffer = 300, NInit = 1 } };

    private static LatentModelOptions Model(string type, int components, string covariance)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [type == "hidden_markov" ? "states" : "components"] = components.ToString(CultureInfo.InvariantCulture),
        };
        if (covariance.Length > 0) settings["covariance_type"] = covariance;
        return ModelCatalog.Find(type)!.Read(settings);
    }

    private static double[] Block(LearnedModel learned, string name) =>
        learned.Layout[name].Of((ReadOnlySpan<double>)learned.Parameters).ToArray();

    /// <summary>Zeros and ones, of three kinds of rows and five keys.</summary>
    private static Minibatch Rows(int count, ulong seed)
    {
        double[][] kinds = [[0.9, 0.9, 0.1, 0.1], [0.1, 0.8, 0.9, 0.2], [0.3, 0.1, 0.2, 0.9]];
        var chance = new SplitMix64(seed);
        var rows = new Minibatch(4, count);
        for (int row = 0; row < count; row++)
        {
            double[] kind = kinds[(int)(chance.NextDouble() * 3)];
            rows.Add([.. kind.Select(probability => chance.NextDouble() < probability ? 1.0 : 0)], key: row % 5);
        }
        return rows;
    }
}
