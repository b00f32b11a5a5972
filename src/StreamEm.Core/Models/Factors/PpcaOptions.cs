namespace StreamEm.Core.Models.Factors;

/// <summary>Probabilistic PCA: one noise variance for all features (<c>type: ppca</c>).</summary>
internal sealed record PpcaOptions : FactorOptions
{
    /// <summary>The model in the catalogue.</summary>
    public static ModelEntry Catalogued { get; } = EntryOf(
        "ppca",
        "Probabilistic PCA: q factors and one noise variance; low-dimensional structure of records in common units.",
        entry => new PpcaOptions { Entry = entry });

    /// <inheritdoc/>
    protected override bool IsIsotropic => true;
}
