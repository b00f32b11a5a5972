using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Schedules;
using StreamEm.Core.Tests.Models.Emissions;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Tests.Learning;

/// <summary>
/// Streams of known truth for every family: 50 000 records in minibatches of 50, kappa 0.6, the statistics recursion from near the truth,
/// parameters averaged over the second half. Tolerances: the worst of 16 seeds of a right implementation, rounded up.
/// </summary>
public sealed class FamilyStreamTests(ITestOutputHelper output)
{
    private const int Minibatches = 50;

    private static readonly double[] Weights = [0.5, 0.3, 0.2];

    /// <summary>Family, its first parameters are of, how far weights and parameters may be off, whether these relative.</summary>
    public static TheoryData<string, double, double, bool> Families => new()
    {
        { "bernoulli", 0.016, 0.018, false },
        { "poisson", 0.02, 0.04, true },
        { "categorical", 0.01, 0.025, false },
        { "multinomial", 0.01, 0.025, false },
        { "exponential", 0.02, 0.06, true },
    };

    [Theory]
    [MemberData(nameof(Families))]
    public void Statistics_AveragedOverTheSecondHalf_FindTheTruthAsWellAsBatchEm(
        string family, double ofWeights, double ofParameters, bool isRelative)
    {
        const int seeds = 5;
        (Emission emission, double[] truth) = Truth(family);
        var model = new Mixture("test", emission);
        double[] theta = [.. Weights, .. truth], online = new double[seeds], batch = new double[seeds];
        for (int seed = 0; seed < seeds; seed++)
        {
            Minibatch rows = Draw(emission, truth, 50_000, (ulong)seed + 1);
            double[] start = Near(model, theta, (ulong)seed), found = Averaged(model, start, rows);
            (double weights, double parameters) = Errors(found, theta, isRelative);
            output.WriteLine($"{family} {seed}: weights {weights:F4}, parameters {parameters:F4}");
            Assert.InRange(weights, 0, ofWeights);
            Assert.InRange(parameters, 0, ofParameters);
            online[seed] = parameters;
            batch[seed] = Errors(
                BatchEm.Run(model, rows, theta, new BatchEmOptions { Tolerance = 1e-8 }).Parameters, theta, isRelative).Parameters;
        }
        Array.Sort(online);
        Array.Sort(batch);
        output.WriteLine($"{family}: median {online[seeds / 2]:F4}, of batch EM {batch[seeds / 2]:F4}");
        Assert.InRange(online[seeds / 2], 0, 2 * batch[seeds / 2]);
    }

    /// <summary>
    /// Rates of (2, 10, 25) become (4, 16, 36) after half of 40 000 records. Without (1 - gamma) the old ones are never forgotten (0.4
    /// off), and without a floor steps are too short by then (0.35).
    /// </summary>
    [Theory]
    [InlineData(0.6, 0.02, 0, 0.05)]
    [InlineData(1, 0, 0.3, 0.5)]
    public void Drift_OfPoissonRates_IsFollowedWithAFloorAlone(double kappa, double floor, double least, double most)
    {
        (Emission emission, double[] before) = Truth("poisson");
        double[] after = [4, 16, 36];
        var model = new Mixture("test", emission);
        Minibatch rows = Draw(emission, before, 20_000, 3);
        rows.Append(Draw(emission, after, 20_000, 4), 0, 20_000);
        var em = new StepwiseEm(
            model, Recursion.Statistics, new PowerLaw(new StepSizeOptions { Kappa = kappa, Floor = floor }), 1);
        var state = new StepwiseState(model, [.. Weights, .. before]);
        double[] sum = new double[6];
        Run(em, state, rows, first =>
        {
            if (first < rows.Count - 100 * Minibatches) return;
            for (int at = 0; at < 6; at++) sum[at] += state.Parameters[at] / 100;
        });
        double worst = Enumerable.Range(0, 3).Max(k => Math.Abs(sum[3 + k] / after[k] - 1));
        output.WriteLine($"kappa {kappa}, floor {floor}: {worst:F4}");
        Assert.InRange(worst, least, most);
    }

    private static (Emission Emission, double[] Parameters) Truth(string family)
    {
        double[] bernoulli = [.. Enumerable.Range(0, 30).Select(at => (at / 10, at % 10) switch
        {
            (0, var d) => d < 5 ? 0.9 : 0.1,
            (1, var d) => d < 5 ? 0.1 : 0.9,
            (_, var d) => d % 2 == 0 ? 0.9 : 0.1,
        })];
        return family switch
        {
            "bernoulli" => (new Bernoulli(3, 10, Prior.None), bernoulli),
            "poisson" => (new Poisson(3, [0], Prior.None), [2, 10, 25]),
            // Blocks are of features, components first within each: every component prefers another level.
            "categorical" => (new Categorical(3, Categoricals.Features(6, 3), Prior.None),
                [.. Enumerable.Range(0, 6 * 9).Select(at => (at / 3 % 3 + at / 9) % 3 == at % 3 ? 0.8 : 0.1)]),
            "multinomial" => (new Multinomial(3, 4, 0, Prior.None), [0.7, 0.1, 0.1, 0.1, 0.1, 0.7, 0.1, 0.1, 0.1, 0.1, 0.4, 0.4]),
            "exponential" => (new Exponential(3, [0, 0, 0], Prior.None), [1, 8, 8, 8, 1, 8, 8, 8, 1]),
            _ => throw new ArgumentOutOfRangeException(nameof(family)),
        };
    }

    private static Minibatch Draw(Emission emission, double[] parameters, int count, ulong seed)
    {
        var draws = new RandomDraws(seed) { Total = 30 };
        var rows = new Minibatch(emission.Dimension, count);
        double[] row = new double[emission.Dimension];
        for (int n = 0; n < count; n++)
        {
            emission.Sample(parameters, draws.Category(Weights), draws, row);
            rows.Add(row);
        }
        return rows;
    }

    /// <summary>A quarter of the way to parameters that are the same for all, which differ a little by chance.</summary>
    private static double[] Near(Mixture model, double[] truth, ulong seed)
    {
        double[] result = [.. truth];
        var chance = new SplitMix64(seed);
        foreach (VectorBlock block in model.ParameterLayout.Blocks)
        {
            int last = block.Shape[^1], rows = block.Length / last;
            for (int row = 0; row < rows; row++)
            {
                double total = 0;
                for (int at = block.Offset + row * last; at < block.Offset + (row + 1) * last; at++)
                {
                    double mean = truth.AsSpan(block.Offset, block.Length).ToArray().Average();
                    result[at] = (0.75 * truth[at] + 0.25 * mean) * (0.95 + 0.1 * chance.NextDouble());
                    total += result[at];
                }
                for (int at = 0; at < last && block.Domain == Domain.Simplex; at++) result[block.Offset + row * last + at] /= total;
            }
        }
        return result;
    }

    private static double[] Averaged(Mixture model, double[] start, Minibatch rows)
    {
        var em = new StepwiseEm(model, Recursion.Statistics, new PowerLaw(new StepSizeOptions { Kappa = 0.6 }), 1);
        var state = new StepwiseState(model, start);
        double[] sum = new double[start.Length];
        int averaged = 0;
        Run(em, state, rows, first =>
        {
            if (first < rows.Count / 2) return;
            for (int at = 0; at < sum.Length; at++) sum[at] += state.Parameters[at];
            averaged++;
        });
        return [.. sum.Select(value => value / averaged)];
    }

    private static void Run(StepwiseEm em, StepwiseState state, Minibatch rows, Action<int> updated)
    {
        var part = new Minibatch(rows.Dimension, Minibatches);
        double[] logDensities = new double[Minibatches];
        for (int first = 0; first < rows.Count; first += Minibatches)
        {
            part.Clear();
            part.Append(rows, first, Minibatches);
            em.Update(state, part, logDensities);
            Assert.Equal(1, state.Statistics[..3].Sum(), 1e-12);
            updated(first);
        }
    }

    private static (double Weights, double Parameters) Errors(double[] found, double[] truth, bool isRelative) =>
        (Enumerable.Range(0, 3).Max(k => Math.Abs(found[k] - truth[k])),
            Enumerable.Range(3, truth.Length - 3).Max(at => Math.Abs(found[at] - truth[at]) / (isRelative ? truth[at] : 1)));
}
