using StreamEm.Sources.Paths;

namespace StreamEm.Sources.Files;

/// <summary>
/// Finds files that are no longer at a path of the configuration: an open one is read on until it is deleted or, once its name belongs to
/// another file, has been still for a while; one that was renamed while nobody was looking is searched for in its folder.
/// </summary>
/// <param name="own">What the worker writes, which is not searched.</param>
/// <param name="time">The clock.</param>
internal sealed class LostFiles(OwnFiles own, TimeProvider time)
{
    /// <summary>How long a writer may go on with a file whose name was given to another one.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>How many times the name of a file was found given to another file.</summary>
    public int Rotations { get; private set; }

    /// <summary>Whether a file can still be read though it is not among those found.</summary>
    public bool TryFollow(KnownFile file, List<FoundFile> found)
    {
        if (file.SetAside is not null || (file.File is null && !Search(file, found))) return false;
        FileStatus before = file.Status;
        file.Observe(file.File!.Status);
        if (!file.IsUnchanged && !StillHolds(file)) return false;
        file.Checked = file.Status;
        if (file.Status.Links == 0)
        {
            file.IsComplete = true;
        }
        else if (file.RotatedAt is not null || IsTaken(file, found))
        {
            if (file.RotatedAt is null) Rotations++;
            if (file.RotatedAt is null || before.Length != file.Status.Length) file.RotatedAt = time.GetTimestamp();
            else if (time.GetElapsedTime(file.RotatedAt.Value) >= Patience) file.IsComplete = true;
        }
        return true;
    }

    private static bool StillHolds(KnownFile file)
    {
        try
        {
            return file.HoldsWhatWasRead();
        }
        catch (SourceException)
        {
            return false;
        }
    }

    private static bool IsTaken(KnownFile file, List<FoundFile> found)
    {
        string path = PartitionNames.PathOf(file.Name);
        return found.Exists(other => other.Path == path);
    }

    /// <summary>Opens the file in its folder, where it may have another name; or a copy of it under a similar name.</summary>
    private bool Search(KnownFile file, List<FoundFile> found)
    {
        string path = PartitionNames.PathOf(file.Name), folder = Path.GetDirectoryName(Path.GetFullPath(path)) ?? "/";
        var read = found.Select(other => Path.GetFullPath(other.Path)).ToHashSet(StringComparer.Ordinal);
        string stem = Path.GetFileNameWithoutExtension(path);
        foreach (string sibling in FilePaths.Matches(Path.Combine(folder, "*")).Where(path => !read.Contains(path)))
        {
            if (FileStatus.Of(sibling) is not { Kind: FileKind.Regular } status || own.Find(sibling) is not null) continue;
            bool isSame = file.Number.IsKnown && status.Number == file.Number;
            bool isSimilar = file.IsNamed && Path.GetFileName(sibling).StartsWith(stem, StringComparison.Ordinal);
            if ((isSame || isSimilar) && IsIt(file, sibling, isSame, status)) return true;
        }
        return false;
    }

    private bool IsIt(KnownFile file, string sibling, bool isSame, in FileStatus status)
    {
        try
        {
            if (isSame) return OpensAsItWas(file, sibling);
            using OpenFile? copy = OpenFile.TryOpen(sibling);
            if (copy is null || !IsCopy(file, copy)) return false;
            file.Adopt(new FoundFile(sibling, status, IsNamed: false));
            file.Lose();
            if (!OpensAsItWas(file, sibling)) return false;
            Rotations++;
            file.RotatedAt = time.GetTimestamp();
            file.IsComplete = file.IsPacked;
            return true;
        }
        catch (SourceException)
        {
            file.Dispose();
            return false;
        }
    }

    private static bool OpensAsItWas(KnownFile file, string path)
    {
        if (file.TryOpen(path) && file.HoldsWhatWasRead()) return true;
        file.Dispose();
        return false;
    }

    private static bool IsCopy(KnownFile file, OpenFile copy)
    {
        if (file.IsOldTextOf(copy)) return true;
        return file.Evidence.Length > 0 && copy.Attempt(() =>
        {
            using FileText text = copy.NewText();
            return TextMatch.Longest(text, [file.Evidence]) == 0;
        });
    }
}
