using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using StreamEm.Worker.Storage;

namespace StreamEm.Worker.ScaleOut;

/// <summary>Takes a record of the topic of keys.</summary>
/// <param name="offset">Its offset.</param>
/// <param name="name">Its name.</param>
/// <param name="value">Its value; empty for none.</param>
internal delegate void KeyRecordTaker(long offset, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value);

/// <summary>
/// A copy of one partition of the topic of keys, from its beginning up to somewhere, in a file of this process: read again with what
/// followed since, it says what the topic says. Of each name the last record is kept, and that which says most (<see cref="KeyHistory"/>),
/// others for a while. As bytes: <c>u32 length of the name | u32 length of the value | i64 offset | name | value | u64 XXH3 of all
/// before</c>, little-endian. One thread at a time.
/// </summary>
internal sealed class KeyCopy : IDisposable
{
    private const int Head = 4 + 4 + 8, Check = sizeof(ulong), Buffer = 1 << 16, LargestKept = 1 << 20;

    /// <summary>Bytes of the past that are never worth their removal.</summary>
    private const long Spare = 64 << 20;

    private readonly string _path;
    private readonly long _spare;
    private FileStream _file;
    private byte[] _frame = new byte[Buffer];
    private long _length, _live;
    private long? _last;
    private int? _epoch;

    /// <summary>A copy of nothing.</summary>
    /// <param name="path">Its file, in a directory that is there.</param>
    /// <param name="start">The first offset that the partition has.</param>
    /// <param name="identity">What tells that the topic is the same one; null where nothing does.</param>
    /// <param name="spare">Bytes of the past that are never worth their removal.</param>
    public KeyCopy(string path, long start, string? identity, long spare = Spare)
    {
        (_path, Start, Next, Identity, _spare) = (path, start, start, identity, spare);
        _file = Make(path);
    }

    private delegate bool FrameTaker(long at, ReadOnlySpan<byte> frame);

    /// <summary>The first offset that the partition had when this began.</summary>
    public long Start { get; }

    /// <summary>What tells that the topic is the same one; null where nothing does.</summary>
    public string? Identity { get; }

    /// <summary>All records before this offset are in the copy.</summary>
    public long Next { get; private set; }

    /// <summary>
    /// Where reading goes on: at the last record that is in the copy, so that it shows whether the topic is still the same up to there
    /// (<see cref="IsContinuedBy"/>).
    /// </summary>
    public long From => _last ?? Next;

    /// <summary>Whether a record has to show that yet.</summary>
    public bool IsToBeContinued => _last is not null;

    /// <summary>Bytes of the file.</summary>
    public long Bytes => _length;

    /// <summary>Whether so much of it is of the past that <see cref="TryTidy"/> is worth its while.</summary>
    public bool IsWasteful => _length > 2 * _live + _spare;

    /// <summary>
    /// Whether a record, the first that the topic has at <see cref="From"/> or behind, is of the log that this is a copy of: each leader
    /// of a partition writes under an epoch of its own and adds to what it has; a log that was cut goes on under a later one. So where the
    /// last record of the copy is, or one behind it of the same epoch, nothing before was lost. Where compaction has removed it and the
    /// leader is another, nothing tells.
    /// </summary>
    /// <param name="offset">The record's offset.</param>
    /// <param name="epoch">The epoch of the leader that wrote it; null where the broker does not say.</param>
    public bool IsContinuedBy(long offset, int? epoch) => offset >= _last && epoch == _epoch;

    /// <summary>Takes the next record; one that it has is passed over.</summary>
    /// <param name="offset">Its offset.</param>
    /// <param name="name">Its name.</param>
    /// <param name="value">Its value; empty for none.</param>
    /// <param name="epoch">The epoch of the leader that wrote it; null where the broker does not say.</param>
    /// <exception cref="IOException">It cannot be written: the copy is of no use any more.</exception>
    public void Append(long offset, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, int? epoch)
    {
        if (offset < Next) return;
        int length = Head + name.Length + value.Length + Check;
        Span<byte> frame = Room(length);
        BinaryPrimitives.WriteInt32LittleEndian(frame, name.Length);
        BinaryPrimitives.WriteInt32LittleEndian(frame[4..], value.Length);
        BinaryPrimitives.WriteInt64LittleEndian(frame[8..], offset);
        name.CopyTo(frame[Head..]);
        value.CopyTo(frame[(Head + name.Length)..]);
        BinaryPrimitives.WriteUInt64LittleEndian(frame[^Check..], XxHash3.HashToUInt64(frame[..^Check]));
        _file.Write(frame);
        _length += length;
        (Next, _last, _epoch) = (offset + 1, offset, epoch);
        GiveBack();
    }

    /// <summary>Says that there are no more records below an offset.</summary>
    public void Reach(long next) => Next = Math.Max(Next, next);

    /// <summary>Tells the records in their order.</summary>
    /// <returns>How many there are.</returns>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public long Read(KeyRecordTaker take)
    {
        long count = 0;
        Scan((_, frame) =>
        {
            count++;
            take(BinaryPrimitives.ReadInt64LittleEndian(frame[8..]), NameOf(frame), ValueOf(frame));
            return true;
        });
        return count;
    }

    /// <summary>Leaves out what later records have taken the place of, in a new file.</summary>
    /// <param name="isWanted">Asked for every record whether somebody needs the copy now: then it stays as it is.</param>
    /// <returns>False where somebody did.</returns>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    /// <exception cref="IOException">It cannot be read or written.</exception>
    public bool TryTidy(Func<bool> isWanted)
    {
        var kept = new Dictionary<UInt128, Kept>();
        bool isWhole = Scan((at, frame) =>
        {
            ref Kept one = ref CollectionsMarshal.GetValueRefOrAddDefault(kept, HashOf(frame), out _);
            one.Last = at;
            if (PositionOf(NameOf(frame), ValueOf(frame)) is { } to && to >= one.To) (one.To, one.FurthestEnd) = (to, at + frame.Length);
            return !isWanted();
        });
        if (!isWhole) return false;
        string path = _path + ".new";
        FileStream file = Make(path);
        long length = 0;
        try
        {
            isWhole = Scan((at, frame) =>
            {
                Kept one = kept[HashOf(frame)];
                if (at == one.Last || at + frame.Length == one.FurthestEnd)
                {
                    file.Write(frame);
                    length += frame.Length;
                }

                return !isWanted();
            });
            if (!isWhole) return false;
            _file.Dispose();
            File.Move(path, _path, overwrite: true);
            (_file, file) = (file, _file);
            _live = _length = length;
            return true;
        }
        finally
        {
            file.Dispose();
            if (File.Exists(path)) File.Delete(path);
        }
    }

    /// <summary>Closes and deletes the file, as far as the disk allows.</summary>
    public void Dispose()
    {
        try
        {
            _file.Dispose();
            File.Delete(_path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // What was not written yet is of no use; what is left goes with the folder at the next start.
        }
    }

    /// <summary>How far a record says to be, as <see cref="KeyHistory"/> takes it; null where it cannot be read.</summary>
    private static long? PositionOf(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) =>
        KeyEntry.TryDecode(name, value, out _, out long to, out _, out _) ? to : KeyMark.Decode(name, value.ToArray())?.Position;

    private static UInt128 HashOf(ReadOnlySpan<byte> frame) => XxHash128.HashToUInt128(NameOf(frame));

    private static ReadOnlySpan<byte> NameOf(ReadOnlySpan<byte> frame) =>
        frame.Slice(Head, BinaryPrimitives.ReadInt32LittleEndian(frame));

    private static ReadOnlySpan<byte> ValueOf(ReadOnlySpan<byte> frame) =>
        frame[(Head + BinaryPrimitives.ReadInt32LittleEndian(frame))..^Check];

    private static FileStream Make(string path)
    {
        File.Delete(path);
        var options = new FileStreamOptions
        { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.Delete, BufferSize = Buffer };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = DurableFile.OwnerOnly;
        return new FileStream(path, options);
    }

    /// <returns>False where it was ended.</returns>
    private bool Scan(FrameTaker take)
    {
        _file.Flush();
        _file.Position = 0;
        bool goesOn = true;
        for (long at = 0; at < _length && goesOn;)
        {
            Span<byte> head = Room(Head);
            _file.ReadExactly(head);
            int name = BinaryPrimitives.ReadInt32LittleEndian(head), value = BinaryPrimitives.ReadInt32LittleEndian(head[4..]);
            long length = (long)Head + name + value + Check;
            if (name < 0 || value < 0 || length > _length - at) throw Damage();
            Span<byte> frame = Room((int)length);
            _file.ReadExactly(frame[Head..]);
            if (BinaryPrimitives.ReadUInt64LittleEndian(frame[^Check..]) != XxHash3.HashToUInt64(frame[..^Check])) throw Damage();
            goesOn = take(at, frame);
            at += length;
        }

        _file.Position = _length;
        GiveBack();
        return goesOn;
    }

    private InvalidDataException Damage() => new($"'{_path}' is damaged: a record is not what was written.");

    private Span<byte> Room(int length)
    {
        if (length > _frame.Length) Array.Resize(ref _frame, Math.Max(length, 2 * _frame.Length));
        return _frame.AsSpan(0, length);
    }

    /// <summary>A buffer for a large record is not kept.</summary>
    private void GiveBack()
    {
        if (_frame.Length > LargestKept) _frame = new byte[Buffer];
    }

    /// <summary>Where the records of a name are that count.</summary>
    private struct Kept
    {
        /// <summary>Where the last begins, and where that ends which says most; 0 where none can be read.</summary>
        public long Last, FurthestEnd;

        /// <summary>How far that is.</summary>
        public long To;
    }
}
