using StreamEm.Core.Models.Emissions;

namespace StreamEm.Core.Models.Classifiers;

/// <summary><c>type: mixture_classifier</c>: a mixture for every class, over any family or families.</summary>
internal static class MixtureClassifier
{
    /// <summary>The entry in the catalogue.</summary>
    /// <param name="families">The families there are; the first is the default.</param>
    public static ModelEntry EntryOver(IReadOnlyList<EmissionEntry> families) => new(
        "mixture_classifier",
        "A mixture of K components for every class that labels name; which class a record is of, labelled or not.",
        entry => new ClassifierOptions { Entry = entry, Components = 2, Emissions = EmissionParts.Of(families[0].CreateOptions()) },
        [ClassifierOptions.ComponentsSetting, .. ClassifierOptions.SettingsOver(families)]);
}
