using StreamEm.Core.Settings;

namespace StreamEm.Core.Models;

/// <summary>What is known before the first record.</summary>
public enum Prior
{
    /// <summary>The family's conjugate prior, worth a row or two: it keeps probabilities off 0 and 1 and fades as 1 / n_eff.</summary>
    Conjugate,

    /// <summary>Nothing: maximum likelihood.</summary>
    None,
}

/// <summary>The setting that every model and family with a prior has.</summary>
internal static class PriorSetting
{
    /// <summary>The setting <c>prior</c>.</summary>
    public static Setting<TOptions, Prior> Of<TOptions>(Func<TOptions, Prior> get, Func<TOptions, Prior, TOptions> set)
        where TOptions : class =>
        new("prior", new ChoiceKind<Prior>(), get, set,
            "conjugate: a few imaginary rows, weighing less with every record; none: maximum likelihood.");
}
