using System.Globalization;

namespace StreamEm.Worker.Api;

/// <summary>Durations in requests: <c>30s</c>, <c>500ms</c>, <c>1m</c>, or a number of seconds.</summary>
internal static class WaitTime
{
    private static readonly (string Unit, double Seconds)[] Units = [("ms", 0.001), ("s", 1), ("m", 60), ("", 1)];

    /// <summary>Reads a duration; negative ones are none.</summary>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = default;
        (string unit, double seconds) = Units.First(unit => text.EndsWith(unit.Unit, StringComparison.Ordinal));
        if (!double.TryParse(text.AsSpan(0, text.Length - unit.Length), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture,
            out double count) || !double.IsFinite(count))
            return false;
        duration = TimeSpan.FromSeconds(Math.Min(count * seconds, 86_400));
        return true;
    }
}
