using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Core.Tests.Contracts;

namespace StreamEm.Core.Tests.Models.Topics;

/// <summary>The laws of topics over counts, a feature a term.</summary>
[ContractOf("latent_dirichlet_allocation")]
public sealed class TopicsOverCounts : ModelContract
{
    /// <summary>Proportions have a density.</summary>
    protected override double LeastEntropy => double.MinValue;

    /// <inheritdoc/>
    private protected override double EntropyOf(LatentModel model, double[] theta, Minibatch rows) => double.NaN;

    /// <inheritdoc/>
    protected override bool FollowsUnits => false;

    protected override bool CanBeDrawn => false;

    protected override LatentModelOptions Options(int components, int dimension) => TopicTests.Options() with { Components = components };

    /// <summary>With an E-step that goes to its end: a bound that stops short of it may fall.</summary>
    protected override LatentModel Create(int components, int dimension) =>
        (TopicTests.Options() with { Components = components, Tolerance = 1e-13, MaxIterations = 100_000 })
            .Create(TopicTests.Options().Plan(Schema(dimension)));

    protected override RecordSchema Schema(int dimension) => RecordSchema.OfNumbers(dimension);

    protected override Minibatch Rows(int dimension, int count, ulong seed, double missing = 0)
    {
        var chance = new SplitMix64(seed);
        var rows = new Minibatch(dimension, count);
        for (int row = 0; row < count; row++)
        {
            int topic = chance.NextInt32(3);
            for (int d = 0; d < dimension; d++)
            {
                int most = d % 3 == topic ? 9 : 2;
                rows.NextRow[d] = chance.NextDouble() < missing ? double.NaN : chance.NextInt32(most);
            }
            rows.Commit(0.5 + chance.NextDouble());
        }
        return rows;
    }

    /// <summary>Counts of texts without missing values.</summary>
    internal Minibatch Counts(int terms, int count) => Rows(terms, count, 8);
}
