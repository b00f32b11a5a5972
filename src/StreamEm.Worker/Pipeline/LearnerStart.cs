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
    public static Learner Create(ModelOptions options) => Create(options, out _);

    /// <summary>The same.</summary>
    /// <param name="options">The configuration.</param>
    /// <param name="parent">The snapshot it begins at; null where it begins at none, or at one that does not say what it is.</param>
    /// <exception cref="CommandException">As above.</exception>
    public static Learner Create(ModelOptions options, out SnapshotParent? parent)
    {
        InitialParameters? from = ReadParameters(options);
        parent = from?.Parent;
        try
        {
            return new Learner(options.Model, options.Schema, options.Learning, from);
        }
        catch (Exception failure) when (from is not null && failure is ArgumentException or ArithmeticException)
        {
            throw new CommandException(ExitCode.DataCorrupt,
                $"learning.initialization.from: '{options.InitializeFrom}' does not fit model '{options.Id}': {failure.Message}", failure);
        }
        catch (ArgumentException failure)
        {
            throw new CommandException(ExitCode.Configuration, $"Model '{options.Id}': {failure.Message}", failure);
        }
    }

    /// <summary>The object of a file, or the last line of a published log.</summary>
    private static ReadOnlyMemory<byte> LastOfLog(byte[] bytes)
    {
        ReadOnlySpan<byte> text = bytes.AsSpan().TrimEnd("\r\n "u8);
        int last = text.LastIndexOf("\n{\"format\""u8);
        return last < 0 ? bytes.AsMemory(0, text.Length) : bytes.AsMemory(last + 1, text.Length - last - 1);
    }

    /// <summary>The parameters in the file that <c>learning.initialization.from</c> names; null when it names none.</summary>
    /// <exception cref="CommandException">The file is missing (66) or of no use (65).</exception>
    public static InitialParameters? ReadParameters(ModelOptions options)
    {
        if (options.InitializeFrom is not { } path) return null;
        try
        {
            return SnapshotReader.ReadInitialParameters(
                RemoteSnapshot.IsAddress(path) ? RemoteSnapshot.Read(path, options) : LastOfLog(File.ReadAllBytes(path)));
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
