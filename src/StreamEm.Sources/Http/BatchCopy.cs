namespace StreamEm.Sources.Http;

/// <summary>A batch that is copied into others, from a record and a rejected record on.</summary>
internal readonly record struct BatchCopy(RecordBatch Source, int Row = 0, int Rejected = 0)
{
    /// <summary>Copies as much as fits.</summary>
    /// <param name="target">A cleared batch.</param>
    /// <param name="rest">What is left; null when all was copied.</param>
    /// <returns>Number of records copied, rejected ones included.</returns>
    public int CopyTo(RecordBatch target, out BatchCopy? rest)
    {
        int row = Row, rejected = Rejected;
        while (!target.IsFull && (row < Source.Count || rejected < Source.Rejected.Count))
        {
            if (rejected < Source.Rejected.Count && Source.Rejected[rejected].BeforeRow <= row)
            {
                RejectedRecord record = Source.Rejected[rejected++];
                target.Reject(record.Reason, record.Detail, record.Offset, record.Offset + 1, record.Text);
                continue;
            }
            target.Take(Source, row);
            row++;
        }
        bool isDone = row == Source.Count && rejected == Source.Rejected.Count;
        rest = isDone ? null : new BatchCopy(Source, row, rejected);
        return row - Row + rejected - Rejected;
    }
}
