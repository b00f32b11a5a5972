using System.Buffers.Binary;

namespace StreamEm.Worker.ScaleOut;

/// <summary>
/// How far the topic of keys has one partition of the source: the states that its writer knew of when it began, and those it wrote before
/// this, say all that the records below a position say. As bytes: <c>"SKMK" | fields | u64 XXH3 of all before, seeded with that of the
/// name</c>, little-endian, texts with their length before them.
/// </summary>
internal sealed record KeyMark
{
    private const int Check = sizeof(ulong);

    private static ReadOnlySpan<byte> Magic => "SKMK"u8;

    /// <summary>Who wrote it: one worker, from when it took the partition until it gave it up.</summary>
    public required Guid Tenure { get; init; }

    /// <summary>The offset in the topic of keys up to which the writer had read when it began.</summary>
    public required long Known { get; init; }

    /// <summary>Where the models of the keys of the partition began.</summary>
    public required long Begin { get; init; }

    /// <summary>The position.</summary>
    public required long Position { get; init; }

    /// <summary>Keys there are.</summary>
    public required long Keys { get; init; }

    /// <summary>What the models are of: other features have other states.</summary>
    public required string Schema { get; init; }

    /// <summary>What tells that the partition is the same one; null where nothing does.</summary>
    public string? Identity { get; init; }

    /// <summary>The bytes.</summary>
    /// <param name="name">Its name in the topic.</param>
    public byte[] Encode(ReadOnlySpan<byte> name)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write(Magic);
        writer.Write(Tenure.ToByteArray());
        writer.Write(Known);
        writer.Write(Begin);
        writer.Write(Position);
        writer.Write(Keys);
        writer.Write(Schema);
        writer.Write(Identity ?? "");
        writer.Write(KeyEntry.Hash(name, stream.GetBuffer().AsSpan(0, (int)stream.Length)));
        return stream.ToArray();
    }

    /// <summary>What was encoded so; null where it is nothing, something else, or damaged.</summary>
    public static KeyMark? Decode(ReadOnlySpan<byte> name, byte[] bytes)
    {
        int length = bytes.Length - Check;
        if (length < Magic.Length || !bytes.AsSpan().StartsWith(Magic)
            || BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(length)) != KeyEntry.Hash(name, bytes.AsSpan(0, length))) return null;
        try
        {
            using var reader = new BinaryReader(new MemoryStream(bytes, Magic.Length, length - Magic.Length));
            return new KeyMark
            {
                Tenure = new Guid(reader.ReadBytes(16)),
                Known = reader.ReadInt64(),
                Begin = reader.ReadInt64(),
                Position = reader.ReadInt64(),
                Keys = reader.ReadInt64(),
                Schema = reader.ReadString(),
                Identity = reader.ReadString() is { Length: > 0 } identity ? identity : null,
            };
        }
        catch (Exception failure) when (failure is IOException or ArgumentException or FormatException)
        {
            return null;
        }
    }
}
