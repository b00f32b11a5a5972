using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Models;

namespace StreamEm.Core.Learning;

/// <summary>
/// Whether a state that was read can be learned on from and shown: parameters in their domains, inside and in the user's units, covariances
/// that can be factored, and in the statistics recursion statistics whose maximiser is such too.
/// </summary>
internal static class StateCheck
{
    /// <summary>Throws unless the state is sound.</summary>
    /// <exception cref="InvalidDataException">A counter or statistic is none.</exception>
    /// <exception cref="ArgumentException">A parameter is outside its domain.</exception>
    /// <exception cref="ArithmeticException">A covariance is not positive definite.</exception>
    public static void Run(LatentModel model, FeatureSpace space, StepwiseState state, Recursion recursion)
    {
        state.Check();
        Check(model, space, state.Parameters);
        if (recursion != Recursion.Statistics) return;
        double[] maximizer = new double[state.Parameters.Length];
        model.Maximize(state.Statistics, state.EffectiveRows, state.Parameters, maximizer, new ModelEvents());
        Check(model, space, maximizer);
    }

    private static void Check(LatentModel model, FeatureSpace space, double[] parameters)
    {
        double[] user = new double[parameters.Length], inside = new double[parameters.Length];
        UserUnits.Validate(model.ParameterLayout, parameters);
        model.ToUserUnits(parameters, space, user);
        model.FromUserUnits(user, space, inside);
        _ = model.Prepare(parameters);
    }
}
