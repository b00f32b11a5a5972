using StreamEm.Sources.Paths;

namespace StreamEm.Sources.Files;

/// <summary>
/// A file of which something was, or will be, read: where it is now, how far it was read and what is known of its text. One that is gone
/// stays known, so that a copy of it is not read again.
/// </summary>
internal sealed class KnownFile : IDisposable
{
    private TextEvidence _evidence;
    private TextHash? _hash;
    private string? _oldIdentity;
    private PartitionFile? _kept;
    private FileStatus? _held;
    private (bool IsPacked, bool IsParquet)? _opened;

    /// <summary>A file that was not read before.</summary>
    public KnownFile(in FoundFile found)
    {
        Name = found.Path;
        _hash = new TextHash();
        IsNamed = found.IsNamed;
        MoveTo(found);
    }

    /// <summary>A file as an earlier run knew it.</summary>
    public KnownFile(string name, PartitionPosition position)
    {
        Name = name;
        Next = position.Next;
        Columns = position.File?.Columns;
        HasNoHeader = position.File?.HasNoHeader == true;
        Gone = position.File?.Gone;
        IsInState = true;
        if (position.Identity is { } text && FileIdentity.Parse(text) is { } identity)
        {
            Number = identity.Number;
            StoredLength = identity.StoredLength;
            _evidence = identity.Text;
        }
        else
        {
            _oldIdentity = position.Identity;
        }
    }

    /// <summary>The name of its partition.</summary>
    public string Name { get; set; }

    /// <summary>Where it is, among the files that are to be read; null when it is not there.</summary>
    public string? Path { get; private set; }

    /// <summary>Whether its path is named by itself in the configuration, not found by a glob.</summary>
    public bool IsNamed { get; set; }

    /// <summary>Device and inode; unknown once its content is no longer there.</summary>
    public FileNumber Number { get; private set; }

    /// <summary>What the system said of it last.</summary>
    public FileStatus Status { get; private set; }

    /// <summary>The open file; null when it is not open.</summary>
    public OpenFile? File { get; private set; }

    /// <summary>Where the next record starts.</summary>
    public long Next { get; set; }

    /// <summary>Bytes before its first record, once it was begun.</summary>
    public long HeaderLength { get; set; }

    /// <summary>Length of its text as far as it is known: on disk, of a packed one what was read.</summary>
    public long KnownLength => IsPacked ? Evidence.Length : File?.StoredLength ?? Status.Length;

    /// <summary>Length on disk when its end was last reached; -1 before.</summary>
    public long ReadLength { get; set; } = -1;

    /// <summary>Length on disk of a packed file that was read to its end; -1 before.</summary>
    public long StoredLength { get; set; } = -1;

    /// <summary>Whether it will not grow any more: what is left after the last line end is a record too.</summary>
    public bool IsComplete { get; set; }

    /// <summary>The columns of its header, or those it was read with because it has none; null where the format has none.</summary>
    public IReadOnlyList<string>? Columns { get; set; }

    /// <summary>Whether it begins with records, without a header.</summary>
    public bool HasNoHeader { get; set; }

    /// <summary>What it looked like when it was set aside because it cannot be read; null when it can.</summary>
    public FileStatus? SetAside { get; set; }

    /// <summary>A number that grows with every file that goes; null while it is there.</summary>
    public long? Gone { get; set; }

    /// <summary>Whether the state knows its name.</summary>
    public bool IsInState { get; set; }

    /// <summary>When its name was found taken by another file, as a timestamp of the clock; null before.</summary>
    public long? RotatedAt { get; set; }

    /// <summary>Whether it took the name of a file that was read, so that it may go on without a header of its own.</summary>
    public bool IsSuccessor { get; init; }

    /// <summary>Whether its columns are kept in the state.</summary>
    public bool KeepsColumns { get; set; }

    /// <summary>Whether its text is not its bytes, as far as its name or having had it open says.</summary>
    public bool IsPacked => _opened?.IsPacked ?? FileText.IsPacked(Path ?? Name);

    /// <summary>Whether it is a Parquet file, as far as its name or having had it open says.</summary>
    public bool IsParquet => _opened?.IsParquet ?? FileText.SaysParquet(Path ?? Name);

    /// <summary>What is known of the text that was read.</summary>
    public TextEvidence Evidence => _hash?.Evidence ?? _evidence;

    /// <summary>What hashes the text as it is read.</summary>
    /// <exception cref="InvalidOperationException">What was read before has not been checked.</exception>
    public TextHash Hash => _hash ?? throw new InvalidOperationException("A file is read that was not checked.");

    /// <summary>What it looked like when its content was last found to be what was read of it; null before.</summary>
    public FileStatus? Checked { get; set; }

    /// <summary>Whether the system says the same of it as when its content was last checked.</summary>
    public bool IsUnchanged => Checked is { } then && (then.Number, then.Length, then.Modified)
        == (Status.Number, Status.Length, Status.Modified);

    /// <summary>Whether there is something to read; as far as can be told without reading.</summary>
    public bool HasMore => SetAside is null && (IsPacked
        ? ReadLength < 0 && Checked is not null
        : ReadLength < 0 || IsComplete || (File?.StoredLength ?? Status.Length) > ReadLength);

    /// <summary>Its position as it is now.</summary>
    public PartitionPosition Position => PositionAt(Next);

    /// <summary>The same object as long as nothing changes: a batch costs no more.</summary>
    private PartitionFile? Kept
    {
        get
        {
            IReadOnlyList<string>? columns = KeepsColumns || HasNoHeader ? Columns : null;
            if (columns is null && Gone is null) return null;
            if (_kept is null || (_kept.Columns, _kept.HasNoHeader == true, _kept.Gone) != (columns, HasNoHeader, Gone))
                _kept = new PartitionFile(columns, HasNoHeader ? true : null, Gone);
            return _kept;
        }
    }

    /// <summary>A position in it, with what is known of it now.</summary>
    public PartitionPosition PositionAt(long next) => new(next,
        _oldIdentity ?? new FileIdentity(Number, StoredLength, Evidence).ToString())
    {
        File = Kept,
    };

    /// <summary>Says where it was found.</summary>
    public void MoveTo(in FoundFile found)
    {
        RotatedAt = null;
        if (File is null) _opened = null;
        Path = found.Path;
        Number = found.Status.Number;
        Status = found.Status;
        Gone = null;
    }

    /// <summary>Says that the file of its name is not it: which one it is, is not known.</summary>
    public void Mistake()
    {
        Number = FileNumber.Unknown;
        Path = null;
        Dispose();
    }

    /// <summary>Says that it is not among the files to be read.</summary>
    public void Lose() => Path = null;

    /// <summary>
    /// Says that what was read of it is no longer there: it was truncated, written over or deleted. It is closed; what is known of its text
    /// remains.
    /// </summary>
    public void Vanish(long order)
    {
        _evidence = Evidence;
        Path = null;
        Number = FileNumber.Unknown;
        ReadLength = StoredLength = -1;
        SetAside = null;
        Gone = order;
        Dispose();
    }

    /// <summary>Forgets what was read of it.</summary>
    public void Restart()
    {
        Next = HeaderLength = 0;
        _hash = new TextHash();
    }

    /// <summary>Goes on in another file that holds what was read of this one.</summary>
    public void Adopt(in FoundFile found)
    {
        MoveTo(found);
        _evidence = Evidence;
        _hash = null;
        Checked = null;
        StoredLength = -1;
        IsComplete = false;
    }

    /// <summary>This file, whose content was checked as it is now.</summary>
    public KnownFile AsChecked()
    {
        Checked = Status;
        ReadLength = -1;
        return this;
    }

    /// <summary>Leaves out the beginning of a file that was not read before.</summary>
    public void Skip(OpenFile file, long length) => file.Attempt(() =>
    {
        using FileText text = file.NewText();
        _hash = TextMatch.Read(text, length) ?? new TextHash();
        return Next = _hash.Length;
    });

    /// <summary>Takes the status that was found anew.</summary>
    public void Observe(in FileStatus status) => Status = status;

    /// <summary>Opens it, unless it is open.</summary>
    /// <returns>False when it has just gone.</returns>
    /// <exception cref="SourceException">It cannot be opened.</exception>
    public bool TryOpen(string? at = null)
    {
        if (File is not null) return true;
        if ((at ?? Path) is not { } path || OpenFile.TryOpen(path) is not { } file) return false;
        if (file.Number != Number && Number.IsKnown)
        {
            file.Dispose();
            return false;
        }
        File = file;
        _opened = (file.IsPacked, file.IsParquet);
        return true;
    }

    /// <summary>
    /// Whether the open file still holds what was read of it. What a state of an old release says is looked up in it, once.
    /// </summary>
    /// <exception cref="SourceException">It cannot be read.</exception>
    public bool HoldsWhatWasRead()
    {
        OpenFile file = File!;
        if (!file.IsPacked && file.StoredLength < Math.Max(Next, Evidence.Length)) return false;
        if (_hash is { Length: 0 }) return true;
        return file.Attempt(() =>
        {
            using FileText text = file.NewText();
            TextHash? found = _oldIdentity is null && (_evidence.Length > 0 || _hash is not null || Next == 0)
                ? TextMatch.Resume(text, Evidence)
                : _oldIdentity is null || file.Matches(_oldIdentity) ? TextMatch.Read(text, Next) : null;
            if (found is null) return false;
            _hash ??= found;
            _oldIdentity = null;
            Number = file.Number;
            return true;
        });
    }

    /// <summary>
    /// Whether bytes that were just read follow what was read before: a file that is truncated and written to at once looks as if it had
    /// grown. As long as nobody writes to it one look is enough.
    /// </summary>
    /// <exception cref="SourceException">It cannot be read.</exception>
    public bool StillHoldsWhatWasRead()
    {
        OpenFile file = File!;
        if (file.IsPacked) return true;
        if (file.Continues == false) return false;
        FileStatus now = file.Status;
        if (_held is { } then && file.Continues == true && (then.Length, then.Modified) == (now.Length, now.Modified)) return true;
        if (!HoldsWhatWasRead()) return false;
        _held = now;
        return true;
    }

    /// <summary>Whether an open file begins as a state of an old release says of this one, and has what was read of it.</summary>
    public bool IsOldTextOf(OpenFile file) => _oldIdentity is not null && !file.IsPacked && file.StoredLength >= Next
        && file.Matches(_oldIdentity);

    /// <inheritdoc/>
    public void Dispose()
    {
        File?.Dispose();
        File = null;
    }
}
