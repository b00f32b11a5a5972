using StreamEm.Core.Estimation;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models;
using StreamEm.Core.Schedules;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Learning;

/// <summary>A state to be merged, and where it began.</summary>
internal readonly record struct MergedPart(StepwiseState State, LearningOrigin Origin)
{
    /// <summary>Updates since the step size last began, of those since the start.</summary>
    public long Steps => State.Updates - Math.Max(State.Begun, Origin.Updates);

    /// <summary>Whether the step size began anew since the start.</summary>
    public bool HasBegunAnew => State.Begun > Origin.Updates;
}

/// <summary>
/// Puts together what states of one model learned apart from the same start. Each is an average, s_x = a_x s(0) + (1 - a_x) m_x, with m_x
/// of records of the weight n_x; one state that had learned from all of them would be
/// <code>
/// s = a s(0) + (1 - a) sum of w_x m_x        w_x = n_x / sum of n
/// a = a(T) product of a_x / a(T_x)           a(T) = product over T updates of (1 - gamma_i), T = sum of T_x
/// Theta = M(s)
/// </code>
/// For gamma_t = 1 / (t + t0) and minibatches of one size that is exactly what one state learns from their minibatches in any order, but
/// for the parameters that its E-steps would have been under. For other step sizes the order of records weighs: each state's records weigh
/// among themselves as it met them, the states among each other by their number.
/// </summary>
internal static class StateMerge
{
    /// <summary>The state, at the sum of all updates, and where it began.</summary>
    /// <param name="model">The model.</param>
    /// <param name="options">How all of them learned.</param>
    /// <param name="parts">The states, at least one, of the same start.</param>
    /// <param name="origin">Their start, with what is left of it.</param>
    public static StepwiseState Of(
        LatentModel model, LearningOptions options, IReadOnlyList<MergedPart> parts, out LearningOrigin origin)
    {
        LearningOrigin start = parts[0].Origin;
        double learned = parts.Sum(part => part.Origin.Learned);
        double retained = RetainedOf(options.StepSize, parts, start);
        origin = start.With(retained, learned);
        double[] vector = [.. start.Vector], shares = [.. start.Shares];
        Interpolation.Multiply(vector, retained);
        Interpolation.Multiply(shares, retained);
        double spread = retained * retained / start.EffectiveRows;
        foreach (MergedPart part in parts)
        {
            if (!(part.Origin.Learned > 0) || !(part.Origin.Retained < 1)) continue;
            double weight = (1 - retained) * part.Origin.Learned / learned, left = part.Origin.Retained;
            Add(vector, weight, LearningOrigin.VectorOf(model, options.Recursion, part.State), start.Vector, left);
            Add(shares, weight, part.State.Shares, start.Shares, left);
            // 1 / n of m_x, of 1 / n_x = a^2 / n_0 + (1 - a)^2 / n.
            double own = (1 / part.State.EffectiveRows - left * left / start.EffectiveRows) / ((1 - left) * (1 - left));
            spread += weight * weight * Math.Max(0, own);
        }

        StepwiseState first = parts.MaxBy(part => part.Origin.Learned).State;
        double[] statistics = options.Recursion == Recursion.Statistics ? vector : [.. first.Statistics];
        double[] parameters = [.. first.Parameters];
        if (options.Recursion == Recursion.Statistics)
            model.Maximize(vector, 1 / spread, first.Parameters, parameters, new ModelEvents());
        else
            FromCoordinates(model, vector, parameters);
        StepwiseState state = StepwiseState.Of(model, parameters, statistics, shares);
        Count(state, parts, start, options);
        state.EffectiveRows = 1 / spread;
        return state;
    }

    /// <summary>total += weight m, m = (value - left start) / (1 - left).</summary>
    private static void Add(double[] total, double weight, double[] values, double[] start, double left)
    {
        double gain = weight / (1 - left);
        for (int at = 0; at < total.Length; at++) total[at] += gain * (values[at] - left * start[at]);
    }

    private static void FromCoordinates(LatentModel model, double[] vector, double[] parameters)
    {
        vector.CopyTo(parameters, 0);
        foreach (VectorBlock block in model.ParameterLayout.Blocks)
            if (block.Coordinates == Coordinates.Logarithm)
                foreach (ref double value in block.Of(parameters.AsSpan())) value = ScalarMath.Exp(value);
    }

    /// <summary>a: what the schedule leaves of the start after all updates, and what minibatches that were light left beside it.</summary>
    private static double RetainedOf(StepSizeOptions schedule, IReadOnlyList<MergedPart> parts, LearningOrigin start)
    {
        double retained = Retained(schedule, start.Updates, parts.Sum(part => part.Steps));
        foreach (MergedPart part in parts)
        {
            double usual = Retained(schedule, start.Updates, part.Steps);
            if (usual > 0) retained *= part.Origin.Retained / usual;
        }

        return Math.Min(1, retained);
    }

    /// <summary>Product of (1 - gamma_t) over so many updates after the first ones.</summary>
    private static double Retained(StepSizeOptions options, long before, long steps)
    {
        // (t - 1 + t0) / (t + t0) is a telescope.
        if (options.Kappa == 1 && options.Floor == 0)
            return before + options.T0 == 0 ? steps == 0 ? 1 : 0 : (before + options.T0) / (before + options.T0 + steps);
        var stepSize = new PowerLaw(options);
        double retained = 1;
        for (long t = before + 1; t <= before + steps && retained > 0; t++) retained *= 1 - stepSize.At(t);
        return retained;
    }

    private static void Count(
        StepwiseState state, IReadOnlyList<MergedPart> parts, LearningOrigin start, LearningOptions options)
    {
        long steps = parts.Sum(part => part.Steps), before = parts.All(part => part.HasBegunAnew) ? 0 : start.Updates;
        state.Updates = start.Updates + parts.Sum(part => part.State.Updates - start.Updates);
        state.Rows = start.Rows + parts.Sum(part => part.State.Rows - start.Rows);
        state.Unlearned = start.Unlearned + parts.Sum(part => part.State.Unlearned - start.Unlearned);
        state.Bounded = start.Bounded + parts.Sum(part => part.State.Bounded - start.Bounded);
        state.Begun = state.Updates - before - steps;
        state.RowsBegun = state.Begun == 0
            ? 0
            : state.Rows - parts.Sum(part => part.State.Rows - Math.Max(part.State.RowsBegun, start.Rows));
        // Minibatches as heavy as they were on average.
        double weight = parts.Sum(part => part.State.Weight), updates = parts.Sum(part => part.State.Updates - part.State.Begun);
        state.Weight = double.IsNaN(weight) || updates == 0 ? double.NaN : weight / updates * (state.Updates - state.Begun);
        state.LastStepSize = state.Updates > state.Begun ? new PowerLaw(options.StepSize).At(state.Updates - state.Begun) : 0;
    }
}
