using System.Globalization;

namespace StreamEm.Core.Features;

/// <summary>Times of the records, in local time, that nothing is learned from or that no alarm is raised in.</summary>
public sealed record Calendar
{
    /// <summary>The time zone (IANA name) of the spans.</summary>
    public string TimeZone { get; init; } = LocalClock.Utc;

    /// <summary>When nothing is learned.</summary>
    public IReadOnlyList<CalendarSpan> SkipLearning { get; init; } = [];

    /// <summary>When no alarm is raised.</summary>
    public IReadOnlyList<CalendarSpan> SkipAlarms { get; init; } = [];

    /// <summary>Whether this machine knows a time zone.</summary>
    public static bool Knows(string timeZone) => LocalClock.Find(timeZone) is not null;
}

/// <summary>
/// A span of local time: <c>sat sun</c>, <c>mon-fri 22:00-06:00</c> (hours that go past midnight belong to the day they begin on),
/// <c>2026-12-24..2026-12-26</c> (days, the last included), <c>2026-12-24T18:00..2026-12-25T06:00</c> (the end excluded).
/// </summary>
public sealed record CalendarSpan
{
    private const int EveryDay = 0x7F, MinutesOfDay = 24 * 60;
    private const long Minute = 60_000;

    private static readonly string[] Days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    private static readonly string[] Instants = ["yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd'T'HH:mm:ss"];

    private CalendarSpan(string text) => Text = text;

    /// <summary>What is expected, for a person.</summary>
    public static string Expected =>
        "a span of local time such as 'sat sun', 'mon-fri 22:00-06:00', '2026-12-24..2026-12-26' or "
            + "'2026-12-24T18:00..2026-12-25T06:00'";

    /// <summary>As it was written.</summary>
    public string Text { get; }

    private bool IsOnce { get; init; }

    /// <summary>Once: the local instants. Else minutes of the day, the end at most the beginning where it goes past midnight.</summary>
    private long From { get; init; }

    private long To { get; init; }

    private int Weekdays { get; init; }

    /// <summary>Reads a span.</summary>
    public static bool TryParse(string? text, out CalendarSpan span)
    {
        string[] words = (text ?? "").ToLowerInvariant().Split([' ', ','], StringSplitOptions.RemoveEmptyEntries);
        span = new CalendarSpan(string.Join(' ', words)) { Weekdays = EveryDay, To = MinutesOfDay };
        if (words.Length == 1 && words[0].Split("..") is [var from, var to]) return TryOnce(from, to, ref span);
        int weekdays = 0;
        bool hasHours = false;
        foreach (string word in words)
        {
            if (DaysOf(word) is > 0 and var named) weekdays |= named;
            else if (!hasHours && word.Split('-') is [var first, var last] && MinuteOf(first) is { } begin && MinuteOf(last) is { } end
                && begin < MinutesOfDay && begin != end)
            {
                hasHours = true;
                span = span with { From = begin, To = end };
            }
            else return false;
        }
        if (weekdays > 0) span = span with { Weekdays = weekdays };
        return words.Length > 0;
    }

    /// <summary>Whether an instant is in it.</summary>
    /// <param name="local">What the clock shows, as ms since 1970 of the local calendar.</param>
    public bool Contains(long local)
    {
        if (IsOnce) return local >= From && local < To;
        (int weekday, long time) = LocalClock.Read(local);
        long minute = time / Minute;
        if (From < To) return minute >= From && minute < To && Has(weekday);
        return (minute >= From && Has(weekday)) || (minute < To && Has((weekday + 6) % 7));
    }

    private bool Has(int weekday) => (Weekdays >> weekday & 1) != 0;

    private static bool TryOnce(string from, string to, ref CalendarSpan span)
    {
        if (InstantOf(from) is not { } begin || InstantOf(to) is not { } end) return false;
        long last = end + (to.Length == Instants[0].Length ? MinutesOfDay * Minute : 0);
        span = span with { IsOnce = true, From = begin, To = last };
        return begin < last;
    }

    private static long? InstantOf(string text) =>
        DateTime.TryParseExact(text.ToUpperInvariant(), Instants, CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out DateTime instant)
            ? new DateTimeOffset(instant).ToUnixTimeMilliseconds()
            : null;

    /// <summary>The days that a word names, a bit each; 0 for none.</summary>
    private static int DaysOf(string word)
    {
        string[] ends = word.Split('-');
        int first = Array.IndexOf(Days, ends[0]), last = Array.IndexOf(Days, ends[^1]), days = 0;
        if (first < 0 || last < 0 || ends.Length > 2) return 0;
        for (int day = first; ; day = (day + 1) % 7)
        {
            days |= 1 << day;
            if (day == last) return days;
        }
    }

    /// <summary>The minute of the day that <c>22:00</c> is; null for no time.</summary>
    private static int? MinuteOf(string text) =>
        text.Split(':') is [{ Length: 1 or 2 } hours, { Length: 2 } minutes]
            && int.TryParse(hours, NumberStyles.None, CultureInfo.InvariantCulture, out int hour)
            && int.TryParse(minutes, NumberStyles.None, CultureInfo.InvariantCulture, out int minute)
            && hour <= 24 && minute < 60 && 60 * hour + minute <= MinutesOfDay
                ? 60 * hour + minute
                : null;
}

/// <summary>Tells of an instant whether it is in a calendar's spans. One thread at a time.</summary>
/// <param name="calendar">The calendar.</param>
internal sealed class CalendarClock(Calendar calendar)
{
    private readonly LocalClock _clock = LocalClock.Of(calendar.TimeZone);

    /// <summary>Whether nothing is learned then; of a record without a time never.</summary>
    public bool SkipsLearning(long time) => Contains(calendar.SkipLearning, time);

    /// <summary>Whether no alarm is raised then; of a record without a time never.</summary>
    public bool SkipsAlarms(long time) => Contains(calendar.SkipAlarms, time);

    private bool Contains(IReadOnlyList<CalendarSpan> spans, long time)
    {
        if (spans.Count == 0 || time == Data.Minibatch.NoTimestamp) return false;
        long local = _clock.LocalOf(time);
        for (int at = 0; at < spans.Count; at++)
            if (spans[at].Contains(local)) return true;
        return false;
    }
}
