namespace StreamEm.Worker.Publishing;

/// <summary>A snapshot on its way to the publishers, as bytes.</summary>
/// <param name="Version">The snapshot's version.</param>
/// <param name="IsLast">Whether it is the last version of a drained run, which every publisher wants.</param>
/// <param name="Json">The snapshot as one line of JSON, without the line feed.</param>
public sealed record OutboxEntry(long Version, bool IsLast, ReadOnlyMemory<byte> Json);
