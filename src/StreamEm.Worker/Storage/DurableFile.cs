using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace StreamEm.Worker.Storage;

/// <summary>
/// What .NET lacks to make a file survive a power cut: fsync of a directory, and an advisory lock that ends with the process.
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
    private const int WouldBlock = 11;
    private const int WouldBlockMac = 35;

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>
    /// The raw error number of a full disk, which is what <see cref="Exception.HResult"/> of an <see cref="IOException"/> holds.
    /// </summary>
    public const int NoSpaceLeft = 28;

    /// <summary>Creates a directory that only its owner may enter (0700); one that exists stays as it is.</summary>
    public static void CreateDirectory(string path)
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(path);
        else Directory.CreateDirectory(path, OwnerOnly | UnixFileMode.UserExecute);
    }

    /// <summary>Opens a file that, where it is created, only its owner may read and write (0600).</summary>
    public static FileStream Open(string path, FileMode mode, FileShare share)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.ReadWrite, Share = share, BufferSize = 0 };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = OwnerOnly;
        return new FileStream(path, options);
    }

    /// <summary>Makes renames and deletions in a directory durable.</summary>
    /// <exception cref="IOException">The kernel reports an error: what was renamed before may be lost, and must not be trusted.</exception>
    public static void SyncDirectory(string path)
    {
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsMacOS()) return;
        int descriptor = Open(path, OpenReadOnly | (OperatingSystem.IsLinux() ? OpenDirectory | OpenCloseOnExec : 0));
        if (descriptor < 0) throw Failure("open", path);
        try
        {
            if (Sync(descriptor) != 0) throw Failure("fsync", path);
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

    private static IOException Failure(string call, string path)
    {
        int error = Marshal.GetLastPInvokeError();
        return new IOException($"{call} of '{path}' failed: {Marshal.GetPInvokeErrorMessage(error)} (error {error}).", error);
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int Lock(int descriptor, int operation);
}
