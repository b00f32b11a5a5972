using System.Globalization;
using StreamEm.Worker.Storage;

namespace StreamEm.Worker.Keys;

/// <summary>
/// The states of keys on disk: files that are only ever appended to (<see cref="KeySegment"/>), of each key the newest entry counts. A
/// checkpoint names the files and how much of each is its state; what follows is of later and not looked at by who goes on from it: each
/// process begins a file of its own. Used by the learner's thread; <see cref="MakeDurable"/> and <see cref="DeleteUnused"/> by the one that
/// keeps the state.
/// </summary>
internal sealed class KeyLog : IDisposable
{
    /// <summary>Bytes from which on a file is followed by another.</summary>
    private const int SegmentBytes = 32 << 20;

    /// <summary>Bytes in memory alone beyond which they are written without waiting for a checkpoint.</summary>
    private const long MostUnwritten = 128L << 20;

    /// <summary>Files beside those that the live bytes need, beyond which small ones are put together.</summary>
    private const int SpareSegments = 32;

    private const string Prefix = "keys-", Suffix = ".skl";

    private readonly string _directory;
    private readonly int _segmentBytes;
    private readonly Lock _lock = new();
    private readonly List<KeySegment> _segments = [];
    private KeySegment? _tail;
    private long _last;

    /// <summary>A log in a directory, which is made with the first entry.</summary>
    /// <param name="directory">It.</param>
    /// <param name="segmentBytes">Bytes from which on a file is followed by another.</param>
    public KeyLog(string directory, int segmentBytes = SegmentBytes)
    {
        (_directory, _segmentBytes) = (directory, segmentBytes);
        // What other processes left is not written over, whoever counts on it.
        _last = Numbers().DefaultIfEmpty().Max();
    }

    /// <summary>Bytes of all files.</summary>
    public long Bytes => _segments.Sum(segment => (long)segment.Length);

    /// <summary>Bytes of the newest entries.</summary>
    public long Live => _segments.Sum(segment => segment.Live);

    /// <summary>Whether so much of it is of the past that <see cref="Clean"/> is worth its while.</summary>
    private bool IsWasteful => Bytes > 2 * Live + 2L * _segmentBytes || _segments.Count > SpareSegments + 2 * Live / _segmentBytes;

    /// <summary>Takes over the files of a checkpoint.</summary>
    /// <param name="mark">Which.</param>
    /// <param name="found">Told of each key and where its entry is; of a key that comes again the later one counts.</param>
    /// <exception cref="InvalidDataException">One is damaged, or not there.</exception>
    /// <exception cref="IOException">One cannot be read.</exception>
    public void Open(KeyLogMark mark, Action<string, KeyPlace> found)
    {
        foreach (KeySegmentMark segment in mark.Segments.OrderBy(segment => segment.Number))
            _segments.Add(KeySegment.Open(segment.Number, PathOf(segment.Number), segment.Length, found));
    }

    /// <summary>Appends the state of a key.</summary>
    /// <exception cref="IOException">There is no room for it, on disk and in memory.</exception>
    public KeyPlace Append(string key, ReadOnlySpan<byte> state)
    {
        if (_tail is null || _tail.Length >= _segmentBytes) Begin();
        return _tail!.Append(key, state);
    }

    /// <summary>
    /// Puts together what counts of files that are mostly of the past, as long as half of the log is: it is appended, and the files are no
    /// more part of what the next checkpoint names.
    /// </summary>
    /// <param name="moves">Told of a key and its entry in such a file: appends it where that is the newest.</param>
    /// <exception cref="InvalidDataException">One is damaged.</exception>
    /// <exception cref="IOException">One cannot be read.</exception>
    public void Clean(Action<string, KeyPlace> moves)
    {
        while (IsWasteful && _segments.Where(segment => segment != _tail && segment.Unwritten == 0).MinBy(Worth) is { } least)
        {
            if (least.Live > 0) least.Scan(moves);
            lock (_lock) _segments.Remove(least);
            least.Dispose();
        }
    }

    /// <summary>The files as they are now.</summary>
    public IReadOnlyList<KeySegmentMark> Mark() => [.. _segments.Select(segment => new KeySegmentMark(segment.Number, segment.Length))];

    /// <summary>Writes what is in memory alone.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Write()
    {
        foreach (KeySegment segment in _segments) segment.Write();
    }

    /// <summary>Makes all that was appended so far durable.</summary>
    /// <exception cref="IOException">It cannot be written, or the kernel reports an error.</exception>
    public void MakeDurable()
    {
        KeySegment[] segments;
        lock (_lock) segments = [.. _segments];
        bool anyNew = false;
        foreach (KeySegment segment in segments) anyNew |= segment.MakeDurable();
        if (anyNew) DurableFile.SyncDirectory(_directory);
    }

    /// <summary>Deletes files that no checkpoint kept names.</summary>
    /// <param name="named">The numbers named, of the newest checkpoint among them.</param>
    public void DeleteUnused(IReadOnlySet<long> named)
    {
        // What is newer than all of them is being written.
        long newest = named.DefaultIfEmpty().Max();
        foreach (long number in Numbers().Where(number => number < newest && !named.Contains(number))) DurableFile.Delete(PathOf(number));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (KeySegment segment in _segments) segment.Dispose();
    }

    private void Begin()
    {
        if (_tail is null) DurableFile.CreateDirectory(_directory, DurableFile.PrivateDirectory);
        if (_segments.Sum(segment => (long)segment.Unwritten) > MostUnwritten)
            Write();
        _tail = KeySegment.Create(++_last, PathOf(_last));
        lock (_lock) _segments.Add(_tail);
    }

    private double Worth(KeySegment segment) => (double)segment.Live / Math.Max(segment.Length, _segmentBytes / 4);

    private string PathOf(long number) =>
        Path.Combine(_directory, string.Create(CultureInfo.InvariantCulture, $"{Prefix}{number:D12}{Suffix}"));

    private IEnumerable<long> Numbers() => !Directory.Exists(_directory) ? [] : Directory.EnumerateFiles(_directory, Prefix + "*" + Suffix)
        .Select(file => Path.GetFileName(file)[Prefix.Length..^Suffix.Length])
        .Where(digits => long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out _))
        .Select(digits => long.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture));
}
