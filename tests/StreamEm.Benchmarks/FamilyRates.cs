using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Schedules;
using StreamEm.Core.Vectors;

namespace StreamEm.Benchmarks;

/// <summary>
/// One EM iteration of a mixture of every family, as a share of the arithmetic it cannot do without, and beside implementations of the
/// same: R's flexmix for yes-no features and counts, scikit-learn's MiniBatchKMeans and a loop on the JVM for hard clusters.
/// </summary>
internal sealed class FamilyRates(Report report, Peers peers, Goals goals, bool quick)
{
    private const int Dimension = 16, Components = 8, Samples = 5, Minibatch1024 = 1024;
    private readonly int _rows = quick ? 10_000 : 100_000;
    private readonly double _seconds = quick ? 0.05 : 0.3;

    /// <summary>Writes the tables.</summary>
    public void Run()
    {
        report.Table(
            $"Every family, D = {Dimension}, K = {Components}, one thread",
            "The bound is the FMA probe over the operations of a row: density and statistics of every component, exp and log left out; an "
                + "addition without a multiplication counts as one of each.",
            "family", "rows/s", "operations per row", "GFLOP/s", "FMA probe", "of bound");
        foreach ((string name, EmissionOptions options, double operations) in Families())
        {
            Emission emission = options.WithoutPrior().Create(Features(options), Components);
            double rate = RateOf(emission), probe = FmaProbe.OneThread(), flops = rate * operations * 1e-9;
            report.Row(name, Report.Rate(rate), $"{operations:F0}", $"{flops:F1}", $"{probe:F1}", $"{flops / probe:P0}");
            if (name is "bernoulli" or "poisson") Ours[name] = rate;
        }

        Flexmix();
        KMeans();
    }

    private Dictionary<string, double> Ours { get; } = new(StringComparer.Ordinal);

    private static IEnumerable<(string Name, EmissionOptions Options, double Operations)> Families()
    {
        // Two sums over the features for each component: one of the density, one of the statistics.
        double linear = 4.0 * Components * Dimension, squares = 2 * linear,
            matrix = Components * 2.0 * (Dimension * Dimension + 3 * Dimension);
        yield return ("gaussian full", new GaussianOptions(), matrix);
        yield return ("gaussian tied", new GaussianOptions { CovarianceType = CovarianceType.Tied },
            Components * (Dimension * Dimension + 6.0 * Dimension) + Dimension * (Dimension + 1.0));
        yield return ("gaussian diag", new GaussianOptions { CovarianceType = CovarianceType.Diag }, squares);
        yield return ("gaussian spherical", new GaussianOptions { CovarianceType = CovarianceType.Spherical }, squares);
        yield return ("bernoulli", new BernoulliOptions(), linear);
        yield return ("categorical", new CategoricalOptions(), linear);
        yield return ("multinomial", new MultinomialOptions(), linear);
        yield return ("poisson", new PoissonOptions(), linear);
        yield return ("exponential", new ExponentialOptions(), linear);
        yield return ("student_t", new StudentTOptions(), matrix);
    }

    private static Feature[] Features(EmissionOptions options) =>
    [
        .. Enumerable.Range(0, Dimension).Select(d =>
        {
            Feature feature = options.Plan($"x{d}");
            return feature.Kind == FeatureKind.Level
                ? feature with { Levels = ["a", "b", "c", "d"], MaxLevels = 4 }
                : feature with { Scale = 1, Variance = 1 };
        }),
    ];

    /// <summary>Rows drawn from parameters that differ by component, from which the iteration starts.</summary>
    private double RateOf(Emission emission)
    {
        var model = new Mixture("bench", emission);
        double[] theta = new double[model.ParameterLayout.Length], family = new double[emission.ParameterLayout.Length];
        emission.Neutral(family);
        var chance = new Random(7);
        double[] location = new double[Dimension], variances = new double[Dimension];
        Array.Fill(variances, 1);
        for (int k = 0; k < Components; k++)
        {
            for (int d = 0; d < Dimension; d++) location[d] = chance.Next(2);
            emission.Reseed(family, k, location, variances);
        }
        theta.AsSpan(0, Components).Fill(1.0 / Components);
        family.CopyTo(theta, Components);
        var draws = new RandomDraws(11) { Total = 40 };
        var rows = new Minibatch(Dimension, _rows);
        double[] row = new double[Dimension];
        for (int n = 0; n < _rows; n++)
        {
            emission.Sample(family, n % Components, draws, row);
            rows.Add(row);
        }
        return Iteration.RateOf(model, theta, rows, Samples, _seconds);
    }

    private void Flexmix()
    {
        report.Table("Yes-no features and counts beside R's flexmix", $"One EM iteration, D = {Dimension}, K = {Components}, one thread.",
            "family", "StreamEM", "flexmix", "x");
        Dictionary<string, double> theirs = peers.Script("flexmix", quick ? "4000" : "20000");
        foreach ((string family, string driver) in (ReadOnlySpan<(string, string)>)[("bernoulli", "mvbinary"), ("poisson", "mvpois")])
        {
            double other = theirs.GetValueOrDefault(driver);
            report.Row(family, Report.Rate(Ours[family]), Report.Rate(other), Report.Ratio(Ours[family], other));
            if (other > 0) goals.AtLeast($"{family} against flexmix", Ours[family] / other, 20);
        }
    }

    private void KMeans()
    {
        report.Table("k-means beside scikit-learn's MiniBatchKMeans.partial_fit and a loop on the JVM",
            $"Minibatches of {Minibatch1024}, one thread, rows in memory. The loop is nothing but the arithmetic that Spark's "
                + "StreamingKMeans and Flink ML's OnlineKMeans do for a row, on arrays: they can reach that at most.",
            "(D,K)", "StreamEM", "MiniBatchKMeans", "x", "JVM loop", "x");
        string shapes = string.Join(' ', Shape.All(quick).Select(NameOf));
        Dictionary<string, double> theirs = peers.Script("kmeans", shapes), loop = peers.Script("kmeans-jvm", shapes);
        foreach (Shape shape in Shape.All(quick))
        {
            double ours = KMeansRate(shape), other = theirs.GetValueOrDefault(NameOf(shape)), bare = loop.GetValueOrDefault(NameOf(shape));
            report.Row(shape.ToString(), Report.Rate(ours), Report.Rate(other), Report.Ratio(ours, other), Report.Rate(bare),
                Report.Ratio(ours, bare));
            if (other > 0) goals.AtLeast($"k-means {shape} against MiniBatchKMeans", ours / other, 3);
        }

        static string NameOf(Shape shape) => FormattableString.Invariant($"{shape.Dimension},{shape.Components}");
    }

    /// <summary>Updates of the recursion, minibatch after minibatch.</summary>
    private double KMeansRate(Shape shape)
    {
        const int minibatches = 20;
        var data = new SyntheticMixture(shape.Dimension, shape.Components);
        Minibatch rows = data.Draw(minibatches * Minibatch1024);
        Minibatch[] parts = [.. Enumerable.Range(0, minibatches).Select(at =>
        {
            var part = new Minibatch(shape.Dimension, Minibatch1024);
            part.Append(rows, at * Minibatch1024, Minibatch1024);
            return part;
        })];
        var family = new GaussianOptions { CovarianceType = CovarianceType.Spherical };
        LatentModel model = ModelCatalog.MixtureOf(family, shape.Components).Create(FeatureSpace.Unscaled(shape.Dimension));
        model.Hold(new BlockNames(["weights", "covariances"]));
        double[] theta = new double[model.ParameterLayout.Length], logDensities = new double[Minibatch1024];
        model.Neutral(theta);
        VectorBlock means = model.ParameterLayout["means"];
        data.Means.CopyTo(theta.AsSpan(means.Offset, means.Length));
        var em = new StepwiseEm(
            model, Recursion.Statistics, new PowerLaw(new StepSizeOptions { Kappa = 1 }), 1, HardResponsibilities.Instance);
        var state = new StepwiseState(model, theta);
        return rows.Count / Clock.Median(
            () =>
            {
                foreach (Minibatch part in parts) em.Update(state, part, logDensities);
            },
            Clock.Thread, Samples, _seconds);
    }
}
