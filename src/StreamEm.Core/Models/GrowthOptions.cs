namespace StreamEm.Core.Models;

/// <summary>How a mixture grows: components are born where records are far from all there are, and merged where there is no room.</summary>
public sealed record GrowthOptions
{
    /// <summary>K: the most components that hold what is confirmed as normal; a quarter as many, at least 2, may be in quarantine beside.
    /// </summary>
    public int Max { get; init; } = 32;

    /// <summary>b: a record is far from a component beyond a squared Mahalanobis distance of b^2 D.</summary>
    public double BirthDistance { get; init; } = 3;

    /// <summary>Records after which a component counts half; null: none fades.</summary>
    public double? HalfLife { get; init; }

    /// <summary>Whether all components have one covariance.</summary>
    public bool IsShared { get; init; }

    /// <summary>Whether features do not covary within a component.</summary>
    public bool IsDiagonal { get; init; }

    /// <summary>Whether all features vary alike within a component.</summary>
    public bool IsIsotropic { get; init; }
}
