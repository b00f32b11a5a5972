using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;
using StreamEm.Worker.Failures;

namespace StreamEm.Worker.Storage;

/// <summary>
/// The state directory belongs to one process: its <c>LOCK</c> file is locked while this object lives. The lock is the kernel's (flock), so
/// a killed process leaves none behind. Not to be trusted on network file systems.
/// </summary>
public sealed class StateLock : IDisposable
{
    private readonly SafeFileHandle _file;

    private StateLock(SafeFileHandle file) => _file = file;

    /// <summary>Creates the directory (mode 0700) where needed and locks it.</summary>
    /// <exception cref="CommandException">Another process has it, it cannot be written, or anybody may write it (73).</exception>
    public static StateLock Acquire(string directory)
    {
        string path = Path.Combine(directory, "LOCK");
        SafeFileHandle? file = null;
        try
        {
            DurableFile.CreateDirectory(directory, DurableFile.PrivateDirectory);
            RefuseOpenToOthers(directory);
            if (!Path.Exists(path)) Create(path);
            file = DurableFile.OpenUnlocked(path);
            if (DurableFile.TryLock(file, path))
            {
                WriteOwner(file);
                return new StateLock(file);
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            file?.Dispose();
            throw new CommandException(ExitCode.CannotCreate,
                $"The state directory '{directory}' cannot be used: {failure.Message} Set state_directory to a directory this user may "
                    + "write.", failure);
        }

        string owner = ReadOwner(file);
        file.Dispose();
        throw new CommandException(ExitCode.CannotCreate,
            $"The state directory '{directory}' is in use by another streamem{owner}. Stop that one first, or give this one a "
                + "state_directory of its own.");
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    /// <summary>
    /// Whoever may write the directory may give the worker another state. The group may: it is how volumes are shared with a container.
    /// </summary>
    /// <exception cref="CommandException">Anybody may (73).</exception>
    public static void RefuseOpenToOthers(string directory)
    {
        if (OperatingSystem.IsWindows() || !File.GetUnixFileMode(directory).HasFlag(UnixFileMode.OtherWrite)) return;
        throw new CommandException(ExitCode.CannotCreate,
            $"Any user may write the state directory '{directory}'. Take that right away (chmod o-w), or set state_directory to a "
                + "directory within it, which is made for this user alone.");
    }

    private static void Create(string path)
    {
        try
        {
            DurableFile.Open(path, FileMode.CreateNew, FileShare.ReadWrite).Dispose();
        }
        catch (IOException) when (Path.Exists(path))
        {
            // Another process was first: it is locked by one of the two.
        }
    }

    private static void WriteOwner(SafeFileHandle file)
    {
        RandomAccess.SetLength(file, 0);
        RandomAccess.Write(file, Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}\n")), 0);
    }

    private static string ReadOwner(SafeFileHandle file)
    {
        Span<byte> text = stackalloc byte[32];
        int length = RandomAccess.Read(file, text, 0);
        return int.TryParse(Encoding.UTF8.GetString(text[..length]), CultureInfo.InvariantCulture, out int process)
            ? string.Create(CultureInfo.InvariantCulture, $" (process {process})")
            : "";
    }
}
