using System.Globalization;
using System.Text.RegularExpressions;

namespace StreamEm.Core.Settings;

/// <summary>
/// A length of time above zero and at most a year, as a number with a unit: <c>500ms</c>, <c>1.5s</c>, <c>5m</c>, <c>2h</c>, <c>1d</c>.
/// </summary>
public sealed partial class DurationKind : ValueKind<TimeSpan>
{
    private static readonly (string Unit, TimeSpan Length)[] Units =
    [
        ("d", TimeSpan.FromDays(1)), ("h", TimeSpan.FromHours(1)), ("m", TimeSpan.FromMinutes(1)), ("s", TimeSpan.FromSeconds(1)),
        ("ms", TimeSpan.FromMilliseconds(1)),
    ];

    private static readonly TimeSpan Longest = TimeSpan.FromDays(365);

    /// <inheritdoc/>
    public override string Expected => "a duration such as 500ms, 10s, 5m or 2h, above 0";

    /// <inheritdoc/>
    public override bool TryParse(string? text, out TimeSpan value)
    {
        value = default;
        Match match = Pattern().Match(text ?? "");
        if (!match.Success) return false;
        double number = double.Parse(match.Groups["number"].ValueSpan, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture);
        TimeSpan unit = Array.Find(Units, candidate => candidate.Unit == match.Groups["unit"].Value).Length;
        double ticks = Math.Round(number * unit.Ticks);
        if (ticks < TimeSpan.TicksPerMillisecond || ticks > Longest.Ticks) return false;
        value = new TimeSpan((long)ticks);
        return true;
    }

    /// <summary>The largest unit that gives a whole number.</summary>
    public override string Format(TimeSpan value)
    {
        foreach ((string unit, TimeSpan length) in Units)
        {
            if (value.Ticks % length.Ticks == 0) return string.Create(CultureInfo.InvariantCulture, $"{value.Ticks / length.Ticks}{unit}");
        }

        return string.Create(CultureInfo.InvariantCulture, $"{value.TotalMilliseconds}ms");
    }

    [GeneratedRegex("^(?<number>[0-9]{1,12}(\\.[0-9]{1,6})?)(?<unit>ms|s|m|h|d)\\z",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, Timeout.Infinite)]
    private static partial Regex Pattern();
}
