namespace StreamEm.Core.Features;

/// <summary>How a feature is made. Names in YAML are in snake_case.</summary>
public enum FeatureFormula
{
    /// <summary>x(t - s): the value s records of the key before.</summary>
    Lag,

    /// <summary>x(t) - x(t - s).</summary>
    Difference,

    /// <summary>(x(t) - x(t - s)) / (time between the two records, in seconds); missing where no time has passed.</summary>
    Rate,

    /// <summary>log(x + offset), the natural logarithm; missing where x + offset is not above 0.</summary>
    Log,

    /// <summary>Mean of the last w values of the key, this one included.</summary>
    RollingMean,

    /// <summary>Standard deviation of the last w values, this one included: divided by their number less 1; missing of one value.</summary>
    RollingDeviation,

    /// <summary>Sine and cosine of 2 pi h / 24, h the hour of the day with its fraction, in local time.</summary>
    HourOfDay,

    /// <summary>Sine and cosine of 2 pi d / 7, d the days since Monday 00:00 with their fraction, in local time.</summary>
    DayOfWeek,
}

/// <summary>
/// A feature that is no field of the record but made of one, of the event time, or of what came before of the same key. A missing value
/// makes what is made of it missing; rolling features leave it out.
/// </summary>
/// <param name="Name">The feature's name; of two features (hour and day) their names' beginning.</param>
/// <param name="Formula">How it is made.</param>
/// <param name="Source">The field, or a feature made before it in the list; of hour and day the field of the event time.</param>
public sealed record DerivedFeature(string Name, FeatureFormula Formula, string Source)
{
    /// <summary>s: records of the key back; of lag, difference and rate.</summary>
    public int Steps { get; init; } = 1;

    /// <summary>w: values remembered; of rolling features.</summary>
    public int Window { get; init; } = 10;

    /// <summary>What is added before the logarithm is taken.</summary>
    public double Offset { get; init; }

    /// <summary>The time zone (IANA name) of hour and day.</summary>
    public string TimeZone { get; init; } = LocalClock.Utc;

    /// <summary>Whether it is made of the event time alone.</summary>
    public bool IsOfTime => Formula is FeatureFormula.HourOfDay or FeatureFormula.DayOfWeek;

    /// <summary>Whether records need an event time for it.</summary>
    public bool NeedsTime => IsOfTime || Formula == FeatureFormula.Rate;

    /// <summary>The names of the features that it is.</summary>
    public IReadOnlyList<string> Outputs => IsOfTime ? [$"{Name}_sine", $"{Name}_cosine"] : [Name];

    /// <summary>Numbers that are remembered of a key for it.</summary>
    internal int MemoryLength => Formula switch
    {
        FeatureFormula.Lag or FeatureFormula.Difference => 1 + Steps,
        FeatureFormula.Rate => 1 + 2 * Steps,
        FeatureFormula.RollingMean or FeatureFormula.RollingDeviation => RollingMoments.LengthOf(Window),
        _ => 0,
    };
}
