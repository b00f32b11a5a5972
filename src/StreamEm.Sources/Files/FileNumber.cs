using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace StreamEm.Sources.Files;

/// <summary>
/// Device and inode: the file itself, whatever its name, and how many names it has left. Only Linux tells; elsewhere all files are
/// <see cref="Unknown"/>.
/// </summary>
internal readonly record struct FileNumber(ulong Device, ulong Inode)
{
    private const int CurrentFolder = -100, EmptyPath = 0x1000;
    private const uint LinksAndInode = 0x104;
    private const int StatBytes = 256, LinksAt = 16, InodeAt = 32, DeviceMajorAt = 136, DeviceMinorAt = 140;

    /// <summary>Where the system does not tell.</summary>
    public static FileNumber Unknown => default;

    /// <summary>Of the file a path leads to now; null when there is none.</summary>
    public static FileNumber? Of(string path)
    {
        if (!OperatingSystem.IsLinux()) return File.Exists(path) ? Unknown : null;
        return Read(CurrentFolder, path, flags: 0, out _);
    }

    /// <summary>Of an open file.</summary>
    /// <param name="file">The file.</param>
    /// <param name="isDeleted">Whether it has no name any more.</param>
    public static FileNumber Of(SafeFileHandle file, out bool isDeleted)
    {
        isDeleted = false;
        if (!OperatingSystem.IsLinux()) return Unknown;
        bool added = false;
        try
        {
            file.DangerousAddRef(ref added);
            return Read((int)file.DangerousGetHandle(), "", EmptyPath, out isDeleted) ?? Unknown;
        }
        finally
        {
            if (added) file.DangerousRelease();
        }
    }

    private static unsafe FileNumber? Read(int folder, string path, int flags, out bool isDeleted)
    {
        isDeleted = false;
        Span<byte> stat = stackalloc byte[StatBytes];
        byte[] name = Encoding.UTF8.GetBytes(path + '\0');
        fixed (byte* namePointer = name)
        fixed (byte* statPointer = stat)
        {
            if (NativeMethods.Statx(folder, namePointer, flags, LinksAndInode, statPointer) != 0) return null;
        }
        isDeleted = MemoryMarshal.Read<uint>(stat[LinksAt..]) == 0;
        ulong device = ((ulong)MemoryMarshal.Read<uint>(stat[DeviceMajorAt..]) << 32) | MemoryMarshal.Read<uint>(stat[DeviceMinorAt..]);
        return new FileNumber(device, MemoryMarshal.Read<ulong>(stat[InodeAt..]));
    }

    private static unsafe class NativeMethods
    {
        [DllImport("libc", EntryPoint = "statx")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern int Statx(int folder, byte* path, int flags, uint mask, byte* stat);
    }
}
