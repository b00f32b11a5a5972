using System.Globalization;
using StreamEm.Sources;

namespace StreamEm.Worker.Rejections;

/// <summary>
/// Counts records read and rejected, and says when too large a share of the recent ones is bad. See <see cref="RejectionCounts"/>.
/// </summary>
internal sealed class RejectionLedger
{
    /// <summary>Below so many records a ratio says nothing yet.</summary>
    public const int FirstCheck = 100;

    private readonly long[] _byReason;
    private double _recentRead, _recentRejected;

    /// <summary>Goes on from earlier counts.</summary>
    public RejectionLedger(RejectionCounts start)
    {
        Read = start.Read;
        _byReason = [.. start.ByReason];
        Array.Resize(ref _byReason, Enum.GetValues<RejectionReason>().Length);
        _recentRead = start.RecentRead;
        _recentRejected = start.RecentRejected;
        UnreadKeys = start.UnreadKeys;
        UnreadTimestamps = start.UnreadTimestamps;
    }

    /// <summary>Records read, accepted or not.</summary>
    public long Read { get; private set; }

    /// <summary>Records rejected.</summary>
    public long Rejected => _byReason.Sum();

    /// <summary>Records rejected for one reason.</summary>
    public long this[RejectionReason reason] => _byReason[(int)reason];

    /// <summary>Records used without their key, which could not be read.</summary>
    public long UnreadKeys { get; private set; }

    /// <summary>Records used without their time, which could not be read.</summary>
    public long UnreadTimestamps { get; private set; }

    /// <summary>Records passed over since the start because the model is not about them (<c>where</c>).</summary>
    public long FilteredOut { get; private set; }

    /// <summary>Counts records that the model is not about.</summary>
    public void FilterOut(int count) => FilteredOut += count;

    /// <summary>Counts good records of a batch.</summary>
    public void Accept(RecordBatch batch, int first, int count)
    {
        Accept(count);
        UnreadKeys += batch.CountUnread(OptionalFields.Key, first, count);
        UnreadTimestamps += batch.CountUnread(OptionalFields.Timestamp, first, count);
    }

    /// <summary>Counts good records.</summary>
    public void Accept(int count = 1)
    {
        Read += count;
        while (_recentRead + count >= RejectionCounts.Memory)
        {
            // Forgets at the record where it would when counted one by one.
            int few = (int)Math.Ceiling(RejectionCounts.Memory - _recentRead);
            count -= few;
            _recentRead += few;
            Forget();
        }
        _recentRead += count;
    }

    /// <summary>Counts a bad record.</summary>
    public void Reject(RejectionReason reason)
    {
        _byReason[(int)reason]++;
        _recentRejected++;
        Accept();
    }

    /// <summary>The counts as a value.</summary>
    public RejectionCounts ToCounts() => new()
    {
        Read = Read,
        ByReason = [.. _byReason],
        RecentRead = _recentRead,
        RecentRejected = _recentRejected,
        UnreadKeys = UnreadKeys,
        UnreadTimestamps = UnreadTimestamps,
    };

    /// <summary>What to tell the user when the recent share of bad records is above the limit; null when it is not.</summary>
    /// <param name="limit"><c>rejected.stop_above_ratio</c>.</param>
    /// <param name="atEnd">Whether the source has ended, so that few records count too.</param>
    public string? Excess(double limit, bool atEnd)
    {
        // On the way three standard deviations of chance are allowed, so that a stream at the limit is not stopped by a cluster of bad
        // records.
        double chance = atEnd ? 0 : 3 * Math.Sqrt(limit * (1 - limit) * _recentRead);
        if ((Read < FirstCheck && !atEnd) || _recentRejected <= limit * _recentRead + chance) return null;
        var worst = _byReason.Select((count, reason) => (Reason: (RejectionReason)reason, Count: count)).Where(pair => pair.Count > 0)
            .OrderByDescending(pair => pair.Count)
            .Select(pair => string.Create(CultureInfo.InvariantCulture, $"{Telemetry.SnakeCase.Of(pair.Reason)} {pair.Count}"));
        return string.Create(CultureInfo.InvariantCulture,
            $"{Rejected} of {Read} records were rejected ({string.Join(", ", worst)}); the recent ratio is "
                + $"{_recentRejected / _recentRead:0.####}, rejected.stop_above_ratio allows {limit:0.####}. ") +
            "Mend the data or the features' names, or raise rejected.stop_above_ratio.";
    }

    private void Forget()
    {
        _recentRead /= 2;
        _recentRejected /= 2;
    }
}
