using StreamEm.Worker.Failures;

namespace StreamEm.Worker.Storage;

/// <summary>Files that a command writes.</summary>
internal static class OutputFile
{
    /// <summary>A new or emptied file; directories are created.</summary>
    /// <exception cref="CommandException">It cannot be written (74).</exception>
    public static Stream Create(string path)
    {
        try
        {
            if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } directory) Directory.CreateDirectory(directory);
            return new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, 1 << 16);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.InputOutput, $"'{path}' cannot be written: {failure.Message}", failure);
        }
    }
}
