using StreamEm.Sources.Paths;

namespace StreamEm.Sources.Files;

/// <summary>
/// What becomes of files that are not known: begun; read on as the copy of one that is gone; or, for a while, held, because a compressed
/// file is still being written, or because it looks like a copy of one that is there, which may be about to be truncated or deleted.
/// </summary>
/// <param name="past">The files that are gone.</param>
/// <param name="aside">Takes what cannot be read.</param>
/// <param name="time">The clock.</param>
/// <param name="isEndless">Whether there will be another look; without, nothing is held.</param>
internal sealed class Newcomers(PastFiles past, SetAsideFiles aside, TimeProvider time, bool isEndless)
{
    /// <summary>A text that is copied grows at least so fast.</summary>
    private const double BytesCopiedPerSecond = 20e6;

    private readonly Dictionary<string, Unfinished> _unfinished = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Path, FileNumber Number), Suspect> _suspects = [];

    /// <summary>How long what looks like a copy is held at least, and an unfinished file before it is told of.</summary>
    internal static TimeSpan Patience => LostFiles.Patience;

    /// <summary>Takes the files that are not known to those that are, unless they have to wait.</summary>
    /// <exception cref="SourceException">A file named by itself cannot be read, and was not expected to.</exception>
    public void Begin(List<FoundFile> fresh, List<KnownFile> files, bool isFirst)
    {
        var numbers = files.Select(file => file.Number).Where(number => number.IsKnown).ToHashSet();
        foreach (FoundFile item in fresh)
        {
            if (item.Status.Length == 0 || aside.Holds(item.Path, item.Status) || numbers.Contains(item.Status.Number)) continue;
            try
            {
                if (Taken(item, files) is not { } file) continue;
                files.Add(file);
                if (file.Number.IsKnown) numbers.Add(file.Number);
            }
            catch (SourceException failure) when (!item.IsNamed || (isEndless && !isFirst))
            {
                aside.Add(item.Path, item.Status, failure);
            }
        }
        var there = fresh.Select(item => item.Path).ToHashSet(StringComparer.Ordinal);
        foreach ((string Path, FileNumber Number) key in _suspects.Keys.Where(key => !there.Contains(key.Path)).ToList())
            _suspects.Remove(key);
    }

    /// <summary>
    /// Whether a compressed file is there to its end. One that is not may still be being written; when it has not changed for a while it is
    /// told of.
    /// </summary>
    /// <exception cref="SourceException">It is not, and there will not be another look; or it cannot be read.</exception>
    public bool IsWhole(in FoundFile item, OpenFile file)
    {
        if (!isEndless && item.IsNamed) return true;
        string path = item.Path;
        if (_unfinished.TryGetValue(path, out Unfinished? before))
        {
            bool isStill = before.Status == item.Status;
            if (!isStill) _unfinished[path] = new Unfinished(item.Status, time.GetTimestamp(), null);
            else if (before.Failure is not null && time.GetElapsedTime(before.Since) >= Patience)
                aside.Add(path, item.Status, before.Failure);
            if (!isStill || before.Failure is not null) return false;
        }
        try
        {
            ReadToEnd(file);
            _unfinished.Remove(path);
            return true;
        }
        catch (SourceException failure) when (isEndless && failure.Failure == SourceFailure.Changed)
        {
            _unfinished[path] = new Unfinished(item.Status, time.GetTimestamp(), failure);
            return false;
        }
    }

    private KnownFile? Taken(in FoundFile item, List<KnownFile> files)
    {
        using OpenFile? file = OpenFile.TryOpen(item.Path);
        if (file is null || file.Number != item.Status.Number || (file.IsPacked && !IsWhole(item, file))) return null;
        string path = item.Path;
        if (past.OriginalOf(file) is { } original)
        {
            // One that is just going, and is still read to its end, may be more of it.
            if (isEndless && IsHeld(item, file, files.Where(known => known.Path is null && known.KnownLength > original.Evidence.Length)))
                return null;
            past.Remove(original);
            original.Adopt(item);
            return original.TryOpen() && original.HoldsWhatWasRead() ? original.AsChecked() : null;
        }
        if (ShorterCopy(item, file) is { } copy) return copy;
        if (isEndless && IsHeld(item, file, files)) return null;
        KnownFile? before = files.FirstOrDefault(known => known.Name == path) ?? past.Files.LastOrDefault(known => known.Name == path);
        return new KnownFile(item) { Columns = before?.Columns, IsSuccessor = before is not null }.AsChecked();
    }

    /// <summary>
    /// The copy of a file that went on growing, and being read, between copy and truncation: it was seen to be a beginning of that file
    /// while both were there. That file stays among the past ones: what only began like it must not hide the whole copy that is still to
    /// come.
    /// </summary>
    private KnownFile? ShorterCopy(in FoundFile item, OpenFile file)
    {
        if (!_suspects.TryGetValue((item.Path, item.Status.Number), out Suspect? suspect)) return null;
        if (suspect.Original is not { } original || !past.Files.Contains(original) || item.Status.Length != suspect.Length) return null;
        // A copy has another name: what has this one now is the next file, which may well begin with the same records.
        if (PartitionNames.PathOf(original.Name) == item.Path) return null;
        var copy = new KnownFile(item) { Columns = original.Columns, HasNoHeader = original.HasNoHeader, IsInState = original.IsInState };
        copy.Skip(file, Math.Min(original.Next, suspect.Length));
        return copy.AsChecked();
    }

    /// <summary>Whether the file may be a copy, not yet finished with, of one that is still there.</summary>
    private bool IsHeld(in FoundFile item, OpenFile file, IEnumerable<KnownFile> files)
    {
        (string, FileNumber) key = (item.Path, item.Status.Number);
        long now = time.GetTimestamp();
        long since = _suspects.TryGetValue(key, out Suspect? before) ? before.Since : now;
        foreach (KnownFile known in files)
        {
            if (known.Number == item.Status.Number || known.SetAside is not null) continue;
            long length = Math.Min(known.KnownLength, file.IsPacked ? long.MaxValue : item.Status.Length);
            // Of one that is gone before anything of it was used there is no hash, only the file that is still open.
            bool isUnknown = known.Evidence.Length == 0 && known.Path is not null;
            if (isUnknown || length <= known.HeaderLength || !HasSameStart(known, file, length)) continue;
            TimeSpan limit = Patience + TimeSpan.FromSeconds(known.KnownLength / BytesCopiedPerSecond);
            // One that is gone is read to its end, which comes, before anything that begins as it does.
            if (known.Path is not null && time.GetElapsedTime(since, now) >= limit) break;
            _suspects[key] = new Suspect(since, known, length);
            return true;
        }
        _suspects.Remove(key);
        return false;
    }

    private static bool HasSameStart(KnownFile known, OpenFile file, long length)
    {
        bool wasOpen = known.File is not null;
        try
        {
            if (!known.TryOpen()) return false;
            return file.Attempt(() =>
            {
                using FileText one = known.File!.NewText();
                using FileText other = file.NewText();
                return TextMatch.HaveSameStart(one, other, length);
            });
        }
        finally
        {
            if (!wasOpen) known.Dispose();
        }
    }

    private static void ReadToEnd(OpenFile file) => file.Attempt(() =>
    {
        using FileText text = file.NewText();
        byte[] buffer = new byte[TextHash.BlockBytes];
        while (text.Read(buffer) > 0)
        {
        }
        return text.At;
    });

    private sealed record Unfinished(FileStatus Status, long Since, SourceException? Failure);

    private sealed record Suspect(long Since, KnownFile Original, long Length);
}
