using System.Text.Json;
using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Golden;

/// <summary>Every model against its golden file. A new one costs a line.</summary>
public sealed class GoldenTests
{
    private static readonly Dictionary<string, GoldenFile> Files = new GoldenFile[]
    {
        Gaussian("gmm_full", new FullGaussian(2, 2, Unregularized(2))),
        Gaussian("gmm_diag", new DiagonalGaussian(2, 2, Unregularized(2))),
        Gaussian("gmm_spherical", new SphericalGaussian(2, 2, Unregularized(2))),
        Gaussian("gmm_tied", new TiedGaussian(2, 2, Unregularized(2))),
        Gaussian("gmm_missing", new FullGaussian(2, 3, Unregularized(3))),
        new("gmm_noisy_labels", new Mixture("test", new FullGaussian(3, 2, Unregularized(2)), hasNoisyLabels: true))
        {
            Parameters = Paths(("weights", "weights"), ("confusion", "confusion"), ("means", "means"), ("covariances", "cov")),
            Statistics = Paths(("masses", "N"), ("label_counts", "Slabel"), ("first_moments", "S1"), ("second_moments", "S2")),
        },
        new("gmm_annealed", new Mixture("test", new FullGaussian(2, 2, Unregularized(2))))
        {
            Parameters = Paths(("weights", "weights"), ("means", "means"), ("covariances", "cov")),
            Statistics = Paths(("masses", "N"), ("first_moments", "S1"), ("second_moments", "S2")),
            // beta stays where it begins.
            Rule = new AnnealedResponsibilities(0.5, 1e18),
            HasLogLikelihoods = false,
            Responsibilities = null,
        },
        Gaussian("gmm_semisupervised", new FullGaussian(2, 2, Unregularized(2))),
        new("mvn_missing", new Mixture("test", new FullGaussian(1, 3, Unregularized(3))))
        {
            Parameters = Paths(("means", "mu"), ("covariances", "cov")),
            Statistics = Paths(("first_moments", "S1"), ("second_moments", "S2")),
            Responsibilities = null,
        },
        Mixture("categorical", new Levels(2, 2, 3), Paths(("probabilities", "p")), Paths(("level_masses", "S1"))),
    }.ToDictionary(file => file.Name, StringComparer.Ordinal);

    public static TheoryData<string, Recursion> Cases()
    {
        var cases = new TheoryData<string, Recursion>();
        foreach (string file in Files.Keys)
            foreach (Recursion recursion in Enum.GetValues<Recursion>()) cases.Add(file, recursion);
        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void StepwiseEm_GoldenMinibatches_GivesGoldenSteps(string file, Recursion recursion) =>
        Files[file].Check(recursion, GetType(), file);

    [Fact]
    public void MissingValues_PosteriorCovarianceDropped_WouldGiveTheWrongCovariance()
    {
        JsonElement expected = Files["mvn_missing"].Read().GetProperty("expected");
        double wrong = expected.GetProperty("WRONG_cov_argmax_if_posterior_covariance_is_dropped")[0][0].GetDouble();
        double right = expected.GetProperty("parameter_space")[0].GetProperty("argmax").GetProperty("cov")[0][0].GetDouble();
        Assert.True(Math.Abs(wrong - right) > 0.01 * right, $"the golden file tells the two apart: {wrong} and {right}");
    }

    [Fact]
    public void Rows_SequencesOfAFile_BeginWhereTheyDo()
    {
        Minibatch rows = GoldenRows.Sequences(BatchOf("hmm"));
        Assert.Equal([0, 4], rows.SequenceStarts.ToArray());
        Assert.Equal([0.2, 1.9, 2.4, -0.1, 1.4, -0.6, 0.3], rows.Values.ToArray());
        Assert.Equal([0, 0, 0, 0, 1, 1, 1], rows.Keys.ToArray());
    }

    [Fact]
    public void Rows_ColumnsOfAFile_AreFeaturesWithMissingValues()
    {
        Minibatch rows = GoldenRows.Columns(["gauss", "cat", "count"], codes: "cat")(BatchOf("mixed_product"));
        Assert.Equal((13, 4), (rows.Count, rows.Dimension));
        Assert.Equal([-5.1, -0.99, 2, 4], rows.Row(0).ToArray());
        Assert.Equal([double.NaN, 1.09, 0, 7], rows.Row(1).ToArray());
        Assert.Equal([2.72, 3.19, double.NaN, 4], rows.Row(3).ToArray());
        Assert.True(double.IsNaN(rows.Row(5)[3]));
    }

    [Fact]
    public void Path_WithEveryEntry_TakesASliceOfEach()
    {
        JsonElement theta = new GoldenFile("categorical", Files["categorical"].Model) { Parameters = Paths(), Statistics = Paths() }.Read()
            .GetProperty("inputs").GetProperty("theta0");
        Assert.Equal([0.2, 0.5, 0.3, 0.4, 0.4, 0.2], GoldenPath.Values(theta, "p.*.1"));
    }

    private static JsonElement BatchOf(string file) =>
        new GoldenFile(file, Files["gmm_full"].Model) { Parameters = Paths(), Statistics = Paths() }.Read().GetProperty("inputs")
            .GetProperty("batches")[0];

    private static GoldenFile Gaussian(string file, Emission emission) => Mixture(
        file, emission, Paths(("means", "means"), ("covariances", "cov")), Paths(("first_moments", "S1"), ("second_moments", "S2")));

    /// <summary>A mixture: weights and masses beside what the family has.</summary>
    private static GoldenFile Mixture(
        string file, Emission emission, Dictionary<string, string> parameters, Dictionary<string, string> statistics)
    {
        parameters.Add("weights", "weights");
        statistics.Add("masses", "N");
        return new(file, new Mixture("test", emission)) { Parameters = parameters, Statistics = statistics };
    }

    private static Dictionary<string, string> Paths(params (string Block, string Path)[] paths) =>
        paths.ToDictionary(path => path.Block, path => path.Path, StringComparer.Ordinal);

    private static CovarianceRegularization Unregularized(int dimension) => new(new double[dimension], 1e-12);
}
