using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace StreamEm.Worker.Storage;

/// <summary>
/// The steps by which a file survives a power cut - write, fsync, rename, fsync of the directory - and an advisory lock that ends with the
/// process. Whatever has to be durable is done through here, so that a test can see the order of the steps and make one fail.
/// </summary>
internal static partial class DurableFile
{
    private const int OpenReadOnly = 0;
    private const int OpenReadWrite = 2;
    private const int OpenDirectory = 0x10000;
    private const int OpenCloseOnExec = 0x80000;
    private const int OpenNoFollow = 0x20000;
    private const int OpenNoFollowArm = 0x8000;
    private const int OpenNoFollowMac = 0x100;
    private const int LockExclusive = 2;
    private const int LockNonBlocking = 4;
    private const int Invalid = 22;
    private const int WouldBlock = 11;
    private const int WouldBlockMac = 35;
    private const int Denied = 13, NoLocks = 37, NotSupported = 95;
    private const int SetOpenFileLock = 37;
    private const short WriteLock = 1;

    /// <summary>The mode of a file that only its owner may read and write (0600).</summary>
    public const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>The mode of a file that its owner may write and the group may read (0640).</summary>
    public const UnixFileMode GroupReads = OwnerOnly | UnixFileMode.GroupRead;

    /// <summary>
    /// The raw error number of a full disk, which is what <see cref="Exception.HResult"/> of an <see cref="IOException"/> holds.
    /// </summary>
    public const int NoSpaceLeft = 28;

    /// <summary>The mode of a directory that only its owner may enter (0700).</summary>
    public const UnixFileMode PrivateDirectory = OwnerOnly | UnixFileMode.UserExecute;

    /// <summary>
    /// Told of every step before it is taken, in the flow of execution that set it and in all that this starts; what it throws happens in
    /// the step's place. Null outside tests: a step that is missing or comes too late shows after a power cut and never before.
    /// </summary>
    public static AsyncLocal<Action<DurableStep>?> Watcher { get; } = new();

    /// <summary>Creates a directory and those above it that are missing, durably; one that exists stays as it is.</summary>
    /// <param name="path">The directory.</param>
    /// <param name="mode">Who may enter it; null leaves that to the umask.</param>
    /// <exception cref="IOException">It cannot be created or made durable.</exception>
    public static void CreateDirectory(string path, UnixFileMode? mode)
    {
        var created = new List<string>();
        for (string? directory = Path.GetFullPath(path); directory is not null && !Directory.Exists(directory);
            directory = Path.GetDirectoryName(directory))
            created.Add(directory);
        if (mode is null || OperatingSystem.IsWindows()) Directory.CreateDirectory(path);
        else Directory.CreateDirectory(path, mode.Value);
        // Whatever the umask takes away.
        if (mode is { } exact && created.Count > 0 && !OperatingSystem.IsWindows()) File.SetUnixFileMode(path, exact);
        foreach (string directory in created) SyncDirectory(Path.GetDirectoryName(directory)!);
    }

    /// <summary>Opens a file that, where it is created, only its owner may read and write (0600).</summary>
    public static FileStream Open(string path, FileMode mode, FileShare share)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.ReadWrite, Share = share, BufferSize = 0 };
        // A mode to create with is refused where nothing can be created.
        if (mode != FileMode.Open && !OperatingSystem.IsWindows()) options.UnixCreateMode = OwnerOnly;
        var file = new FileStream(path, options);
        if (mode == FileMode.CreateNew) SetMode(file.SafeFileHandle, OwnerOnly);
        return file;
    }

    /// <summary>
    /// Opens a file for reading and writing that others may open too; where it is created it has a mode, whatever the umask.
    /// </summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static SafeFileHandle OpenShared(string path, UnixFileMode mode)
    {
        const FileShare share = FileShare.ReadWrite | FileShare.Delete;
        // A link that leads nowhere yet is one to the file that is to be made.
        if (!File.Exists(path) && new FileInfo(path).LinkTarget is not null)
            path = File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
        // Two steps, so that the mode of a file that is there is left as it is.
        for (bool isThere = File.Exists(path); ; isThere = true)
        {
            try
            {
                if (isThere) return File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, share);
                var options = new FileStreamOptions
                {
                    Mode = FileMode.CreateNew,
                    Access = FileAccess.ReadWrite,
                    Share = share,
                    BufferSize = 0
                };
                if (!OperatingSystem.IsWindows()) options.UnixCreateMode = OwnerOnly;
                using var created = new FileStream(path, options);
                SetMode(created.SafeFileHandle, mode);
            }
            catch (IOException) when (!isThere && File.Exists(path))
            {
                // Another process was first.
            }
        }
    }

    /// <summary>Writes a file anew, whole or not at all, so that it survives a power cut once its directory is synchronised.</summary>
    /// <exception cref="IOException">It cannot be written; what was there is.</exception>
    public static void Replace(string path, ReadOnlySpan<byte> bytes)
    {
        string temporary = path + ".tmp";
        Delete(temporary);
        using (FileStream file = Open(temporary, FileMode.CreateNew, FileShare.None))
        {
            Write(file.SafeFileHandle, temporary, bytes, 0);
            Sync(file.SafeFileHandle, temporary);
        }

        Tell(new DurableStep(DurableAct.Rename, path, temporary));
        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>Writes bytes at a place of a file; they are durable after <see cref="Sync(SafeFileHandle, string)"/>.</summary>
    public static void Write(SafeFileHandle file, string path, ReadOnlySpan<byte> bytes, long offset)
    {
        Tell(new DurableStep(DurableAct.Write, path));
        RandomAccess.Write(file, bytes, offset);
    }

    /// <summary>Makes what was written to a file durable, as far as it is kept anywhere: a device has nothing to force.</summary>
    /// <exception cref="IOException">The kernel reports an error: what was written before may be lost, and must not be trusted.</exception>
    public static void Sync(SafeFileHandle file, string path)
    {
        Tell(new DurableStep(DurableAct.Sync, path));
        // Not the runtime's own call, which takes some errors for success.
        if (!OperatingSystem.IsLinux()) RandomAccess.FlushToDisk(file);
        else if (SyncFile(file) != 0 && Marshal.GetLastPInvokeError() != Invalid) throw Failure("fsync", path);
    }

    /// <summary>Gives a file a name that no other has; durable after <see cref="SyncDirectory"/>.</summary>
    public static void Rename(string from, string to)
    {
        Tell(new DurableStep(DurableAct.Rename, to, from));
        File.Move(from, to);
    }

    /// <summary>Deletes a file if it is there.</summary>
    public static void Delete(string path)
    {
        Tell(new DurableStep(DurableAct.Delete, path));
        File.Delete(path);
    }

    /// <summary>Makes the names in a directory durable: what was created, renamed and deleted there.</summary>
    /// <returns>False where its file system knows no such thing, as some network file systems do not: names are durable there, or
    /// nothing can make them so.</returns>
    /// <exception cref="IOException">The kernel reports an error: what was renamed before may be lost, and must not be trusted.</exception>
    public static bool SyncDirectory(string path)
    {
        Tell(new DurableStep(DurableAct.SyncDirectory, path));
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsMacOS()) return false;
        int descriptor = Open(path, OpenReadOnly | (OperatingSystem.IsLinux() ? OpenDirectory | OpenCloseOnExec : 0));
        if (descriptor < 0) throw Failure("open", path);
        try
        {
            if (SyncDescriptor(descriptor) == 0) return true;
            return Marshal.GetLastPInvokeError() == Invalid ? false : throw Failure("fsync", path);
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    /// <summary>
    /// Opens a file for reading and writing without the lock that .NET takes on every file it opens; a link in its place is not followed.
    /// </summary>
    public static SafeFileHandle OpenUnlocked(string path)
    {
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsMacOS())
            return File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        int noFollow = !OperatingSystem.IsLinux() ? OpenNoFollowMac
            : RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm ? OpenNoFollowArm : OpenNoFollow;
        int descriptor = Open(path, OpenReadWrite | noFollow | (OperatingSystem.IsLinux() ? OpenCloseOnExec : 0));
        return descriptor < 0 ? throw Failure("open", path) : new SafeFileHandle(descriptor, ownsHandle: true);
    }

    /// <summary>Takes the exclusive lock of an open file; the kernel gives it back when the process ends, however it ends.</summary>
    /// <returns>False when another process holds it.</returns>
    public static bool TryLock(SafeFileHandle file, string path)
    {
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsMacOS()) return true;
        if (Lock((int)file.DangerousGetHandle(), LockExclusive | LockNonBlocking) == 0) return true;
        if (Marshal.GetLastPInvokeError() == (OperatingSystem.IsLinux() ? WouldBlock : WouldBlockMac)) return false;
        throw Failure("flock", path);
    }

    /// <summary>
    /// Takes the right to write an open file, for as long as it is open: of the programs that ask so, one at a time has it. Readers, and
    /// programs that do not ask, are not held up.
    /// </summary>
    /// <returns>False when it was taken already, in this process or in another.</returns>
    public static bool TryOwn(SafeFileHandle file, string path)
    {
        if (!OperatingSystem.IsLinux()) return true;
        var whole = new FileRange { Kind = WriteLock };
        if (Control(file, SetOpenFileLock, ref whole) == 0) return true;
        int error = Marshal.GetLastPInvokeError();
        if (error is WouldBlock or Denied) return false;
        // A file system that knows no locks: as if nobody asked.
        return error is Invalid or NoLocks or NotSupported ? true : throw Failure("fcntl", path);
    }

    private static void SetMode(SafeFileHandle file, UnixFileMode mode)
    {
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(file, mode);
    }

    private static void Tell(DurableStep step) => Watcher.Value?.Invoke(step);

    private static IOException Failure(string call, string path)
    {
        int error = Marshal.GetLastPInvokeError();
        return new IOException($"{call} of '{path}' failed: {Marshal.GetPInvokeErrorMessage(error)} (error {error}).", error);
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int SyncDescriptor(int descriptor);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int SyncFile(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int Lock(int descriptor, int operation);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Control(SafeFileHandle file, int command, ref FileRange range);

    /// <summary>Linux's <c>struct flock</c> where a <c>long</c> has 64 bits; all zero but the kind: the whole file.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 32)]
    private struct FileRange
    {
        [FieldOffset(0)]
        public short Kind;
    }
}
