using StreamEm.Core.Initialization;
using StreamEm.Core.Learning;
using StreamEm.Core.Schedules;

namespace StreamEm.Core.Online;

/// <summary>How an <see cref="OnlineModel"/> learns.</summary>
public sealed record OnlineModelOptions
{
    internal const string Label = "label", Target = "target", Key = "key";

    /// <summary>Rows of an update, at least 1.</summary>
    public int MinibatchSize { get; init; } = 512;

    /// <summary>Exponent of the step size gamma_t = (1 + t)^-kappa, 0.5 &lt; kappa &lt;= 1.</summary>
    public double Kappa { get; init; } = 0.7;

    /// <summary>
    /// Rows at the start in which the first parameters are found, at least 2; they are then learned from like all others.
    /// </summary>
    public int Buffer { get; init; } = 1536;

    /// <summary>Seed of all chance.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>
    /// Whether a row too far from all that was seen is learned like any other (plain EM) instead of with bounded influence.
    /// </summary>
    public bool LearnsOutliers { get; init; }

    /// <summary>Whether features are brought to location 0 and scale 1 by what the first rows hold.</summary>
    public bool Standardize { get; init; } = true;

    /// <summary>Whether rows have a target: for models that predict.</summary>
    public bool HasTarget { get; init; }

    /// <summary>Threads of an update; 0: all cores. The result does not depend on it.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>The same, if they can be.</summary>
    /// <exception cref="ArgumentException">One cannot.</exception>
    internal OnlineModelOptions Checked()
    {
        Require(MinibatchSize >= 1, nameof(MinibatchSize), MinibatchSize, "at least 1");
        Require(Kappa is > 0.5 and <= 1, nameof(Kappa), Kappa, "more than 0.5, at most 1");
        Require(Buffer >= 2, nameof(Buffer), Buffer, "at least 2");
        Require(Threads >= 0, nameof(Threads), Threads, "at least 0");
        return this;
    }

    internal LearningOptions ToLearning() => new()
    {
        MinibatchSize = MinibatchSize,
        StepSize = new StepSizeOptions { Kappa = Kappa },
        Initialization = new InitializationOptions { Buffer = Buffer, Seed = Seed },
        Learn = LearnsOutliers ? LearnMode.Always : LearnMode.Bounded,
        Standardize = Standardize,
    };

    private static void Require(bool holds, string name, object value, string expected)
    {
        if (!holds) throw new ArgumentException($"{name} is {value}; expected {expected}.", name);
    }
}
