using StreamEm.Core.Settings;

namespace StreamEm.Core.Models;

/// <summary>Every kind of model there is. A new one costs its options record and one entry here.</summary>
public static class ModelCatalog
{
    /// <summary>The entries, in the order they are shown.</summary>
    public static IReadOnlyList<ModelEntry> Entries { get; } =
    [
        ModelEntry.Of(
            "gaussian_mixture",
            "Mixture of K multivariate Gaussians; clusters, densities and anomalies of continuous records.",
            () => new GaussianMixtureOptions(),
            o => o.Components,
            RowsToStart,
            new Setting<GaussianMixtureOptions, int>(
                "components", new IntegerKind(1, 65_536), o => o.Components, (o, v) => o with { Components = v }, "Number of components K."),
            new Setting<GaussianMixtureOptions, CovarianceType>(
                "covariance_type", new ChoiceKind<CovarianceType>(), o => o.CovarianceType, (o, v) => o with { CovarianceType = v },
                "Form of the covariances: a matrix each, one shared matrix, variances per feature, one variance."),
            new Setting<GaussianMixtureOptions, double>(
                "reg_covar", new NumberKind(Interval.AtLeast(0)), o => o.RegCovar, (o, v) => o with { RegCovar = v },
                "Added to the diagonal of every covariance, in units of each feature's variance.")),
    ];

    /// <summary>The names of all models.</summary>
    public static IEnumerable<string> Types => Entries.Select(entry => entry.Type);

    /// <summary>The entry of a type; null when there is none.</summary>
    public static ModelEntry? Find(string type) => Entries.FirstOrDefault(entry => entry.Type == type);

    /// <summary>The entry that given options belong to; null when there is none.</summary>
    public static ModelEntry? EntryOf(object options) => Entries.FirstOrDefault(entry => entry.OptionsType == options.GetType());

    /// <summary>A full covariance is singular below D + 1 rows a component; a variance needs two.</summary>
    private static long RowsToStart(GaussianMixtureOptions options, int dimension) => options.CovarianceType switch
    {
        CovarianceType.Full => (long)options.Components * (dimension + 1),
        CovarianceType.Tied => (long)options.Components + dimension,
        _ => 2L * options.Components,
    };
}
