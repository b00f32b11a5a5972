namespace StreamEm.Worker.ScaleOut;

/// <summary>Records of one partition: all from one position to another.</summary>
/// <param name="Partition">The partition's name: <c>sensors/3</c>.</param>
/// <param name="From">The position of the first.</param>
/// <param name="To">The position after the last, above <paramref name="From"/>.</param>
internal readonly record struct RecordRange(string Partition, long From, long To);

/// <summary>How a range goes on from those before it.</summary>
internal enum RangeFit
{
    /// <summary>It begins where they end.</summary>
    Next,

    /// <summary>All of it is among them.</summary>
    Duplicate,

    /// <summary>Some of it is among them.</summary>
    Overlap,

    /// <summary>Records between them and it are missing.</summary>
    Gap,
}
