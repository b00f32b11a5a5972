using System.Globalization;
using StreamEm.Core.Models.Emissions;

namespace StreamEm.Core.Models;

/// <summary>The form of the covariances, with scikit-learn's names.</summary>
public enum CovarianceType
{
    /// <summary>Each component its own matrix: [K, D, D].</summary>
    Full,

    /// <summary>One matrix shared by all: [D, D].</summary>
    Tied,

    /// <summary>Each component its own variances: [K, D].</summary>
    Diag,

    /// <summary>Each component one variance: [K].</summary>
    Spherical,
}

/// <summary>A mixture of Gaussians: <c>type: gaussian_mixture</c>.</summary>
public sealed record GaussianMixtureOptions : LatentModelOptions
{
    /// <summary>The name in the catalogue.</summary>
    public const string TypeName = "gaussian_mixture";

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <summary>Number of components K.</summary>
    public int Components { get; init; } = 1;

    /// <summary>Form of the covariances.</summary>
    public CovarianceType CovarianceType { get; init; } = CovarianceType.Full;

    /// <summary>Added to the diagonal of every covariance in the M-step, in units of each feature's variance.</summary>
    public double RegCovar { get; init; } = 1e-6;

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> Settings => new SortedDictionary<string, string>(StringComparer.Ordinal)
    {
        ["components"] = Components.ToString(CultureInfo.InvariantCulture),
        ["covariance_type"] = CovarianceType.ToString().ToLowerInvariant(),
        ["reg_covar"] = RegCovar.ToString("R", CultureInfo.InvariantCulture),
    };

    /// <summary>The inverse of <see cref="Settings"/>; a setting left out has its default.</summary>
    /// <exception cref="FormatException">A value is not of its kind.</exception>
    public static GaussianMixtureOptions FromSettings(IReadOnlyDictionary<string, string> settings)
    {
        var options = new GaussianMixtureOptions();
        if (settings.TryGetValue("components", out string? components))
            options = options with { Components = int.Parse(components, NumberStyles.None, CultureInfo.InvariantCulture) };
        if (settings.TryGetValue("covariance_type", out string? type))
            options = options with
            {
                CovarianceType = Enum.TryParse(type, ignoreCase: true, out CovarianceType parsed) && Enum.IsDefined(parsed)
                    ? parsed
                    : throw new FormatException($"covariance_type is '{type}'; expected full, tied, diag or spherical."),
            };
        if (settings.TryGetValue("reg_covar", out string? ridge))
            options = options with { RegCovar = double.Parse(ridge, NumberStyles.Float, CultureInfo.InvariantCulture) };
        return options;
    }

    /// <inheritdoc/>
    public override LatentModel Create(int dimension, ReadOnlySpan<double> featureVariances)
    {
        double[] ridge = new double[dimension];
        for (int d = 0; d < dimension; d++) ridge[d] = RegCovar * featureVariances[d];
        double mean = 0;
        foreach (double variance in featureVariances) mean += variance / dimension;
        var regularization = new CovarianceRegularization(ridge, CovarianceRegularization.RelativeFloor * mean);
        return new Mixture(Type, CovarianceType switch
        {
            CovarianceType.Full => new FullGaussian(Components, dimension, regularization),
            CovarianceType.Tied => new TiedGaussian(Components, dimension, regularization),
            CovarianceType.Diag => new DiagonalGaussian(Components, dimension, regularization),
            CovarianceType.Spherical => new SphericalGaussian(Components, dimension, regularization),
            _ => throw new ArgumentOutOfRangeException(nameof(featureVariances), CovarianceType, "Unknown covariance type."),
        });
    }
}
