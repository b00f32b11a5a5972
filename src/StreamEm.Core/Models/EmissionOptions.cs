using StreamEm.Core.Features;

namespace StreamEm.Core.Models;

/// <summary>The options of one family of components.</summary>
public abstract record EmissionOptions
{
    /// <summary>The family's entry in the catalogue.</summary>
    public abstract EmissionEntry Entry { get; }

    /// <summary>What one of its features holds and how it is scaled.</summary>
    public abstract Feature Plan(string feature);

    /// <summary>The same family by maximum likelihood.</summary>
    public virtual EmissionOptions WithoutPrior() => this;

    /// <summary>The fewest rows of D features that determine first parameters.</summary>
    public abstract long RowsToStart(int components, int dimension);

    /// <summary>Makes the family.</summary>
    /// <param name="features">Its features, with what the first records said of them.</param>
    /// <param name="components">K.</param>
    public abstract Emission Create(IReadOnlyList<Feature> features, int components);
}
