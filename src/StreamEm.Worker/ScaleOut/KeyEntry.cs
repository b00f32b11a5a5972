using System.Buffers.Binary;
using System.IO.Hashing;

namespace StreamEm.Worker.ScaleOut;

/// <summary>
/// The state of one key's model as the topic of keys has it, which says all that the key's records below a position say. As bytes:
/// <c>u8 form | tenure, 16 | i64 position | u8 length of the alarm | alarm | state | u64 XXH3 of all before, seeded with that of the
/// name</c>, little-endian.
/// </summary>
internal static class KeyEntry
{
    private const byte Form = 1;
    private const int TenureAt = 1, ToAt = TenureAt + 16, AlarmAt = ToAt + sizeof(long), Head = AlarmAt + 1, Check = sizeof(ulong);

    /// <summary>The bytes.</summary>
    /// <param name="name">Its name in the topic.</param>
    /// <param name="tenure">Who wrote it: one worker, from when it took the partition until it gave it up.</param>
    /// <param name="to">The position.</param>
    /// <param name="alarm">What is known of the key's alarms; empty for nothing.</param>
    /// <param name="state">The state.</param>
    public static byte[] Encode(
        ReadOnlySpan<byte> name, Guid tenure, long to, ReadOnlySpan<byte> alarm, ReadOnlySpan<byte> state)
    {
        byte[] bytes = new byte[Head + alarm.Length + state.Length + Check];
        bytes[0] = Form;
        tenure.TryWriteBytes(bytes.AsSpan(TenureAt));
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(ToAt), to);
        bytes[AlarmAt] = checked((byte)alarm.Length);
        alarm.CopyTo(bytes.AsSpan(Head));
        state.CopyTo(bytes.AsSpan(Head + alarm.Length));
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(bytes.Length - Check), Hash(name, bytes.AsSpan(0, bytes.Length - Check)));
        return bytes;
    }

    /// <summary>What was encoded so.</summary>
    /// <returns>False where it is nothing, something else, or damaged.</returns>
    public static bool TryDecode(
        ReadOnlySpan<byte> name, ReadOnlySpan<byte> bytes, out Guid tenure, out long to, out ReadOnlySpan<byte> alarm,
        out ReadOnlySpan<byte> state)
    {
        (tenure, to) = (default, 0);
        alarm = state = default;
        if (bytes.Length < Head + Check || bytes[0] != Form
            || BinaryPrimitives.ReadUInt64LittleEndian(bytes[^Check..]) != Hash(name, bytes[..^Check])) return false;
        tenure = new Guid(bytes.Slice(TenureAt, 16));
        to = BinaryPrimitives.ReadInt64LittleEndian(bytes[ToAt..]);
        int stateAt = Head + bytes[AlarmAt];
        if (to < 0 || stateAt >= bytes.Length - Check) return false;
        alarm = bytes[Head..stateAt];
        state = bytes[stateAt..^Check];
        return true;
    }

    /// <summary>What tells that bytes are those that were written under a name.</summary>
    public static ulong Hash(ReadOnlySpan<byte> name, ReadOnlySpan<byte> bytes) =>
        XxHash3.HashToUInt64(bytes, unchecked((long)XxHash3.HashToUInt64(name)));
}
