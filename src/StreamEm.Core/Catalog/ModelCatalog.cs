using StreamEm.Core.Models;
using StreamEm.Core.Models.Classifiers;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Experts;
using StreamEm.Core.Models.Factors;
using StreamEm.Core.Models.Hierarchies;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Models.Networks;
using StreamEm.Core.Models.RandomWalks;
using StreamEm.Core.Models.Ratings;
using StreamEm.Core.Models.Regression;
using StreamEm.Core.Models.Sequences;
using StreamEm.Core.Models.StateSpaces;
using StreamEm.Core.Models.Topics;
using StreamEm.Core.Models.Variational;

namespace StreamEm.Core.Catalog;

/// <summary>Every kind of model there is. A new one costs its own files and one line here; a family of components is at once a mixture, and
/// usable in every model over components.</summary>
public static class ModelCatalog
{
    /// <summary>The families of components.</summary>
    public static IReadOnlyList<EmissionEntry> Emissions { get; } =
    [
        GaussianOptions.Catalogued,
        BernoulliOptions.Catalogued,
        CategoricalOptions.Catalogued,
        MultinomialOptions.Catalogued,
        PoissonOptions.Catalogued,
        ExponentialOptions.Catalogued,
        StudentTOptions.Catalogued,
    ];

    /// <summary>The models, in the order they are shown.</summary>
    public static IReadOnlyList<ModelEntry> Entries { get; } =
    [
        .. Emissions.Select(MixtureOptions.Shorthand),
        MixtureOptions.EntryOver(Emissions),
        HiddenMarkovOptions.EntryOver([.. Emissions, MixtureEmissionOptions.EntryOver(Emissions)]),
        MixtureClassifier.EntryOver(Emissions),
        NaiveBayes.EntryOver(Emissions),
        PpcaOptions.Catalogued,
        FactorAnalysisOptions.Catalogued,
        LinearGaussianStateSpaceOptions.Catalogued,
        PoissonRandomWalkOptions.Catalogued,
        ExpertsOptions.Catalogued,
        BayesianRegressionOptions.Catalogued,
        ProbitRegressionOptions.Catalogued,
        SparseRegressionOptions.Catalogued,
        TopicOptions.Catalogued,
        HierarchicalNormalOptions.Catalogued,
        BayesianNetworkOptions.Catalogued,
        VariationalGaussianMixtureOptions.Catalogued,
        MatrixFactorizationOptions.Catalogued,
    ];

    /// <summary>The names of all models.</summary>
    public static IEnumerable<string> Types => Entries.Select(entry => entry.Type);

    /// <summary>The entry of a type; null when there is none.</summary>
    public static ModelEntry? Find(string type) => Entries.FirstOrDefault(entry => entry.Type == type);

    /// <summary>A mixture over one family.</summary>
    /// <param name="emission">The family.</param>
    /// <param name="components">K.</param>
    public static MixtureOptions MixtureOf(EmissionOptions emission, int components) => new()
    {
        Entry = Find($"{emission.Entry.Type}_mixture")
            ?? throw new ArgumentException($"Family '{emission.Entry.Type}' is not in the catalogue.", nameof(emission)),
        Components = components,
        Emissions = EmissionParts.Of(emission),
    };
}
