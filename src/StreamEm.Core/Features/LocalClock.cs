namespace StreamEm.Core.Features;

/// <summary>
/// Local time of a time zone, daylight saving included: where clocks are put back an hour comes twice, where they are put forward one is
/// left out. What an instant is locally is asked of the machine's time zone data once in a quarter of an hour of event time, between
/// which no zone changes. One thread at a time.
/// </summary>
/// <param name="zone">The zone.</param>
internal sealed class LocalClock(TimeZoneInfo zone)
{
    /// <summary>The zone of every configuration that names none.</summary>
    public const string Utc = "UTC";

    private const long Quarter = 15 * 60 * 1000, Day = 24 * 60 * 60 * 1000;

    private long _quarter = long.MinValue, _offset;

    /// <summary>The zone with an IANA name; null where this machine knows none.</summary>
    public static TimeZoneInfo? Find(string name) =>
        name == Utc ? TimeZoneInfo.Utc
        : name.Length > 0 && TimeZoneInfo.TryFindSystemTimeZoneById(name, out TimeZoneInfo? zone) ? zone : null;

    /// <summary>A clock.</summary>
    /// <exception cref="ArgumentException">This machine does not know the zone.</exception>
    public static LocalClock Of(string name) => new(Find(name) ?? throw new ArgumentException(
        $"This machine has no time zone '{name}'; install its time zone data (tzdata), or use {Utc}.", nameof(name)));

    /// <summary>What the clock shows, as ms since 1970-01-01 00:00 of the local calendar.</summary>
    /// <param name="time">ms since 1970, UTC.</param>
    public long LocalOf(long time)
    {
        long quarter = FloorOf(time, Quarter);
        if (quarter == _quarter) return time + _offset;
        DateTimeOffset instant = DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(
            time, DateTimeOffset.MinValue.ToUnixTimeMilliseconds(), DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()));
        (_quarter, _offset) = (quarter, (long)zone.GetUtcOffset(instant).TotalMilliseconds);
        return time + _offset;
    }

    /// <summary>Days since Monday, 0 to 6, and ms since midnight of what a clock shows.</summary>
    public static (int Weekday, long Time) Read(long local)
    {
        long day = FloorOf(local, Day);
        // 1970-01-01 was a Thursday.
        return ((int)((((day + 3) % 7) + 7) % 7), local - day * Day);
    }

    /// <summary>The part of the day, in [0, 1).</summary>
    public static double PartOfDay(long time) => time / (double)Day;

    private static long FloorOf(long time, long unit) => time >= 0 ? time / unit : -((-time + unit - 1) / unit);
}
