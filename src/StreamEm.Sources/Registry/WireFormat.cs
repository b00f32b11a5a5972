using System.Buffers.Binary;

namespace StreamEm.Sources.Registry;

/// <summary>
/// What a message of a schema registry begins with (Confluent, "Wire format"): a zero byte, the number of its schema in 4 bytes, the
/// highest first; then comes the value.
/// </summary>
internal static class WireFormat
{
    /// <summary>Bytes before the value.</summary>
    public const int Length = 5;

    /// <summary>What is expected of a message that does not begin so, for a person.</summary>
    public const string Expected =
        "expected a zero byte, the number of a schema in 4 bytes and the value, as serializers that use a schema registry write it";

    /// <summary>The number of the schema; false for a message that does not begin so.</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, out int schema)
    {
        schema = 0;
        return message.Length >= Length && message[0] == 0 && (schema = BinaryPrimitives.ReadInt32BigEndian(message[1..])) >= 0;
    }
}
