namespace StreamEm.Core.Estimation;

/// <summary>Which quantity the stepwise recursion interpolates.</summary>
public enum Recursion
{
    /// <summary>Theta(t) = (1 - gamma) Theta(t-1) + gamma argmax Q, Q from the current minibatch alone.</summary>
    Parameters,

    /// <summary>s(t) = (1 - gamma) s(t-1) + gamma s_bar(minibatch); Theta(t) = M(s(t)) (Cappé &amp; Moulines 2009, eq. 15).</summary>
    Statistics,
}

/// <summary>How the first parameters are found in the buffered start of the stream.</summary>
public enum InitializationMethod
{
    /// <summary>Centres drawn with probability proportional to the squared distance from those chosen (Arthur &amp; Vassilvitskii 2007).</summary>
    KMeansPlusPlus,

    /// <summary>Each centre the row farthest from those chosen (Gonzalez 1985).</summary>
    FarthestPoint,

    /// <summary>Centres drawn from the rows.</summary>
    RandomFromData,
}

/// <summary>What happens to a component that has lost its weight.</summary>
public enum DeadComponents
{
    /// <summary>It starts anew where the current model explains the data worst.</summary>
    Reseed,

    /// <summary>It stays as it is.</summary>
    Keep,
}

/// <summary>gamma_t = max(floor, (t + t0)^-kappa), t = 1, 2, ...</summary>
public sealed record StepSizeOptions
{
    /// <summary>Exponent, 0.5 &lt; kappa &lt;= 1.</summary>
    public double Kappa { get; init; } = 0.7;

    /// <summary>Delay, at least 0.</summary>
    public double T0 { get; init; } = 1;

    /// <summary>Smallest step size, in [0, 1): the memory of a model that must follow drift is 1 / floor minibatches.</summary>
    public double Floor { get; init; }
}

/// <summary>How learning starts.</summary>
public sealed record InitializationOptions
{
    /// <summary>How centres are chosen.</summary>
    public InitializationMethod Method { get; init; } = InitializationMethod.KMeansPlusPlus;

    /// <summary>Records kept from the start of the stream to find the first parameters in; they are then learned from like all others.</summary>
    public int Buffer { get; init; } = 1536;

    /// <summary>Restarts, ranked by log-likelihood on a held-out part of the buffer.</summary>
    public int NInit { get; init; } = 3;

    /// <summary>Seed of all chance.</summary>
    public ulong Seed { get; init; } = 1;
}

/// <summary>How a model learns from its stream.</summary>
public sealed record LearningOptions
{
    /// <summary>Parameter or statistics recursion.</summary>
    public Recursion Recursion { get; init; } = Recursion.Parameters;

    /// <summary>The step size schedule.</summary>
    public StepSizeOptions StepSize { get; init; } = new();

    /// <summary>Records per minibatch.</summary>
    public int MinibatchSize { get; init; } = 512;

    /// <summary>How learning starts.</summary>
    public InitializationOptions Initialization { get; init; } = new();

    /// <summary>Whether features are standardised by location and scale of the buffer.</summary>
    public bool Standardize { get; init; } = true;

    /// <summary>What happens to dead components.</summary>
    public DeadComponents DeadComponents { get; init; } = DeadComponents.Reseed;

    /// <summary>Half-life of the anomaly score's memory in records; null remembers the whole stream.</summary>
    public double? AnomalyHalfLife { get; init; }
}
