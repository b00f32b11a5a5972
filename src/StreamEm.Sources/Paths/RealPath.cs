using System.Runtime.InteropServices;
using System.Text;

namespace StreamEm.Sources.Paths;

/// <summary>Where a path leads when every link in it is followed.</summary>
public static class RealPath
{
    /// <summary>Of a path that leads to something; its absolute text where the system does not tell or nothing is there.</summary>
    internal static string Of(string path) => Resolve(path) ?? Path.GetFullPath(path);

    /// <summary>Of a path that may lead to nothing yet: its folder's, as far as that is there, and the rest as written.</summary>
    public static string OfNew(string path)
    {
        string full = Path.GetFullPath(path);
        if (Resolve(full) is { } known) return known;
        return Path.GetDirectoryName(full) is { } folder ? Path.Combine(OfNew(folder), Path.GetFileName(full)) : full;
    }

    /// <summary>Whether a path without links lies in a folder without links.</summary>
    internal static bool IsWithin(string path, string folder) =>
        path.StartsWith(folder.EndsWith('/') ? folder : folder + "/", StringComparison.Ordinal);

    private static unsafe string? Resolve(string path)
    {
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsMacOS()) return null;
        byte[] name = Encoding.UTF8.GetBytes(path + '\0');
        nint resolved;
        fixed (byte* pointer = name) resolved = NativeMethods.Resolve(pointer, 0);
        if (resolved == 0) return null;
        string text = Marshal.PtrToStringUTF8(resolved)!;
        NativeMemory.Free((void*)resolved);
        return text;
    }

    private static unsafe class NativeMethods
    {
        [DllImport("libc", EntryPoint = "realpath")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern nint Resolve(byte* path, nint into);
    }
}
