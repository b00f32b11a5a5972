namespace StreamEm.Core.Models;

/// <summary>How responsibilities are made from the components' densities.</summary>
public enum ResponsibilityKind
{
    /// <summary>Bayes' rule: EM.</summary>
    Soft,

    /// <summary>All of a row to its most probable component: classification EM, k-means.</summary>
    Hard,

    /// <summary>Bayes' rule at a temperature that falls to 1: deterministic annealing.</summary>
    Annealed,

    /// <summary>Bayes' rule among the most probable components of every row.</summary>
    Sparse,
}

/// <summary>How responsibilities are made, with what that takes.</summary>
public sealed record Responsibilities
{
    /// <summary>The rule.</summary>
    public ResponsibilityKind Kind { get; init; }

    /// <summary>Of the annealed: beta of the first update, in (0, 1].</summary>
    public double Start { get; init; } = 0.3;

    /// <summary>Of the annealed: after so many updates beta is 1.</summary>
    public double Updates { get; init; } = 200;

    /// <summary>Of the sparse: components that may have a share in a row.</summary>
    public int Active { get; init; } = 8;

    /// <summary>Of the sparse: every such update all components may.</summary>
    public int Refresh { get; init; } = 20;

    /// <summary>The rule itself; null for Bayes'.</summary>
    internal ResponsibilityRule? Rule => Kind switch
    {
        ResponsibilityKind.Hard => HardResponsibilities.Instance,
        ResponsibilityKind.Annealed => new AnnealedResponsibilities(Start, Updates),
        ResponsibilityKind.Sparse => new SparseResponsibilities(Active, Refresh),
        _ => null,
    };
}
