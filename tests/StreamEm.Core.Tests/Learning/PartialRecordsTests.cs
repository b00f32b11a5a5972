using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Tests.Contracts;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Learning;

/// <summary>
/// A record with values missing is compared with what records with the same values observed would score: among fresh ones of the stream,
/// whatever is missing, a score exceeds s with probability 1 - s.
/// </summary>
public sealed class PartialRecordsTests
{
    private const int Dimension = 8;

    public static TheoryData<string, string, string> Cases => new()
    {
        // Often enough for a sketch of their own.
        { "one gaussian", "first three observed", "first three observed" },
        { "diagonal", "first three observed", "first three observed" },
        { "three gaussians", "one of each", "one of each" },
        { "mixed", "one of each", "one of each" },
        { "hidden markov", "first three observed", "first three observed" },
        { "counts", "one of each", "one of each" },
        // Too many sets of missing values for that, or none in the stream that is scored.
        { "one gaussian", "any", "any" },
        { "three gaussians", "any", "any" },
        { "mixed", "any", "any" },
        { "counts", "any", "any" },
        { "one gaussian", "none", "first three observed" },
        { "three gaussians", "none", "any" },
        { "hidden markov", "none", "first three observed" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Score_RecordsWithValuesMissing_ExceedsAnyLevelAsOftenAsItSays(string model, string learned, string scored)
    {
        LatentModelOptions options = Options(model);
        LearningOptions learning = new() { MinibatchSize = 500, Initialization = new() { Buffer = 1500, NInit = 1 } };
        Learner learner = Streams.Learn(options, learning, Rows(model, 20_000, 1, learned), schema: Schema(model));
        LearnedModel snapshot = Streams.Snapshot(learner);
        Minibatch rows = Rows(model, 6000, 2, scored);
        double[] scores = new double[rows.Count];
        new Scorer(snapshot)
            .Score(rows, new double[rows.Count], new double[rows.Count * snapshot.Model.ScoreLayout.Length], scores);
        double[] partial = [.. Enumerable.Range(0, rows.Count).Where(row => rows.Row(row).Contains(double.NaN)).Select(row => scores[row])];

        // Sampling alone moves a share of 3 000 by .009 at most (one deviation); the rest is what the approximations may cost.
        Assert.True(partial.Length > 2000);
        AssertShare(partial, 0.5, 0.07);
        AssertShare(partial, 0.9, 0.03);
        AssertShare(partial, 0.98, 0.012);
        Assert.InRange(partial.Count(score => score > 0.999) / (double)partial.Length, 0, 0.005);
    }

    private static void AssertShare(double[] scores, double level, double tolerance)
    {
        double share = scores.Count(score => score > level) / (double)scores.Length;
        Assert.True(Math.Abs(share - (1 - level)) <= tolerance, $"{share:F4} of the records score more than {level}");
    }

    private static LatentModelOptions Options(string model) => model switch
    {
        "one gaussian" => Gaussians.Mixture(1),
        "diagonal" => Gaussians.Mixture(1, CovarianceType.Diag),
        "three gaussians" => Gaussians.Mixture(3),
        "counts" => ModelCatalog.MixtureOf(new PoissonOptions(), 2),
        "mixed" => Hosts.Mixture(2, EmissionParts.Of(
        [
            new EmissionPart("gaussian", new GaussianOptions(), ["x0", "x1", "x2", "x3", "x4"]),
            new EmissionPart("poisson", new PoissonOptions(), ["x5", "x6", "x7"]),
        ])),
        _ => Hosts.HiddenMarkov(2, EmissionParts.Of(new GaussianOptions())),
    };

    private static RecordSchema Schema(string model) => RecordSchema.OfNumbers(Dimension) with
    {
        Key = model == "hidden markov" ? "device" : null,
    };

    /// <summary>
    /// Clusters 4 apart, or states that stay; features correlated by a common part; counts of 6 and 12 where there are any.
    /// </summary>
    private static Minibatch Rows(string model, int count, ulong seed, string missing)
    {
        SplitMix64 chance = new(seed), holes = new(seed + 100);
        var texts = new TextTable();
        var rows = new Minibatch(Dimension, count, texts);
        int counts = model switch { "counts" => 0, "mixed" => 5, _ => Dimension };
        double[] row = new double[Dimension];
        int cluster = 0;
        for (int n = 0; n < count; n++)
        {
            if (model != "hidden markov" || chance.NextDouble() < 0.05)
                cluster = model is "one gaussian" or "diagonal" ? 0 : chance.NextInt32(model == "three gaussians" ? 3 : 2);
            double common = Gaussians.Normal(chance);
            for (int d = 0; d < Dimension; d++)
            {
                row[d] = d >= counts
                    ? Poisson(chance, cluster == 0 ? 6 : 12)
                    : 10 + (d + 1) * (4 * (d % 3 == cluster ? 1 : 0) + Gaussians.Normal(chance) + 0.8 * common);
            }
            for (int d = 0, one = holes.NextInt32(2 * Dimension); d < Dimension; d++)
            {
                double draw = holes.NextDouble();
                bool isMissing = missing switch
                {
                    "first three observed" => n % 2 == 0 && d > 2,
                    "one of each" => d == one,
                    "any" => draw < 0.3,
                    _ => false,
                };
                if (isMissing) row[d] = double.NaN;
            }
            if (model == "hidden markov") rows.Add(row, key: texts.Number("one"));
            else rows.Add(row);
        }
        return rows;
    }

    private static int Poisson(SplitMix64 chance, double rate)
    {
        double product = 1, limit = Math.Exp(-rate);
        int count = -1;
        do
        {
            product *= chance.NextDouble();
            count++;
        }
        while (product > limit);
        return count;
    }
}
