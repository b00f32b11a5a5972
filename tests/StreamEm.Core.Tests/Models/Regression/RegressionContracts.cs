using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Regression;
using StreamEm.Core.Tests.Contracts;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Models.Regression;

/// <summary>The laws of regressions: the last column is the target, which the density is of.</summary>
public abstract class RegressionContract(string type) : ModelContract
{
    /// <summary>A target is predicted, not drawn with the features.</summary>
    protected sealed override bool CanBeDrawn => false;

    protected sealed override LatentModelOptions Options(int components, int dimension) => ModelCatalog.Find(type)!.CreateOptions();

    protected sealed override RecordSchema Schema(int dimension) => RecordSchema.OfNumbers(dimension - 1) with { Target = "y" };

    protected sealed override Minibatch Rows(int dimension, int count, ulong seed, double missing = 0)
    {
        var chance = new SplitMix64(seed);
        var rows = new Minibatch(dimension, count);
        double[] row = new double[dimension];
        for (int n = 0; n < count; n++)
        {
            double predictor = 0.5;
            for (int d = 0; d < dimension - 1; d++) predictor += (d % 2 == 0 ? 0.7 : -0.4) * (row[d] = Gaussians.Normal(chance));
            row[^1] = Target(predictor, chance);
            rows.Add([.. row.Select(value => chance.NextDouble() < missing ? double.NaN : value)], 0.5 + chance.NextDouble());
        }
        return rows;
    }

    /// <summary>A target whose expectation goes with a predictor.</summary>
    protected virtual double Target(double predictor, SplitMix64 chance) => predictor + 0.3 * Gaussians.Normal(chance);
}

[ContractOf("bayesian_linear_regression")]
public sealed class BayesianLinearRegressionTests() : RegressionContract("bayesian_linear_regression")
{
    protected override double ManyRows => 1000;

    protected override bool KeepsDigitsFarFromZero => false;

    protected override LatentModel Create(int components, int dimension) =>
        new BayesianRegression("bayesian_linear_regression", dimension, true, PrecisionUpdate.Em, Prior.None);
}

[ContractOf("sparse_regression")]
public sealed class SparseRegressionTests() : RegressionContract("sparse_regression")
{
    protected override LatentModel Create(int components, int dimension) =>
        new SparseRegression("sparse_regression", dimension, true, SparsePrior.None, 0);
}

[ContractOf("probit_regression")]
public sealed class ProbitRegressionTests() : RegressionContract("probit_regression")
{
    protected override bool KeepsDigitsFarFromZero => false;

    protected override LatentModel Create(int components, int dimension) =>
        new ProbitRegression("probit_regression", dimension, true, 0, hasCovariance: false);

    protected override double Target(double predictor, SplitMix64 chance) => predictor + Gaussians.Normal(chance) > 0 ? 1 : 0;
}
