using StreamEm.Core.Learning;
using StreamEm.Core.Snapshots;
using StreamEm.Worker.Failures;

namespace StreamEm.Worker.Pipeline;

/// <summary>How a learner begins that has learned nothing yet: from the configuration, and from the parameters it names.</summary>
internal static class LearnerStart
{
    /// <summary>A learner without state, as configured.</summary>
    /// <exception cref="CommandException">The parameters to start from are missing (66) or of no use (65), or the model cannot be
    /// (78).</exception>
    public static Learner Create(ModelOptions options)
    {
        InitialParameters? from = ReadParameters(options);
        try
        {
            return new Learner(options.Model, options.Schema, options.Learning, from);
        }
        catch (ArgumentException failure)
        {
            throw new CommandException(ExitCode.Configuration, $"Model '{options.Id}': {failure.Message}", failure);
        }
    }

    /// <summary>The parameters in the file that <c>learning.initialization.from</c> names; null when it names none.</summary>
    /// <exception cref="CommandException">The file is missing (66) or of no use (65).</exception>
    public static InitialParameters? ReadParameters(ModelOptions options)
    {
        if (options.InitializeFrom is not { } path) return null;
        try
        {
            return SnapshotReader.ReadInitialParameters(File.ReadAllBytes(path));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(
                ExitCode.InputMissing, $"learning.initialization.from: '{path}' cannot be read: {failure.Message}", failure);
        }
        catch (InvalidDataException failure)
        {
            throw new CommandException(ExitCode.DataCorrupt,
                $"learning.initialization.from: '{path}' holds no parameters to start at: {failure.Message}", failure);
        }
    }
}
