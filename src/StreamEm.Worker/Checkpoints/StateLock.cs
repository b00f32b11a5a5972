using System.Globalization;
using System.Text;
using StreamEm.Worker.Commands;

namespace StreamEm.Worker.Checkpoints;

/// <summary>
/// The state directory belongs to one process: its <c>LOCK</c> file is locked while this object lives. The lock is the kernel's (flock), so a
/// killed process leaves none behind. Not to be trusted on network file systems.
/// </summary>
public sealed class StateLock : IDisposable
{
    private readonly FileStream _file;

    private StateLock(FileStream file) => _file = file;

    /// <summary>Creates the directory (mode 0700) where needed and locks it.</summary>
    /// <exception cref="CommandException">Another process has it, or it cannot be written (73).</exception>
    public static StateLock Acquire(string directory)
    {
        string path = Path.Combine(directory, "LOCK");
        FileStream? file = null;
        try
        {
            DurableFile.CreateDirectory(directory);
            file = DurableFile.Open(path, FileMode.OpenOrCreate, FileShare.ReadWrite);
            if (DurableFile.TryLock(file))
            {
                WriteOwner(file);
                return new StateLock(file);
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            file?.Dispose();
            throw new CommandException(ExitCode.CannotCreate,
                $"The state directory '{directory}' cannot be used: {failure.Message} Set state_directory to a directory this user may write.", failure);
        }

        string owner = ReadOwner(file);
        file.Dispose();
        throw new CommandException(ExitCode.CannotCreate,
            $"The state directory '{directory}' is in use by another streamem{owner}. Stop that one first, or give this one a state_directory of its own.");
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static void WriteOwner(FileStream file)
    {
        file.SetLength(0);
        file.Write(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}\n")));
        file.Flush();
    }

    private static string ReadOwner(FileStream file)
    {
        Span<byte> text = stackalloc byte[32];
        int length = file.Read(text);
        return int.TryParse(Encoding.UTF8.GetString(text[..length]), CultureInfo.InvariantCulture, out int process)
            ? string.Create(CultureInfo.InvariantCulture, $" (process {process})")
            : "";
    }
}
