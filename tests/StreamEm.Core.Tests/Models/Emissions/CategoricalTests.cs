using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Tests.Contracts;
using StreamEm.Core.Tests.Golden;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Models.Emissions;

/// <summary>Categorical features of three levels.</summary>
public sealed class Categoricals : Family
{
    public override EmissionOptions Options => new CategoricalOptions { MaxLevels = 3 };

    public override Emission Create(int components, int dimension) => new Categorical(components, Features(dimension, 3), Prior.None);

    public override Minibatch Rows(int dimension, int count, ulong seed, double missing) =>
        LevelRecords.Codes(dimension, count, seed, missing);

    public override Minibatch Records(Minibatch rows) => LevelRecords.Texts(rows);

    /// <summary>D features called x0, x1 ... with so many levels.</summary>
    public static Feature[] Features(int dimension, int levels) => [.. RecordSchema.OfNumbers(dimension).Features.Select(name =>
        new Feature(name, FeatureKind.Level,
            FeatureScaling.None) { Levels = [.. Enumerable.Range(0, levels).Select(level => $"level {level}")], MaxLevels = levels })];
}

[ContractOf("categorical_mixture")]
public sealed class CategoricalInMixture : MixtureOf<Categoricals>;

public sealed class CategoricalInProduct : ProductOf<Categoricals>;

public sealed class CategoricalInHiddenMarkov : HiddenMarkovOf<Categoricals>;

public sealed class CategoricalTests
{
    [Theory]
    [InlineData(Recursion.Parameters)]
    [InlineData(Recursion.Statistics)]
    public void StepwiseEm_GoldenMinibatches_GivesGoldenSteps(Recursion recursion) =>
        new GoldenFile("categorical", new Mixture("test", new Categorical(2, Categoricals.Features(2, 3), Prior.None)))
        {
            Parameters =
                new Dictionary<string, string> { ["weights"] = "weights", ["probabilities.x0"] = "p.*.0", ["probabilities.x1"] = "p.*.1" },
            Statistics = new Dictionary<string, string> { ["masses"] = "N", ["counts.x0"] = "S1.*.0", ["counts.x1"] = "S1.*.1" },
        }.Check(recursion, GetType());

    [Fact]
    public void Maximize_ConjugatePrior_IsOneImaginaryRowALevel()
    {
        double[] result = new double[3];
        // 6, 4 and 0 of 10 rows: (6 + 1, 4 + 1, 0 + 1) / 13.
        new Categorical(1, Categoricals.Features(1, 3), Prior.Conjugate)
            .Maximize([1], [0.6, 0.4, 0], 10.0, [0.2, 0.3, 0.5], result, new ModelEvents());
        Assert.Equal([7.0 / 13, 5.0 / 13, 1.0 / 13], result.Select(value => Math.Round(value, 15)), (a, b) => Math.Abs(a - b) < 1e-14);
    }

    [Fact]
    public void Maximize_FeatureThatNobodyObserved_KeepsItsProbabilities()
    {
        double[] result = new double[6];
        new Categorical(1, Categoricals.Features(2, 3), Prior.Conjugate)
            .Maximize([1], [0.6, 0.4, 0, 0, 0, 0], 10.0, [0.2, 0.3, 0.5, 0.1, 0.2, 0.7], result, new ModelEvents());
        Assert.Equal([0.1, 0.2, 0.7], result[3..]);
    }

    [Fact]
    public void Layout_FeatureWithoutLevelsYet_HasOneItAlwaysHas()
    {
        var family = new Categorical(2, [new Feature("state", FeatureKind.Level, FeatureScaling.None)], Prior.Conjugate);
        double[] theta = new double[2];
        family.Neutral(theta);
        Assert.Equal([1, 1], theta);
        Assert.Equal("probabilities.state [2, 1]", family.ParameterLayout.ToString());
    }
}
