using StreamEm.Worker.Configuration.Text;
using StreamEm.Worker.Hosting;

namespace StreamEm.Worker.Configuration;

/// <summary>What came of reading a configuration.</summary>
/// <param name="Options">The options; null when there are errors.</param>
/// <param name="Problems">Errors and warnings, in the order of the files.</param>
public sealed record LoadedConfiguration(WorkerOptions? Options, IReadOnlyList<Problem> Problems)
{
    /// <summary>Number of errors.</summary>
    public int Errors => Problems.Count(problem => problem.Severity == Severity.Error);

    /// <summary>Number of warnings.</summary>
    public int Warnings => Problems.Count - Errors;
}
