using StreamEm.Core.Models.Emissions;

namespace StreamEm.Core.Models.Classifiers;

/// <summary>
/// <c>type: naive_bayes</c>: a mixture classifier with one component a class, whose features are independent given the class. What a family
/// has no other way to be, its default is not: a Gaussian's covariances are diagonal here unless they are said to be otherwise.
/// </summary>
internal static class NaiveBayes
{
    /// <summary>The entry in the catalogue.</summary>
    /// <param name="families">The families there are; the first is the default.</param>
    public static ModelEntry EntryOver(IReadOnlyList<EmissionEntry> families)
    {
        EmissionEntry[] independent = [.. families.Select(Independent)];
        return new ModelEntry(
            "naive_bayes",
            "Naive Bayes: features that are independent given the class that labels name; which class a record is of, labelled or not.",
            entry => new ClassifierOptions { Entry = entry, Emissions = EmissionParts.Of(independent[0].CreateOptions()) },
            [.. ClassifierOptions.SettingsOver(independent)]);
    }

    private static EmissionEntry Independent(EmissionEntry family) => family.CreateOptions() is GaussianOptions gaussian
        ? new EmissionEntry(family.Type, family.Description, () => gaussian with { CovarianceType = CovarianceType.Diag }, family.Settings)
        : family;
}
