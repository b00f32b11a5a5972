using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Classifiers;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Tests.Contracts;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Tests.Models;

/// <summary>Blocks of parameters that stay what they are.</summary>
public sealed class FixedBlocksTests
{
    private static readonly Dictionary<string, Family> Families = new(StringComparer.Ordinal)
    {
        ["full"] = new FullGaussians(),
        ["tied"] = new TiedGaussians(),
        ["diag"] = new DiagonalGaussians(),
        ["spherical"] = new SphericalGaussians(),
        ["bernoulli"] = new Emissions.Bernoullis(),
        ["categorical"] = new Emissions.Categoricals(),
        ["multinomial"] = new Emissions.Multinomials(),
        ["poisson"] = new Emissions.Poissons(),
        ["exponential"] = new Emissions.Exponentials(),
        ["student_t"] = new Emissions.StudentTs(),
    };

    public static TheoryData<string, string> Blocks()
    {
        var blocks = new TheoryData<string, string>();
        foreach ((string name, Family family) in Families)
            foreach (VectorBlock block in new Mixture("test", family.Create(2, 2)).ParameterLayout.Blocks)
                if (block.Name != "scale") blocks.Add(name, block.Name);
        return blocks;
    }

    [Theory]
    [MemberData(nameof(Blocks))]
    public void BatchEm_OneBlockHeld_MaximisesOverTheOthers(string family, string held)
    {
        var model = new Mixture("test", Families[family].Create(2, 2));
        Minibatch rows = Families[family].Rows(2, 400, 5, 0.1);
        double[] theta = new double[model.ParameterLayout.Length];
        model.Neutral(theta);
        StepwiseEm.Reseed(new StepwiseState(model, theta), model, 0, rows.Row(0));
        model.Reseed(theta, new double[model.StatisticsLayout.Length], 1, rows.Row(7));
        model.Hold(new BlockNames([held]));

        BatchEmResult result = BatchEm.Run(model, rows, theta, new BatchEmOptions { MaxIterations = 30 });

        VectorBlock block = model.ParameterLayout[held];
        Assert.Equal(block.Of(theta.AsSpan()).ToArray(), block.Of(result.Parameters.AsSpan()).ToArray());
        Assert.NotEqual(theta, result.Parameters);
        // EM given what is held never lowers the likelihood: a covariance about another mean than the one held would.
        Assert.True(result.LargestFall < 1e-9, $"the log-likelihood falls by {result.LargestFall:R}");
        Assert.True(result.LogLikelihoods[^1] > result.LogLikelihoods[0]);
    }

    [Fact]
    public void WeightsAndCovariances_Held_AreSoftKMeans()
    {
        // m_k = sum_n r_nk x_n / sum_n r_nk, r a softmax of -|x - m|^2 / 2.
        var model = new Mixture("test", new SphericalGaussian(2, 1, new CovarianceRegularization([0], 1e-12)));
        model.Hold(new BlockNames(["weights", "covariances"]));
        double[] xs = [-2, -1.5, 0.3, 1, 2.2], sums = [0, 0], masses = [0, 0], theta = [0.5, 0.5, -1, 1, 1, 1, 1];
        var rows = new Minibatch(1);
        foreach (double x in xs)
        {
            rows.Add([x]);
            double first = 1 / (1 + Math.Exp(((x + 1) * (x + 1) - (x - 1) * (x - 1)) / 2));
            (masses[0], masses[1], sums[0], sums[1]) =
                (masses[0] + first, masses[1] + 1 - first, sums[0] + first * x, sums[1] + (1 - first) * x);
        }

        double[] found = BatchEm.Run(model, rows, theta, new BatchEmOptions { MaxIterations = 1 }).Parameters;

        Assert.Equal(sums[0] / masses[0], found[2], 1e-13);
        Assert.Equal(sums[1] / masses[1], found[3], 1e-13);
        Assert.Equal([0.5, 0.5, 1, 1, 1], [found[0], found[1], .. found[4..]]);
    }

    [Fact]
    public void Reseed_OfAComponent_LeavesWhatIsHeld()
    {
        var model = new Mixture("test", new FullGaussians().Create(3, 2));
        Minibatch rows = new FullGaussians().Rows(2, 50, 5, 0);
        double[] theta = new double[model.ParameterLayout.Length];
        model.Neutral(theta);
        model.Hold(new BlockNames(["weights", "covariances"]));
        double[] before = [.. theta];

        StepwiseEm.Reseed(new StepwiseState(model, theta), model, 1, rows.Row(3));
        model.Reseed(theta, new double[model.StatisticsLayout.Length], 1, rows.Row(3));

        Assert.Equal(rows.Row(3).ToArray(), model.ParameterLayout["means"].Of(theta.AsSpan()).Slice(2, 2).ToArray());
        foreach (string held in (string[])["weights", "covariances"])
        {
            VectorBlock block = model.ParameterLayout[held];
            Assert.Equal(block.Of(before.AsSpan()).ToArray(), block.Of(theta.AsSpan()).ToArray());
        }
    }

    [Theory]
    [InlineData("gaussian_mixture", "fixed", "[\"weights\", \"covariances\"]")]
    [InlineData("hidden_markov", "fixed", "[\"transmat\", \"means\"]")]
    [InlineData("mixture", "emissions", "[{\"gaussian\":{\"fixed\":[\"covariances\"]}}]")]
    public void Options_WithBlocksHeld_HaveThemByName(string type, string key, string text)
    {
        var settings = new Dictionary<string, string> { [key] = text };
        LatentModelOptions options = ModelCatalog.Find(type)!.Read(settings);
        RecordSchema schema = RecordSchema.OfNumbers(2) with { Key = "device" };

        LatentModel model = options.Create(options.Plan(schema));

        Assert.NotEmpty(model.FixedBlocks);
        Assert.All(model.FixedBlocks, block => Assert.Contains(block.Name.Split('.')[^1], text, StringComparison.Ordinal));
        // What a snapshot says of it makes the same again.
        Assert.Equal(options, options.Entry.Read(options.Settings));
    }

    [Fact]
    public void Hold_ABlockThatIsNotThere_SaysWhichThereAre()
    {
        ArgumentException refusal = Assert.Throws<ArgumentException>(
            () => new Mixture("poisson_mixture", new Emissions.Poissons().Create(2, 2)).Hold(new BlockNames(["means"])));
        Assert.Contains(
            "poisson_mixture has no block 'means'; it has weights [2], rates [2, 2]", refusal.Message, StringComparison.Ordinal);
    }

    /// <summary>Which classes there are is known when labels have named them, or when they are listed.</summary>
    [Fact]
    public void Hold_ABlockOfOneClass_NeedsTheClassesListed()
    {
        var schema = new RecordSchema { Features = ["a", "b"], Label = "kind" };
        var options = (ClassifierOptions)ModelCatalog.Find("naive_bayes")!.CreateOptions();
        ClassifierOptions Fixed(string block, params string[] classes) =>
            options with { Fixed = new BlockNames([block]), Named = new ClassNames([.. classes]) };
        ArgumentException refusal = Assert.Throws<ArgumentException>(() => Fixed("good.means").CreateLargest(schema));
        Assert.StartsWith(
            "fixed: naive_bayes has no block 'good.means' before labels name its classes; it has class_weights, weights, means, "
                + "covariances, each of all classes. To hold a block of one class, list the classes (classes: [good, bad]) and name it "
                + "good.weights",
            refusal.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Fixed("0.means").CreateLargest(schema));
        Assert.Equal(["good.means"],
            Fixed("good.means", "good", "bad").CreateLargest(schema).FixedBlocks.Select(block => block.Name));
        Assert.Equal(32, Fixed("means").CreateLargest(schema).FixedBlocks.Count);
        Assert.Equal(["class_weights"], Fixed("class_weights").CreateLargest(schema).FixedBlocks.Select(block => block.Name));
        // As many records as the classes that are known need, not as those there might be.
        Assert.Equal(2, Fixed("means").RowsToStart(1));
        Assert.Equal(40, Fixed("means", [.. Enumerable.Range(0, 40).Select(c => $"c{c}")]).RowsToStart(1));
    }
}
