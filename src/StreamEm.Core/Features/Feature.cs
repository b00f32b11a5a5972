namespace StreamEm.Core.Features;

/// <summary>What a feature holds.</summary>
public enum FeatureKind
{
    /// <summary>A finite number.</summary>
    Number,

    /// <summary>An integer of at least 0.</summary>
    Count,

    /// <summary>0 or 1, false or true.</summary>
    Binary,

    /// <summary>A finite number of at least 0.</summary>
    NonNegative,

    /// <summary>One of a number of levels, each a text or a number; inside, the level's code 0, 1, ...</summary>
    Level,

    /// <summary>
    /// A text of words, or how often each of some terms stands in it; inside, how many of its terms are in the vocabulary, and beside it
    /// which (<see cref="Data.Minibatch.Terms"/>). The vocabulary is the feature's levels.
    /// </summary>
    Terms,
}

/// <summary>What is done to a feature's values before they are learned from.</summary>
public enum FeatureScaling
{
    /// <summary>(x - location) / scale, the mean and standard deviation of the first records.</summary>
    LocationAndScale,

    /// <summary>The same, with one scale for all such features: for models that know one noise for all.</summary>
    CommonScale,

    /// <summary>x / scale, the mean of the first records: for positive values whose zero means something.</summary>
    ScaleOnly,

    /// <summary>Nothing: counts, codes, and whatever comes in its own units.</summary>
    None,
}

/// <summary>One column of the records, as a model sees it.</summary>
/// <param name="Name">The field's name.</param>
/// <param name="Kind">What it holds.</param>
/// <param name="Scaling">What is done to its values.</param>
public sealed record Feature(string Name, FeatureKind Kind = FeatureKind.Number, FeatureScaling Scaling = FeatureScaling.LocationAndScale)
{
    /// <summary>What is taken off a value, user units.</summary>
    public double Location { get; init; }

    /// <summary>What a value less its location is divided by, user units; positive.</summary>
    public double Scale { get; init; } = 1;

    /// <summary>The variance inside: 1, or what it is where the scale was not learned.</summary>
    public double Variance { get; init; } = 1;

    /// <summary>The mean inside: 0, or what it is where the location was not learned.</summary>
    public double Mean { get; init; }

    /// <summary>
    /// The texts of the codes 0, 1, ..., in the order they first appeared; empty for what has no levels or has not met any.
    /// </summary>
    public IReadOnlyList<string> Levels { get; init; } = [];

    /// <summary>The most levels there may be; 0 for what has none.</summary>
    public int MaxLevels { get; init; }

    /// <summary>Terms that are left out of the vocabulary, whatever the records say.</summary>
    public IReadOnlyList<string> StopTerms { get; init; } = [];

    /// <summary>Whether it has levels: codes stand for texts.</summary>
    public bool HasLevels => Kind is FeatureKind.Level or FeatureKind.Terms;
}
