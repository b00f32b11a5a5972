using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Experts;
using StreamEm.Core.Tests.Contracts;
using StreamEm.Core.Tests.Support;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Tests.Models.Experts;

/// <summary>The laws of mixtures of experts, over lines that are apart in the first feature; the last column is the target.</summary>
public abstract class ExpertContract : ComponentContract
{
    private protected abstract GateKind Gate { get; }

    private protected virtual ExpertKind Expert => ExpertKind.Linear;

    private protected virtual int Depth => 1;

    /// <summary>What a gate knows of an expert it knows of the others.</summary>
    protected sealed override bool IsRelative(VectorBlock block) => block.Name is SoftmaxTree.Root or SoftmaxTree.Nested;

    protected override bool CanBeDrawn => false;

    /// <summary>A Newton step of the gate is not where it ends.</summary>
    protected override bool IsClosedWhenLabelled => Gate != GateKind.Softmax && Expert == ExpertKind.Linear;

    protected sealed override LatentModelOptions Options(int components, int dimension) =>
        ((ExpertsOptions)ModelCatalog.Find("mixture_of_experts")!.CreateOptions() with { Gate = Gate, Expert = Expert, Depth = Depth })
        .WithComponents(components);

    protected sealed override RecordSchema Schema(int dimension) => RecordSchema.OfNumbers(dimension - 1) with { Target = "y" };

    protected sealed override LatentModel Create(int components, int dimension) =>
        new MixtureOfExperts("mixture_of_experts", Experts(Tree(components, dimension)?.Leaves ?? components, dimension),
            Tree(components, dimension), 0)
        {
            TargetClasses = Expert == ExpertKind.Logistic ? ["0", "1", "2", "3"] : [],
        };

    private SoftmaxTree? Tree(int components, int dimension) => Gate != GateKind.Softmax ? null
        : new SoftmaxTree(((ExpertsOptions)Options(components, dimension)).Experts, Depth, dimension);

    private protected virtual Emission Experts(int components, int dimension) =>
        new LinearExperts(components, dimension, new ExpertRegularization(1));

    protected sealed override Minibatch Rows(int dimension, int count, ulong seed, double missing = 0)
    {
        var chance = new SplitMix64(seed);
        var rows = new Minibatch(dimension, count);
        double[] row = new double[dimension];
        for (int n = 0; n < count; n++)
        {
            int k = (int)(3 * chance.NextDouble());
            for (int d = 0; d < dimension - 1; d++) row[d] = Gaussians.Normal(chance) + (d == 0 ? 2 * (k - 1) : 0);
            row[^1] = Target(k, dimension == 1 ? 0 : row[0], chance);
            rows.Add([.. row.Select(value => chance.NextDouble() < missing ? double.NaN : value)], 0.5 + chance.NextDouble());
        }
        return rows;
    }

    private protected virtual double Target(int k, double x, SplitMix64 chance) =>
        (k - 1) * 1.5 + (k == 1 ? 1 : -0.5) * x + 0.3 * Gaussians.Normal(chance);
}

[ContractOf("mixture_of_experts")]
public sealed class SoftmaxExpertsTests : ExpertContract
{
    private protected override GateKind Gate => GateKind.Softmax;
}

/// <summary>Trees of 2 x 2 and 3 x 3 experts.</summary>
public sealed class HierarchicalExpertsTests : ExpertContract
{
    private protected override GateKind Gate => GateKind.Softmax;

    private protected override int Depth => 2;
}

public sealed class ConstantExpertsTests : ExpertContract
{
    private protected override GateKind Gate => GateKind.Constant;
}

public sealed class GaussianExpertsTests : ExpertContract
{
    private protected override GateKind Gate => GateKind.Gaussian;

    protected override bool CanBeDrawn => true;

    private protected override Emission Experts(int components, int dimension) =>
        new GaussianExperts(components, dimension, new CovarianceRegularization(new double[dimension], 1e-12));
}

public sealed class LogisticExpertsTests : ExpertContract
{
    private protected override GateKind Gate => GateKind.Softmax;

    private protected override ExpertKind Expert => ExpertKind.Logistic;

    private protected override Emission Experts(int components, int dimension) => new LogisticExperts(components, dimension, 4, 0);

    private protected override double Target(int k, double x, SplitMix64 chance) =>
        chance.NextDouble() < 0.3 ? chance.NextInt32(4) : x + Gaussians.Normal(chance) > 2 * (k - 1) ? k == 1 ? 2 : 0 : 1;
}
