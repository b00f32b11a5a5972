using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;
using StreamEm.Worker.Snapshots;

namespace StreamEm.Worker.Checkpoints;

/// <summary>
/// A checkpoint as bytes: <c>"SEMB" | u16 major | u16 minor | u32 flags | u64 header length | u64 body length | JSON header | body |
/// SHA-256 of all before</c>, little-endian. The header names every part of the body with its length: the learner's state, the newest
/// snapshot, the outbox. A reader checks lengths against the file's and the hash before it looks at anything else.
/// </summary>
internal static class CheckpointFile
{
    private const ushort Major = 1;
    private const ushort Minor = 0;
    private const uint StateFlag = 1;
    private const int PreambleLength = 28;
    private const int MaxHeaderLength = 64 << 20;
    private const int HashLength = SHA256.HashSizeInBytes;

    private static ReadOnlySpan<byte> Magic => "SEMB"u8;

    /// <summary>Whether a file that begins so is a checkpoint.</summary>
    public static bool IsCheckpoint(ReadOnlySpan<byte> start) => start.StartsWith(Magic);

    /// <summary>The checkpoint as bytes.</summary>
    public static byte[] Encode(Checkpoint checkpoint)
    {
        byte[] header = new CheckpointHeader(checkpoint).ToJson();
        long body = checkpoint.Parts.Sum(part => (long)part.Length);
        byte[] bytes = new byte[checked(PreambleLength + header.Length + body + HashLength)];

        Span<byte> rest = bytes;
        Magic.CopyTo(rest);
        BinaryPrimitives.WriteUInt16LittleEndian(rest[4..], Major);
        BinaryPrimitives.WriteUInt16LittleEndian(rest[6..], Minor);
        BinaryPrimitives.WriteUInt32LittleEndian(rest[8..], StateFlag);
        BinaryPrimitives.WriteInt64LittleEndian(rest[12..], header.Length);
        BinaryPrimitives.WriteInt64LittleEndian(rest[20..], body);
        rest = Append(rest[PreambleLength..], header);
        foreach (ReadOnlyMemory<byte> part in checkpoint.Parts) rest = Append(rest, part.Span);
        SHA256.HashData(bytes.AsSpan(0, bytes.Length - HashLength), rest);
        return bytes;
    }

    /// <summary>What a file says of itself, by its header alone; null when it cannot be told.</summary>
    public static CheckpointHeader? HeaderIn(string path)
    {
        try
        {
            using FileStream file = File.OpenRead(path);
            Span<byte> preamble = stackalloc byte[PreambleLength];
            file.ReadExactly(preamble);
            long length = BinaryPrimitives.ReadInt64LittleEndian(preamble[12..]);
            if (!IsCheckpoint(preamble) || length <= 0 || length > Math.Min(file.Length, MaxHeaderLength)) return null;
            byte[] header = new byte[length];
            file.ReadExactly(header);
            return CheckpointHeader.Parse(header);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or InvalidDataException or JsonException)
        {
            return null;
        }
    }

    /// <summary>The checkpoint that was encoded as <paramref name="bytes"/>; parts of the result are slices of them.</summary>
    /// <exception cref="InvalidDataException">Not a checkpoint, of another major version, truncated or damaged.</exception>
    public static Checkpoint Decode(byte[] bytes) => Decode(bytes, SnapshotDocument.Parse);

    /// <summary>
    /// The same for who follows many states and looks at the snapshots of few: a snapshot's text takes many times as long to read as all
    /// the rest, and the hash vouches for it.
    /// </summary>
    /// <exception cref="InvalidDataException">Not a checkpoint, of another major version, truncated or damaged.</exception>
    public static Checkpoint DecodeState(byte[] bytes) => Decode(bytes, SnapshotDocument.ParseLater);

    private static Checkpoint Decode(byte[] bytes, Func<ReadOnlyMemory<byte>, SnapshotDocument> parse)
    {
        if (!IsCheckpoint(bytes)) throw new InvalidDataException("It does not begin with the bytes 'SEMB' of a checkpoint.");
        if (bytes.Length < PreambleLength + HashLength)
            throw new InvalidDataException(
                $"It has {bytes.Length} bytes; a checkpoint has at least {PreambleLength + HashLength}: it is truncated.");
        ushort major = BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(4));
        if (major != Major) throw new InvalidDataException($"It has format version {major}; this program reads version {Major}.");
        long header = BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(12));
        long body = BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(20));
        long expected = bytes.Length - PreambleLength - HashLength;
        if (header < 0 || body < 0 || header > expected || body != expected - header)
            throw new InvalidDataException(
                $"It says header {header} and body {body} bytes; {expected} bytes are there: it is truncated or damaged.");
        if (!SHA256.HashData(bytes.AsSpan(0, bytes.Length - HashLength)).AsSpan().SequenceEqual(bytes.AsSpan(bytes.Length - HashLength)))
            throw new InvalidDataException("Its SHA-256 does not match its content: it is damaged.");
        try
        {
            return CheckpointHeader.Parse(bytes.AsSpan(PreambleLength, (int)header))
                .WithBody(bytes.AsMemory(PreambleLength + (int)header, (int)body), parse);
        }
        catch (JsonException failure)
        {
            throw new InvalidDataException($"Its header cannot be read: {failure.Message}", failure);
        }
    }

    private static Span<byte> Append(Span<byte> rest, ReadOnlySpan<byte> part)
    {
        part.CopyTo(rest);
        return rest[part.Length..];
    }
}
