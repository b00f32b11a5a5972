using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Experts;

namespace StreamEm.Core.Tests.Models;

/// <summary>What models say of their steps, and what follows from it.</summary>
public sealed class EmStepsTests
{
    [Theory]
    [InlineData("gaussian_mixture", EmSteps.Exact)]
    [InlineData("poisson_random_walk", EmSteps.MonteCarlo)]
    [InlineData("mixture_of_experts", EmSteps.Generalized)]
    [InlineData("student_t_mixture", EmSteps.Conditional)]
    public void Steps_OfACatalogueEntry_AreWhatItTakes(string type, EmSteps expected) =>
        Assert.Equal(expected, Default(type).Steps);

    [Fact]
    public void Steps_OfExperts_AreGeneralizedWhereNewtonStepsAreTaken()
    {
        Assert.Equal(EmSteps.Exact, Experts(GateKind.Constant, ExpertKind.Linear).Steps);
        Assert.Equal(EmSteps.Generalized, Experts(GateKind.Constant, ExpertKind.Logistic).Steps);
        LatentModel model = Experts(GateKind.Softmax, ExpertKind.Linear);
        model.Hold(new BlockNames(["gate_coefficients"]));
        Assert.Equal(EmSteps.Exact, model.Steps);
    }

    [Theory]
    [InlineData(FitEngine.Incremental)]
    [InlineData(FitEngine.Spider)]
    public void Run_NewtonStepsByAnEngineThatReplacesStatistics_IsRefused(FitEngine engine)
    {
        LatentModel model = Experts(GateKind.Softmax, ExpertKind.Linear);
        double[] theta = new double[model.ParameterLayout.Length];
        model.Neutral(theta);
        var rows = new Minibatch(2, 4);
        for (int row = 0; row < 4; row++) rows.Add([row, 2 * row]);
        NotSupportedException refused = Assert.Throws<NotSupportedException>(
            () => BatchEm.Run(model, rows, theta, new BatchEmOptions { Engine = engine }));
        Assert.Contains("Use over_relaxed or batch", refused.Message, StringComparison.Ordinal);
    }

    private static LatentModel Default(string type) => ModelCatalog.Find(type)!.CreateOptions().Create(FeatureSpace.Unscaled(2));

    private static LatentModel Experts(GateKind gate, ExpertKind expert) =>
        ((ExpertsOptions)ModelCatalog.Find("mixture_of_experts")!.CreateOptions() with { Gate = gate, Expert = expert, Experts = 2 })
        .Create(FeatureSpace.Unscaled(2));
}
