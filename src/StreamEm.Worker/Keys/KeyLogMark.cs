namespace StreamEm.Worker.Keys;

/// <summary>What a checkpoint says of the log of keys: how much of which files is its state.</summary>
/// <param name="Keys">Keys there are.</param>
/// <param name="Segments">The files, oldest first.</param>
public sealed record KeyLogMark(long Keys, IReadOnlyList<KeySegmentMark> Segments);

/// <summary>One file of the log of keys.</summary>
/// <param name="Number">The number in its name.</param>
/// <param name="Length">Its bytes that count; what follows them was written later.</param>
public sealed record KeySegmentMark(long Number, long Length);
