namespace StreamEm.Core.Models.Factors;

/// <summary>Factor analysis: a noise variance for each feature (<c>type: factor_analysis</c>).</summary>
internal sealed record FactorAnalysisOptions : FactorOptions
{
    /// <summary>The model in the catalogue.</summary>
    public static ModelEntry Catalogued { get; } = EntryOf(
        "factor_analysis",
        "Factor analysis: q factors and a noise variance per feature; low-dimensional structure of many features.",
        entry => new FactorAnalysisOptions { Entry = entry });

    /// <inheritdoc/>
    protected override bool IsIsotropic => false;
}
