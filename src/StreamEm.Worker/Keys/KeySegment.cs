using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using Microsoft.Win32.SafeHandles;
using StreamEm.Worker.Storage;

namespace StreamEm.Worker.Keys;

/// <summary>Where the state of a key is.</summary>
/// <param name="Segment">The file; null for nowhere.</param>
/// <param name="Offset">Where its entry begins.</param>
/// <param name="Length">Bytes of the entry.</param>
internal readonly record struct KeyPlace(KeySegment? Segment, int Offset, int Length);

/// <summary>
/// A file of entries, each a key and its state: <c>u32 length of key and state | u32 length of the key | u64 XXH3 of both | key, UTF-8 |
/// state</c>, little-endian, after eight bytes that say what it is. Appended to by one process, in memory first; read by the learner's
/// thread, written to disk by that or by the one that keeps the state.
/// </summary>
internal sealed class KeySegment : IDisposable
{
    /// <summary>Bytes before the first entry.</summary>
    public const int Head = 8;

    private const int EntryHead = 16;
    private const ulong Magic = 0x0000_0001_5945_4B53; // "SKEY", version 1

    private readonly Lock _buffering = new(), _writing = new();
    private readonly SafeFileHandle _file;
    private byte[] _unwritten = [];
    private int _written, _synced;

    private KeySegment(long number, string path, SafeFileHandle file, int length)
    {
        (Number, Path, _file) = (number, path, file);
        Length = _written = _synced = length;
    }

    /// <summary>The number in its name.</summary>
    public long Number { get; }

    /// <summary>Its path.</summary>
    public string Path { get; }

    /// <summary>Bytes of it, those not written yet included.</summary>
    public int Length { get; private set; }

    /// <summary>Bytes of entries that are the newest of their keys.</summary>
    public long Live { get; set; }

    /// <summary>Bytes that are in memory alone.</summary>
    public int Unwritten => Length - _written;

    /// <summary>Makes a new one.</summary>
    /// <exception cref="IOException">It cannot be made.</exception>
    public static KeySegment Create(long number, string path)
    {
        DurableFile.Open(path, FileMode.CreateNew, FileShare.ReadWrite).Dispose();
        var made = new KeySegment(
            number, path, File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite), length: 0);
        Span<byte> head = stackalloc byte[Head];
        BinaryPrimitives.WriteUInt64LittleEndian(head, Magic);
        head.CopyTo(made.Room(Head));
        return made;
    }

    /// <summary>Opens one that is there and tells its entries in order.</summary>
    /// <param name="number">The number in its name.</param>
    /// <param name="path">Its path.</param>
    /// <param name="length">Its bytes that count.</param>
    /// <param name="found">Told of each key and where its entry is.</param>
    /// <exception cref="InvalidDataException">It is none, too short, or damaged.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static KeySegment Open(long number, string path, long length, Action<string, KeyPlace> found)
    {
        if (length is < Head or > int.MaxValue || !File.Exists(path))
            throw new InvalidDataException($"'{path}' is not there.");
        SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        try
        {
            if (RandomAccess.GetLength(file) < length)
                throw new InvalidDataException($"'{path}' has {RandomAccess.GetLength(file)} bytes; the checkpoint counts on {length}.");
            var opened = new KeySegment(number, path, file, (int)length);
            opened.Scan(found);
            return opened;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Appends an entry.</summary>
    public KeyPlace Append(string key, ReadOnlySpan<byte> state)
    {
        int keyBytes = Encoding.UTF8.GetByteCount(key), length = EntryHead + keyBytes + state.Length;
        lock (_buffering)
        {
            var place = new KeyPlace(this, Length, length);
            Span<byte> entry = Room(length);
            BinaryPrimitives.WriteInt32LittleEndian(entry, keyBytes + state.Length);
            BinaryPrimitives.WriteInt32LittleEndian(entry[4..], keyBytes);
            Encoding.UTF8.GetBytes(key, entry[EntryHead..]);
            state.CopyTo(entry[(EntryHead + keyBytes)..]);
            BinaryPrimitives.WriteUInt64LittleEndian(entry[8..], XxHash3.HashToUInt64(entry[EntryHead..]));
            Live += length;
            return place;
        }
    }

    /// <summary>Copies the state of an entry.</summary>
    /// <returns>Its bytes.</returns>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public int Read(in KeyPlace place, ref byte[] into)
    {
        if (into.Length < place.Length) into = new byte[place.Length];
        Span<byte> entry = into.AsSpan(0, place.Length);
        bool isWritten;
        lock (_buffering)
        {
            isWritten = place.Offset < _written;
            if (!isWritten) _unwritten.AsSpan(place.Offset - _written, place.Length).CopyTo(entry);
        }
        // An entry is written whole or not at all.
        if (isWritten) Fill(entry, place.Offset);
        Check(entry, out int keyBytes);
        entry[(EntryHead + keyBytes)..].CopyTo(entry);
        return place.Length - EntryHead - keyBytes;
    }

    /// <summary>Tells its entries in order; all of it is on disk.</summary>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public void Scan(Action<string, KeyPlace> found)
    {
        byte[] bytes = new byte[Length];
        Fill(bytes, 0);
        if (BinaryPrimitives.ReadUInt64LittleEndian(bytes) != Magic) throw new InvalidDataException($"'{Path}' is no file of keys.");
        for (int at = Head; at < bytes.Length;)
        {
            long length = at + EntryHead <= bytes.Length ? (uint)BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at)) : uint.MaxValue;
            if (length > bytes.Length - at - EntryHead) throw new InvalidDataException($"'{Path}' ends within an entry.");
            Span<byte> entry = bytes.AsSpan(at, EntryHead + (int)length);
            Check(entry, out int keyBytes);
            found(Encoding.UTF8.GetString(entry.Slice(EntryHead, keyBytes)), new KeyPlace(this, at, entry.Length));
            at += entry.Length;
        }
    }

    /// <summary>Writes what is in memory alone, and forgets it there. Any thread.</summary>
    /// <exception cref="IOException">It cannot be written; it stays in memory.</exception>
    public void Write()
    {
        lock (_writing)
        {
            byte[] bytes;
            int from, count;
            lock (_buffering) (bytes, from, count) = (_unwritten, _written, Length - _written);
            if (count == 0) return;
            DurableFile.Write(_file, Path, bytes.AsSpan(0, count), from);
            lock (_buffering)
            {
                _written += count;
                // Not in place: what is being written or read of the old one stays as it is.
                _unwritten = Length > _written ? _unwritten.AsSpan(count, Length - _written).ToArray() : [];
            }
        }
    }

    /// <summary>Makes all of it that there is durable. Any thread.</summary>
    /// <returns>Whether anything had to be done.</returns>
    /// <exception cref="IOException">It cannot be written, or the kernel reports an error.</exception>
    public bool MakeDurable()
    {
        Write();
        lock (_writing)
        {
            int written = _written;
            if (_synced == written) return false;
            DurableFile.Sync(_file, Path);
            _synced = written;
            return true;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private Span<byte> Room(int length)
    {
        int used = Length - _written;
        if (used + length > _unwritten.Length)
        {
            byte[] larger = new byte[Math.Max(used + length, Math.Max(1 << 16, 2 * _unwritten.Length))];
            _unwritten.AsSpan(0, used).CopyTo(larger);
            _unwritten = larger;
        }
        Length += length;
        return _unwritten.AsSpan(used, length);
    }

    private void Fill(Span<byte> bytes, long offset)
    {
        for (int read = 0; read < bytes.Length;)
        {
            int count = RandomAccess.Read(_file, bytes[read..], offset + read);
            if (count == 0) throw new InvalidDataException($"'{Path}' ends at {offset + read} bytes; more were written.");
            read += count;
        }
    }

    private void Check(ReadOnlySpan<byte> entry, out int keyBytes)
    {
        keyBytes = BinaryPrimitives.ReadInt32LittleEndian(entry[4..]);
        if ((uint)keyBytes > entry.Length - EntryHead
            || BinaryPrimitives.ReadInt32LittleEndian(entry) != entry.Length - EntryHead
            || BinaryPrimitives.ReadUInt64LittleEndian(entry[8..]) != XxHash3.HashToUInt64(entry[EntryHead..]))
            throw new InvalidDataException($"'{Path}' is damaged: an entry is not what was written.");
    }
}
