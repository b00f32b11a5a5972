using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace StreamEm.Worker.Configuration.Text;

/// <summary>
/// Files that hold a configuration or a secret: regular and small. A pipe, a socket or a terminal is refused without waiting for what it
/// might say, and of a device no more is read than a file may hold.
/// </summary>
internal static partial class SmallFile
{
    private const int LinuxNonBlocking = 0x800, LinuxCloseOnExec = 0x80000;
    private const int MacNonBlocking = 4, MacCloseOnExec = 0x1000000;

    /// <summary>Reads a text.</summary>
    /// <param name="path">The file; links are followed, as containers mount secrets by them.</param>
    /// <param name="most">The most bytes it may hold.</param>
    /// <param name="problem">What is wrong with the file; null when it was read.</param>
    /// <returns>The text; empty when there is a problem.</returns>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static string Read(string path, int most, out string? problem)
    {
        using SafeFileHandle handle = Open(path);
        using var stream = new FileStream(handle, FileAccess.Read, bufferSize: 0);
        problem = stream.CanSeek ? null : "is no regular file; expected one";
        if (problem is not null) return "";
        // What tells no length, as devices do, may hold anything.
        byte[] bytes = new byte[(stream.Length == 0 ? most : Math.Min(stream.Length, most)) + 1];
        int length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        if (length > most) problem = $"holds {(stream.Length > most ? $"{stream.Length} bytes" : "more")}; at most {most} are allowed";
        if (problem is not null) return "";
        using var text = new StreamReader(new MemoryStream(bytes, 0, length), Encoding.UTF8);
        return text.ReadToEnd();
    }

    private static SafeFileHandle Open(string path)
    {
        int flags = OperatingSystem.IsLinux() ? LinuxNonBlocking | LinuxCloseOnExec
            : OperatingSystem.IsMacOS() ? MacNonBlocking | MacCloseOnExec : -1;
        int descriptor = flags < 0 || path.Contains('\0', StringComparison.Ordinal) ? -1 : Open(path, flags);
        // What cannot be opened is opened once more by the runtime, which says why not.
        return descriptor < 0 ? File.OpenHandle(path) : new SafeFileHandle(descriptor, ownsHandle: true);
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);
}
