using StreamEm.Core.Settings;

namespace StreamEm.Core.Models;

/// <summary>The setting that every model with a forecast has.</summary>
internal static class ForecastSetting
{
    /// <summary>The setting <c>forecast</c>.</summary>
    public static Setting<TOptions, int> Of<TOptions>(Func<TOptions, int> get, Func<TOptions, int, TOptions> set)
        where TOptions : class =>
        new("forecast", new IntegerKind(0, 1000), get, set,
            "Steps ahead that every score tells of: the state, and the records with intervals of 95 %; 0 tells nothing.");
}
