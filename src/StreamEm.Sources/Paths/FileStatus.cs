using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace StreamEm.Sources.Paths;

/// <summary>What kind of thing a path leads to.</summary>
public enum FileKind
{
    /// <summary>A file with content of its own: the only kind that is read.</summary>
    Regular,

    /// <summary>A folder.</summary>
    Folder,

    /// <summary>A FIFO, or a pipe.</summary>
    Fifo,

    /// <summary>A socket.</summary>
    Socket,

    /// <summary>A character or block device.</summary>
    Device,

    /// <summary>Something else.</summary>
    Other,
}

/// <summary>Device and inode: the file itself, whatever its name. Only Linux tells; elsewhere all files are
/// <see cref="Unknown"/>.</summary>
public readonly record struct FileNumber(ulong Device, ulong Inode)
{
    /// <summary>Where the system does not tell, and of a file that is no more.</summary>
    public static FileNumber Unknown => default;

    /// <summary>Whether the system told it.</summary>
    public bool IsKnown => this != Unknown;

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Device:x}:{Inode:x}");
}

/// <summary>What the system says of a file, without opening it.</summary>
/// <param name="Number">Which file it is.</param>
/// <param name="Kind">What kind of file.</param>
/// <param name="Links">How many names it has left.</param>
/// <param name="Length">Its length on disk in bytes.</param>
/// <param name="Modified">When its content was last written; a number that differs when the time does.</param>
/// <param name="Changed">When anything of it last changed, its content or its names; likewise.</param>
public readonly record struct FileStatus(FileNumber Number, FileKind Kind, uint Links, long Length, Int128 Modified, Int128 Changed)
{
    private const int CurrentFolder = -100, EmptyPath = 0x1000;
    private const uint BasicStats = 0x7FF;
    private const int StatBytes = 256, LinksAt = 16, ModeAt = 28, InodeAt = 32, LengthAt = 40, ChangedAt = 96, ModifiedAt = 112;
    private const int DeviceMajorAt = 136, DeviceMinorAt = 140;
    private const int KindBits = 0xF000;

    /// <summary>Of what a path leads to now, links followed; null when there is nothing.</summary>
    public static FileStatus? Of(string path)
    {
        if (OperatingSystem.IsLinux()) return Read(CurrentFolder, path, flags: 0);
        if (Directory.Exists(path)) return new FileStatus(FileNumber.Unknown, FileKind.Folder, 1, 0, 0, 0);
        var file = new FileInfo(path);
        return file.Exists ? Portable(file.Length, file.LastWriteTimeUtc) : null;
    }

    /// <summary>Of an open file.</summary>
    public static FileStatus Of(SafeFileHandle file)
    {
        if (!OperatingSystem.IsLinux()) return Portable(RandomAccess.GetLength(file), File.GetLastWriteTimeUtc(file));
        bool added = false;
        try
        {
            file.DangerousAddRef(ref added);
            return Read((int)file.DangerousGetHandle(), "", EmptyPath) ?? default;
        }
        finally
        {
            if (added) file.DangerousRelease();
        }
    }

    /// <summary>What a kind is called in a message.</summary>
    public static string NameOf(FileKind kind) => kind switch
    {
        FileKind.Regular => "a regular file",
        FileKind.Folder => "a folder",
        FileKind.Fifo => "a FIFO",
        FileKind.Socket => "a socket",
        FileKind.Device => "a device",
        _ => "no regular file",
    };

    private static FileStatus Portable(long length, DateTime modified) =>
        new(FileNumber.Unknown, FileKind.Regular, 1, length, modified.Ticks, modified.Ticks);

    private static unsafe FileStatus? Read(int folder, string path, int flags)
    {
        Span<byte> stat = stackalloc byte[StatBytes];
        byte[] name = Encoding.UTF8.GetBytes(path + '\0');
        fixed (byte* namePointer = name)
        fixed (byte* statPointer = stat)
        {
            if (NativeMethods.Statx(folder, namePointer, flags, BasicStats, statPointer) != 0) return null;
        }
        ulong device = ((ulong)MemoryMarshal.Read<uint>(stat[DeviceMajorAt..]) << 32) | MemoryMarshal.Read<uint>(stat[DeviceMinorAt..]);
        return new FileStatus(
            new FileNumber(device, MemoryMarshal.Read<ulong>(stat[InodeAt..])),
            KindOf(MemoryMarshal.Read<ushort>(stat[ModeAt..])),
            MemoryMarshal.Read<uint>(stat[LinksAt..]),
            MemoryMarshal.Read<long>(stat[LengthAt..]),
            Time(stat[ModifiedAt..]),
            Time(stat[ChangedAt..]));
    }

    private static Int128 Time(ReadOnlySpan<byte> stat) =>
        (Int128)MemoryMarshal.Read<long>(stat) * 1_000_000_000 + MemoryMarshal.Read<uint>(stat[8..]);

    private static FileKind KindOf(ushort mode) => (mode & KindBits) switch
    {
        0x8000 => FileKind.Regular,
        0x4000 => FileKind.Folder,
        0x1000 => FileKind.Fifo,
        0xC000 => FileKind.Socket,
        0x2000 or 0x6000 => FileKind.Device,
        _ => FileKind.Other,
    };

    private static unsafe class NativeMethods
    {
        [DllImport("libc", EntryPoint = "statx")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern int Statx(int folder, byte* path, int flags, uint mask, byte* stat);
    }
}
