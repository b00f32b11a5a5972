using StreamEm.Core.Catalog;

namespace StreamEm.Core.Models;

/// <summary>The options of one kind of model, from which it is made once the features' variances are known.</summary>
public abstract record LatentModelOptions
{
    /// <summary>The name in the catalogue.</summary>
    public abstract string Type { get; }

    /// <summary>The options by their names in the configuration, values as text: what a snapshot says of the model, enough to make it again
    /// (<see cref="ModelEntry.Read"/>).</summary>
    public IReadOnlyDictionary<string, string> Settings => ModelCatalog.EntryOf(this).Format(this);

    /// <summary>The fewest rows of D features that determine first parameters.</summary>
    public abstract long RowsToStart(int dimension);

    /// <summary>Makes the model.</summary>
    /// <param name="dimension">Number of features D.</param>
    /// <param name="featureVariances">Variance of every feature in the units the model works in (1 when features are standardised).</param>
    public abstract LatentModel Create(int dimension, ReadOnlySpan<double> featureVariances);

    /// <summary>The model for features of unit variance: what reads parameters, whose values do not depend on the variances.</summary>
    public LatentModel CreateForUnitVariances(int dimension)
    {
        double[] ones = new double[dimension];
        Array.Fill(ones, 1);
        return Create(dimension, ones);
    }
}
