namespace StreamEm.Worker.Rejections;

/// <summary>How far a file of rejected records belongs to a state, and which file that is.</summary>
/// <param name="Length">Its length in bytes.</param>
/// <param name="Identity">Device and inode, and a hash of the last record before that length; null in states of releases up to 0.1.</param>
public sealed record RejectedFileMark(long Length, string? Identity);
