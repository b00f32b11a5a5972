namespace StreamEm.Sources.Columnar;

/// <summary>Where a row group is.</summary>
/// <param name="First">The number of its first row in the file.</param>
/// <param name="Count">Rows.</param>
internal readonly record struct RowGroupPlace(long First, int Count)
{
    /// <summary>The number of the row after its last.</summary>
    public long End => First + Count;
}
