using StreamEm.Sources.Paths;
using StreamEm.Worker.Failures;

namespace StreamEm.Worker.Storage;

/// <summary>Files that a command writes.</summary>
internal static class OutputFile
{
    /// <summary>Refuses to write over what the same command reads, whatever its name.</summary>
    /// <param name="path">Where it would write; null nowhere.</param>
    /// <param name="inputs">Files and globs that it reads.</param>
    /// <exception cref="CommandException">It would (73).</exception>
    public static void RefuseInputs(string? path, IEnumerable<string> inputs)
    {
        if (path is null) return;
        var own = new OwnFiles([path], []);
        if (inputs.FirstOrDefault(input => own.ReadBy(input) is not null) is { } input)
            throw new CommandException(ExitCode.CannotCreate,
                $"'{path}' would be written over, and it is also read ('{input}'). Write to another file.");
    }

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
