using Microsoft.Win32.SafeHandles;
using StreamEm.Worker.Storage;

namespace StreamEm.Worker.Tests.Support;

/// <summary>
/// What a power cut would leave of a directory, in the strictest reading of POSIX: of a file the bytes of its last fsync, of a directory
/// the names of its last fsync. Fed with every step before it is taken.
/// </summary>
internal sealed class FragileDisk(string root)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Inode> _live = [];
    private readonly Dictionary<string, Inode> _names = [];

    /// <summary>The files there would be after a power cut before this step, with their bytes.</summary>
    public IReadOnlyDictionary<string, byte[]> Remains()
    {
        lock (_lock)
            return _names.Where(entry => !entry.Value.IsDirectory && IsReachable(entry.Key))
                .ToDictionary(entry => Path.GetRelativePath(root, entry.Key), entry => entry.Value.Bytes);
    }

    /// <summary>Notes what a step makes durable.</summary>
    public void Take(DurableStep step)
    {
        lock (_lock)
        {
            string path = Path.GetFullPath(step.Path);
            if (step.Act == DurableAct.Sync) At(path).Bytes = BytesOf(path);
            else if (step.Act == DurableAct.Delete) _live.Remove(path);
            else if (step.Act == DurableAct.SyncDirectory) TakeNames(path);
            else if (step.Act == DurableAct.Rename)
            {
                _live[path] = At(Path.GetFullPath(step.From!));
                _live.Remove(Path.GetFullPath(step.From!));
            }
        }
    }

    private void TakeNames(string directory)
    {
        foreach (string gone in _names.Keys.Where(name => Path.GetDirectoryName(name) == directory).ToList()) _names.Remove(gone);
        foreach (string file in Directory.EnumerateFiles(directory)) _names[file] = At(file);
        foreach (string inner in Directory.EnumerateDirectories(directory)) _names[inner] = new Inode { IsDirectory = true };
    }

    private Inode At(string path) => _live.TryGetValue(path, out Inode? inode) ? inode : _live[path] = new Inode();

    private bool IsReachable(string path)
    {
        string parent = Path.GetDirectoryName(path)!;
        return parent == root || (_names.ContainsKey(parent) && IsReachable(parent));
    }

    private static byte[] BytesOf(string path)
    {
        // The writer may have it for itself.
        using SafeFileHandle file = DurableFile.OpenUnlocked(path);
        byte[] bytes = new byte[RandomAccess.GetLength(file)];
        return RandomAccess.Read(file, bytes, 0) == bytes.Length ? bytes : throw new EndOfStreamException();
    }

    private sealed class Inode
    {
        public byte[] Bytes { get; set; } = [];

        public bool IsDirectory { get; init; }
    }
}
