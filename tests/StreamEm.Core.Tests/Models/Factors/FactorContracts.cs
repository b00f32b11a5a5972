using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Factors;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Tests.Contracts;

namespace StreamEm.Core.Tests.Models.Factors;

/// <summary>The laws of factor analysers as components of a mixture, over the clouds of the Gaussian families.</summary>
public abstract class FactorMixtureContract(string type, bool isExpanded = false) : ComponentContract
{
    private static readonly FullGaussians Clouds = new();

    protected sealed override LatentModelOptions Options(int components, int dimension) =>
        (FactorOptions)ModelCatalog.Find(type)!.CreateOptions() with
        {
            Components = components,
            Factors = Math.Min(1, dimension - 1),
            Prior = Prior.Conjugate,
            LoadingsStep = isExpanded ? LoadingsStep.PxEm : LoadingsStep.Em,
        };

    protected sealed override LatentModel Create(int components, int dimension) =>
        new Mixture(type, FactorTests.Analyser(components, dimension, Math.Min(2, dimension - 1), type == "ppca", isExpanded));

    protected sealed override Minibatch Rows(int dimension, int count, ulong seed, double missing = 0) =>
        Clouds.Rows(dimension, count, seed, missing);

    /// <summary>The factors are latent too.</summary>
    protected sealed override bool IsClosedWhenLabelled => false;

    protected sealed override double[] ImpossibleRow(int dimension) => Clouds.ImpossibleRow(dimension);
}

public sealed class FactorAnalysisInMixture() : FactorMixtureContract("factor_analysis");

public sealed class ExpandedFactorAnalysisInMixture() : FactorMixtureContract("factor_analysis", isExpanded: true);

public sealed class PpcaInMixture() : FactorMixtureContract("ppca")
{
    /// <summary>One noise for all features is one only in units they share.</summary>
    protected override bool FollowsUnits => false;
}

/// <summary>The laws of one factor analyser alone.</summary>
public abstract class FactorContract(string type, bool isExpanded = false) : ModelContract
{
    protected sealed override LatentModelOptions Options(int components, int dimension) =>
        (FactorOptions)ModelCatalog.Find(type)!.CreateOptions() with
        {
            Factors = Math.Min(1, dimension - 1),
            Prior = Prior.Conjugate,
            LoadingsStep = isExpanded ? LoadingsStep.PxEm : LoadingsStep.Em,
        };

    protected sealed override LatentModel Create(int components, int dimension) =>
        new SingleComponent(type, FactorTests.Analyser(1, dimension, Math.Min(2, dimension - 1), type == "ppca", isExpanded));

    protected sealed override Minibatch Rows(int dimension, int count, ulong seed, double missing = 0) =>
        new FullGaussians().Rows(dimension, count, seed, missing);

    protected sealed override double[] ImpossibleRow(int dimension) => new FullGaussians().ImpossibleRow(dimension);
}

[ContractOf("factor_analysis")]
public sealed class FactorAnalysisAlone() : FactorContract("factor_analysis");

public sealed class ExpandedFactorAnalysisAlone() : FactorContract("factor_analysis", isExpanded: true);

[ContractOf("ppca")]
public sealed class PpcaAlone() : FactorContract("ppca")
{
    protected override bool FollowsUnits => false;
}
