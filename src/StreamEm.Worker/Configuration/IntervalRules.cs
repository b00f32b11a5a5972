using System.Globalization;
using StreamEm.Core.Estimation;
using StreamEm.Core.Intervals;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Worker.Pipeline;

namespace StreamEm.Worker.Configuration;

/// <summary>Where parameters can be given intervals.</summary>
internal static class IntervalRules
{
    /// <summary>Why they cannot, for a person; null where they can.</summary>
    public static string? ProblemOf(ModelOptions model)
    {
        LearningOptions learning = model.Learning;
        if (model.Model.IntervalsProblem is { } problem)
            return $"intervals are not for {model.Model.Type}: {problem}. Leave intervals out";
        if (model.ScaleOut is not null)
            return "intervals are not made where several workers learn one model (scale_out): leave one of the two out";
        if (learning.Recursion == Recursion.Parameters)
            return "intervals need recursion: statistics: averages of minibatches' own maxima are biased by more than their standard "
                + "errors";
        if (learning.Responsibilities.Kind != ResponsibilityKind.Soft)
            return $"intervals need responsibilities: soft: {learning.Responsibilities.Kind.ToString().ToLowerInvariant()} ones do not "
                + "climb the likelihood that information is of";
        if (learning.Learn == LearnMode.Frozen) return "intervals need a model that learns: leave intervals or learn: frozen out";
        int? free = FreeOf(model);
        return free > ParameterIntervals.MostFree
            ? string.Create(CultureInfo.InvariantCulture,
                $"intervals are of at most {ParameterIntervals.MostFree} free parameters, whose information is a matrix; this model has "
                    + $"{free}. Use fewer components or another covariance_type, hold blocks still with fixed, or leave intervals out")
            : null;
    }

    /// <summary>How many parameters are free, as far as it is known before any record; null where another rule says what is wrong.
    /// </summary>
    private static int? FreeOf(ModelOptions model)
    {
        try
        {
            return model.Schema.Features.Count == 0 ? null
                : ParameterIntervals.FreeOf(model.Model.Create(model.Model.Plan(model.Schema)));
        }
        catch (Exception e) when (e is ArgumentException or OverflowException)
        {
            return null;
        }
    }
}
