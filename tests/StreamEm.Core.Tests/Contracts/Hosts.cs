using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Mixtures;

namespace StreamEm.Core.Tests.Contracts;

/// <summary>Options of models over any components, for tests: what a catalogue would make.</summary>
internal static class Hosts
{
    private static readonly ModelEntry Entry = new(
        "mixture", "mixture over anything.", entry => new MixtureOptions { Entry = entry, Emissions = EmissionParts.Of(new GaussianOptions()) });

    public static MixtureOptions Mixture(int components, EmissionParts emissions) => new() { Entry = Entry, Components = components, Emissions = emissions };
}
