using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models;

/// <summary>What is told of the records to come, step by step: mean, variance and interval of every feature.</summary>
internal static class Forecasts
{
    /// <summary>The normal deviate between whose negative and itself 95 % of the values lie.</summary>
    public const double Deviate = 1.959963984540054;

    /// <summary>The probability below the lower end of an interval, and above its upper end.</summary>
    public const double Tail = 0.025;

    /// <summary>The blocks: <c>forecast_mean</c>, <c>forecast_variance</c>, <c>forecast_lower</c>, <c>forecast_upper</c>, each [steps,
    /// D].</summary>
    public static VectorLayout Layout(int steps, int dimension) =>
        new VectorLayout().Add("forecast_mean", Units.Value, Domain.Real, steps, dimension)
            .Add("forecast_variance", Units.Square, Domain.Real, steps, dimension)
            .Add("forecast_lower", Units.Value, Domain.Real, steps, dimension)
            .Add("forecast_upper", Units.Value, Domain.Real, steps, dimension);
}
