namespace StreamEm.Core.Features;

/// <summary>What the number in the timestamp field counts, since 1970. Names in YAML are in snake_case.</summary>
public enum TimestampUnit
{
    /// <summary>
    /// <c>auto</c>: told by magnitude. Below 10^11 seconds, below 10^14 milliseconds, below 10^17 microseconds, else nanoseconds: every
    /// instant from 1973 to 5138 is read as it was meant, whichever of the four it is written in.
    /// </summary>
    Auto,

    /// <summary><c>s</c>: seconds.</summary>
    S,

    /// <summary><c>ms</c>: milliseconds.</summary>
    Ms,

    /// <summary><c>us</c>: microseconds.</summary>
    Us,

    /// <summary><c>ns</c>: nanoseconds.</summary>
    Ns,
}
