namespace StreamEm.Core.Models;

/// <summary>What a variable of a model's graph is.</summary>
public enum GraphRole
{
    /// <summary>Learned, the same for all records.</summary>
    Parameter,

    /// <summary>Of a record, and never seen.</summary>
    Latent,

    /// <summary>Of a record, and seen in some: a label.</summary>
    Partial,

    /// <summary>Of a record, and seen but for missing values.</summary>
    Observed,
}

/// <summary>A variable of a model's graph.</summary>
/// <param name="Name">Its name: of a parameter that of its block.</param>
/// <param name="Role">What it is.</param>
/// <param name="Parents">The names of those it depends on.</param>
public sealed record GraphVariable(string Name, GraphRole Role, IReadOnlyList<string> Parents)
{
    /// <summary>Of a parameter: whether every component has its own.</summary>
    public bool IsPerComponent { get; init; }

    /// <summary>Whether every feature has its own, independent of the others given what it depends on.</summary>
    public bool IsPerFeature { get; init; }
}

/// <summary>A model as a directed graph in plate notation (Buntine 1994): what depends on what, and what is repeated.</summary>
public sealed class ModelGraph
{
    private readonly List<GraphVariable> _variables = [];

    /// <summary>The variables, those that others depend on first.</summary>
    public IReadOnlyList<GraphVariable> Variables => _variables;

    /// <summary>What parameters are repeated for: <c>K components</c>.</summary>
    public string Components { get; set; } = "K components";

    /// <summary>What is repeated most: <c>N records</c>.</summary>
    public string Records { get; set; } = "N records";

    /// <summary>The variable that depends on itself in the record before; null for none.</summary>
    public string? Chained { get; set; }

    /// <summary>Adds a variable.</summary>
    /// <returns>Its name.</returns>
    /// <exception cref="ArgumentException">A parent is not there.</exception>
    public string Add(GraphVariable variable)
    {
        foreach (string parent in variable.Parents)
            if (!_variables.Exists(known => known.Name == parent))
                throw new ArgumentException($"'{variable.Name}' depends on '{parent}', which is no variable yet.", nameof(variable));
        _variables.Add(variable);
        return variable.Name;
    }

    /// <summary>Adds a parameter, on which others depend.</summary>
    /// <returns>Its name.</returns>
    public string Add(string parameter, bool isPerComponent = false, bool isPerFeature = false) => Add(
        new GraphVariable(parameter, GraphRole.Parameter, []) { IsPerComponent = isPerComponent, IsPerFeature = isPerFeature });
}
