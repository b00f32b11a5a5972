using StreamEm.Core.Catalog;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Models.Sequences;

namespace StreamEm.Core.Tests.Contracts;

/// <summary>Options of models over any components, for tests: what a catalogue would make.</summary>
internal static class Hosts
{
    private static readonly ModelEntry Entry = new(
        "mixture", "mixture over anything.",
        entry => new MixtureOptions { Entry = entry, Emissions = EmissionParts.Of(new GaussianOptions()) });

    private static readonly ModelEntry Sequences = HiddenMarkovOptions.EntryOver(ModelCatalog.Emissions);

    public static HiddenMarkovOptions HiddenMarkov(int states, EmissionParts emissions) =>
        ((HiddenMarkovOptions)Sequences.CreateOptions()) with { States = states, Emissions = emissions, Keys = 200 };

    public static MixtureOptions Mixture(int components, EmissionParts emissions) =>
        new() { Entry = Entry, Components = components, Emissions = emissions };
}
