namespace StreamEm.Worker.Configuration.Text;

/// <summary>How bad a problem is.</summary>
public enum Severity
{
    /// <summary>The configuration works, but probably not as meant.</summary>
    Warning,

    /// <summary>The configuration cannot be used.</summary>
    Error,
}

/// <summary>Something wrong in a configuration.</summary>
/// <param name="Origin">Where.</param>
/// <param name="Severity">How bad.</param>
/// <param name="Message">What was found, what was expected, what to do.</param>
public sealed record Problem(Origin Origin, Severity Severity, string Message)
{
    /// <summary><c>streamem.yaml:12:7: error: unknown key 'kapa' in learning.step_size; did you mean 'kappa'?</c></summary>
    public override string ToString() => $"{Origin}: {(Severity == Severity.Error ? "error" : "warning")}: {Message}";
}

/// <summary>Gathers problems, so that all of them are reported at once.</summary>
public sealed class Problems
{
    private readonly List<Problem> _problems = [];

    /// <summary>Whether the configuration cannot be used.</summary>
    public bool HasErrors => _problems.Exists(problem => problem.Severity == Severity.Error);

    /// <summary>Adds an error.</summary>
    public void Error(Origin origin, string message) => _problems.Add(new Problem(origin, Severity.Error, message));

    /// <summary>Adds a warning.</summary>
    public void Warn(Origin origin, string message) => _problems.Add(new Problem(origin, Severity.Warning, message));

    /// <summary>All of them as they appear in the files, which keep the order in which they were read.</summary>
    public IReadOnlyList<Problem> InOrder()
    {
        List<string> sources = [.. _problems.Select(problem => problem.Origin.Source).Distinct()];
        // What is wrong in the defaults is wrong in every model.
        return [.. _problems.Distinct()
            .OrderBy(problem => problem.Origin.Line == 0)
            .ThenBy(problem => sources.IndexOf(problem.Origin.Source))
            .ThenBy(problem => problem.Origin.Line)
            .ThenBy(problem => problem.Origin.Column)];
    }
}
