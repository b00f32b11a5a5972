namespace StreamEm.Sources.Http;

/// <summary>
/// How much text of rejected records is kept while too many are rejected: a bucket of <see cref="Burst"/> characters that fills again at
/// <see cref="PerSecond"/>. What clients send can then fill a disk only so fast.
/// </summary>
internal sealed class RejectionBudget(TimeProvider time)
{
    /// <summary>Characters kept at once.</summary>
    public const int Burst = 1 << 20;

    /// <summary>Characters kept per second in the long run, some 1.4 GB a day.</summary>
    public const int PerSecond = 16 * 1024;

    /// <summary>What a record costs beside its text: reason, detail and place.</summary>
    public const int PerRecord = 128;

    private double _left = Burst;
    private long _since = time.GetTimestamp();

    /// <summary>Takes so many characters, if so many are left or the bucket is full.</summary>
    public bool TryTake(long characters)
    {
        long now = time.GetTimestamp();
        _left = Math.Min(Burst, _left + PerSecond * time.GetElapsedTime(_since, now).TotalSeconds);
        _since = now;
        if (characters > _left && _left < Burst) return false;
        _left -= characters;
        return true;
    }
}
