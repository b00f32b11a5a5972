using Confluent.Kafka;

namespace StreamEm.Worker.Kafka;

/// <summary>How a transaction ended.</summary>
internal enum TransactionEnd
{
    /// <summary>All of it is in the topics, and its offsets are the group's.</summary>
    Committed,

    /// <summary>Nothing of it will ever be read.</summary>
    Aborted,

    /// <summary>Nobody knows: the end was asked for and not confirmed. Only what is read tells.</summary>
    Unknown,

    /// <summary>Another has begun under the id, or the brokers took this one for dead. Only what is read tells.</summary>
    Fenced,
}

/// <summary>A message of a transaction.</summary>
/// <param name="To">Topic and partition; <see cref="Partition.Any"/> for the one that the key says.</param>
/// <param name="Message">The message.</param>
/// <param name="Written">Told its offset once the transaction is committed; null for nobody.</param>
internal readonly record struct TransactionMessage(
    TopicPartition To, Message<byte[]?, byte[]?> Message, Action<long>? Written = null)
{
    /// <summary>Messages in their order, in parts of at most so many bytes, or of one message.</summary>
    public static IEnumerable<TransactionMessage[]> Split(IReadOnlyList<TransactionMessage> messages, long bytes)
    {
        for (int start = 0, end; start < messages.Count; start = end)
        {
            end = start + 1;
            for (long size = SizeOf(start); end < messages.Count && (size += SizeOf(end)) <= bytes; end++)
            {
            }

            yield return [.. messages.Skip(start).Take(end - start)];
        }

        int SizeOf(int at) => messages[at].Message.Value?.Length ?? 0;
    }
}

/// <summary>A member's right to commit offsets of its group, as it was when they were read.</summary>
/// <param name="Metadata">What the brokers know it by; taken by the thread that polls.</param>
/// <param name="IsValid">Whether the member's partitions are still those it had then. Any thread.</param>
internal sealed record GroupClaim(IConsumerGroupMetadata Metadata, Func<bool> IsValid);

/// <summary>Offsets that a transaction commits for a group: of every partition the next to be read.</summary>
/// <param name="Claim">The right to.</param>
/// <param name="Next">The offsets, one a partition.</param>
internal sealed record GroupOffsets(GroupClaim Claim, IReadOnlyList<TopicPartitionOffset> Next);
