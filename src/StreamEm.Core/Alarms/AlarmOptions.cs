namespace StreamEm.Core.Alarms;

/// <summary>To which side of what is expected a value has to lie.</summary>
public enum Direction
{
    /// <summary>Either.</summary>
    Both,

    /// <summary>Above.</summary>
    Up,

    /// <summary>Below.</summary>
    Down,
}

/// <summary>When a record raises an alarm.</summary>
public sealed record AlarmOptions
{
    /// <summary>A record whose p-value is below it may raise an alarm.</summary>
    public double Threshold { get; init; } = 0.01;

    /// <summary>
    /// The share of the alarms that may be false, expected: a record raises one when its p-value is at most a level that follows from it
    /// (<see cref="DiscoveryRate"/>) and from <see cref="Threshold"/>, which the level is never above; null: the threshold alone decides.
    /// </summary>
    public double? FalseDiscoveryRate { get; init; }

    /// <summary>
    /// An alarm lasts until a record of its key has a p-value of at least this; null: of at least <see cref="Threshold"/>.
    /// </summary>
    public double? Clear { get; init; }

    /// <summary>
    /// Records of a key after an alarm among which only one that is at least twice as improbable raises another.
    /// </summary>
    public int Rest { get; init; } = 100;

    /// <summary>The part of the key's records so far that a rest lasts for, where that is more; 0 for none.</summary>
    public double RestShare { get; init; }

    /// <summary>The most records a rest lasts for because of <see cref="RestShare"/>; null: any number.</summary>
    public int? RestAtMost { get; init; }

    /// <summary>
    /// A record whose p-value is below it is in alarm whether or not it raises one; null: below <see cref="Threshold"/>, and below a tenth
    /// of it where alarms are raised by what is new.
    /// </summary>
    public double? Flag { get; init; }

    /// <summary>The least event time between two alarms of a key, however strong; null for none.</summary>
    public TimeSpan? MinGap { get; init; }

    /// <summary>
    /// By how much a feature has to be off what is expected, in the user's units; the name * stands for every feature not named.
    /// </summary>
    public IReadOnlyDictionary<string, double> MinDeviation { get; init; } = new Dictionary<string, double>(StringComparer.Ordinal);

    /// <summary>To which side a feature has to be off; the name * stands for every feature not named.</summary>
    public IReadOnlyDictionary<string, Direction> Direction { get; init; } = new Dictionary<string, Direction>(StringComparer.Ordinal);

    /// <summary>Keys remembered; beyond, the one not met for longest begins anew.</summary>
    public int MaxKeys { get; init; } = 10_000;
}
