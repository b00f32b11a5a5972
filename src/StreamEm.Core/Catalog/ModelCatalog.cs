using StreamEm.Core.Models;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Settings;

namespace StreamEm.Core.Catalog;

/// <summary>Every kind of model there is. A new one costs its options record and one entry here.</summary>
public static class ModelCatalog
{
    /// <summary>The entries, in the order they are shown.</summary>
    public static IReadOnlyList<ModelEntry> Entries { get; } =
    [
        ModelEntry.Of(
            GaussianMixtureOptions.TypeName,
            "Mixture of K multivariate Gaussians; clusters, densities and anomalies of continuous records.",
            () => new GaussianMixtureOptions(),
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

    /// <summary>The entry that given options belong to.</summary>
    public static ModelEntry EntryOf(LatentModelOptions options) =>
        Find(options.Type) ?? throw new ArgumentException($"Model type '{options.Type}' is not in the catalogue.", nameof(options));
}
