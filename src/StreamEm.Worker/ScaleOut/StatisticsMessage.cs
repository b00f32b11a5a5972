using System.Security.Cryptography;
using StreamEm.Core.Learning;
using StreamEm.Sources;

namespace StreamEm.Worker.ScaleOut;

/// <summary>
/// One minibatch of one partition as it goes to the reducer: which records it is of, under which version, and what they say. As bytes:
/// <c>"SEMS" | fields | contribution | SHA-256 of all before</c>, little-endian, texts with their length before them.
/// </summary>
internal sealed record StatisticsMessage
{
    private const ushort Form = 1;

    private static ReadOnlySpan<byte> Magic => "SEMS"u8;

    /// <summary>The model's id.</summary>
    public required string ModelId { get; init; }

    /// <summary>The run: contributions to another one do not count.</summary>
    public required string RunId { get; init; }

    /// <summary>Who sent it, and its number among what that one has sent.</summary>
    public required Guid Worker { get; init; }

    /// <inheritdoc cref="Worker"/>
    public required long Sequence { get; init; }

    /// <summary>The version of the parameters that the E-step was under.</summary>
    public required long BaseVersion { get; init; }

    /// <summary>The records.</summary>
    public required RecordRange Range { get; init; }

    /// <summary>What tells that the partition is the same one; null where nothing does.</summary>
    public string? Identity { get; init; }

    /// <summary>Whether the range begins where the configuration says that a new partition begins.</summary>
    public bool Begins { get; init; }

    /// <summary>Whether its worker begins anew since one of its messages did not count: then none is too late.</summary>
    public bool IsAgain { get; init; }

    /// <summary>Records read, and of these those that could not be used, by reason; the range may hold offsets without a record.</summary>
    public required long Read { get; init; }

    /// <inheritdoc cref="Read"/>
    public required IReadOnlyList<long> Rejected { get; init; }

    /// <summary>What the others say; null where all were rejected.</summary>
    public Contribution? Contribution { get; init; }

    /// <summary>The message as bytes.</summary>
    public byte[] Encode()
    {
        using var stream = new MemoryStream();
        using (var writer = new BinaryWriter(stream, System.Text.Encoding.UTF8, leaveOpen: true))
        {
            writer.Write(Magic);
            writer.Write(Form);
            writer.Write(ModelId);
            writer.Write(RunId);
            writer.Write(Worker.ToByteArray());
            writer.Write(Sequence);
            writer.Write(BaseVersion);
            writer.Write(Range.Partition);
            writer.Write(Range.From);
            writer.Write(Range.To);
            writer.Write(Identity ?? "");
            writer.Write(Begins);
            writer.Write(IsAgain);
            writer.Write(Read);
            writer.Write(Rejected.Count);
            foreach (long count in Rejected) writer.Write(count);
            writer.Write(Contribution is not null);
            Contribution?.Save(writer);
        }

        stream.Write(SHA256.HashData(stream.GetBuffer().AsSpan(0, (int)stream.Length)));
        return stream.ToArray();
    }

    /// <summary>The message that was encoded so.</summary>
    /// <exception cref="InvalidDataException">It is none, or damaged.</exception>
    public static StatisticsMessage Decode(byte[] bytes)
    {
        int length = bytes.Length - SHA256.HashSizeInBytes;
        if (length < Magic.Length || !bytes.AsSpan().StartsWith(Magic)) throw new InvalidDataException("It is no message of statistics.");
        if (!SHA256.HashData(bytes.AsSpan(0, length)).AsSpan().SequenceEqual(bytes.AsSpan(length)))
            throw new InvalidDataException("Its SHA-256 does not match its content: it is damaged.");
        try
        {
            using var reader = new BinaryReader(new MemoryStream(bytes, Magic.Length, length - Magic.Length));
            return Read(reader);
        }
        catch (Exception failure) when (failure is IOException or ArgumentException or FormatException or OverflowException)
        {
            throw new InvalidDataException($"A message of statistics cannot be read: {failure.Message}", failure);
        }

        static StatisticsMessage Read(BinaryReader reader)
        {
            if (reader.ReadUInt16() is var form && form != Form)
                throw new InvalidDataException($"A message of statistics has form {form}; this program reads {Form}.");
            var message = new StatisticsMessage
            {
                ModelId = reader.ReadString(),
                RunId = reader.ReadString(),
                Worker = new Guid(reader.ReadBytes(16)),
                Sequence = reader.ReadInt64(),
                BaseVersion = reader.ReadInt64(),
                Range = new RecordRange(reader.ReadString(), reader.ReadInt64(), reader.ReadInt64()),
                Identity = reader.ReadString() is { Length: > 0 } identity ? identity : null,
                Begins = reader.ReadBoolean(),
                IsAgain = reader.ReadBoolean(),
                Read = reader.ReadInt64(),
                Rejected = Counts(reader),
                Contribution = reader.ReadBoolean() ? Contribution.Load(reader) : null,
            };
            bool isSound = message.BaseVersion >= 0 && message.Range.From >= 0 && message.Range.From < message.Range.To && message.Read >= 0
                && message.Rejected.Sum() + (message.Contribution?.Records ?? 0) == message.Read;
            return isSound ? message : throw new InvalidDataException("A message of statistics has a count or a range that cannot be.");
        }
    }

    private static long[] Counts(BinaryReader reader)
    {
        int count = reader.ReadInt32();
        if (count < 0 || count > Enum.GetValues<RejectionReason>().Length)
            throw new InvalidDataException($"A message of statistics counts {count} reasons of rejection.");
        long[] counts = [.. Enumerable.Range(0, count).Select(_ => reader.ReadInt64())];
        return counts.All(value => value >= 0) ? counts : throw new InvalidDataException("A message of statistics has a count below 0.");
    }
}
