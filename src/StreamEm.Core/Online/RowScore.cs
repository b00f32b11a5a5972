using StreamEm.Core.Vectors;

namespace StreamEm.Core.Online;

/// <summary>What is known of a row beside its features.</summary>
/// <param name="Weight">Its weight; null: 1.</param>
/// <param name="Label">Its label: the name of a component or class; null: unlabelled.</param>
/// <param name="Key">The sequence it belongs to; null: none.</param>
/// <param name="Target">The value to be predicted; null: not known.</param>
public readonly record struct RowRole(double? Weight = null, string? Label = null, string? Key = null, double? Target = null);

/// <summary>What a model says of a row.</summary>
public sealed class RowScore
{
    private readonly VectorLayout _layout;
    private readonly double[] _outputs;

    internal RowScore(VectorLayout layout, double[] outputs) => (_layout, _outputs) = (layout, outputs);

    /// <summary>log p(row) in nats, in the units of the rows; of the observed features where some are missing.</summary>
    public required double LogDensity { get; init; }

    /// <summary>The share of the rows so far that are less improbable; NaN until 100 are learned.</summary>
    public required double AnomalyScore { get; init; }

    /// <summary>1 minus the anomaly score, with its resolution in the tail.</summary>
    public required double PValue { get; init; }

    /// <summary>The components' ids, as <see cref="Responsibilities"/> has them; none for a model without.</summary>
    public required IReadOnlyList<string> ComponentIds { get; init; }

    /// <summary>Names of the outputs: <c>responsibilities</c>, ...</summary>
    public IReadOnlyList<string> Outputs => [.. _layout.Blocks.Select(block => block.Name)];

    /// <summary>The probability of every component given the row, K.</summary>
    /// <exception cref="InvalidOperationException">The model has no components.</exception>
    public double[] Responsibilities => Output("responsibilities");

    /// <summary>The component the row most probably comes from; -1 for a model without components.</summary>
    public int Component
    {
        get
        {
            if (!_layout.Contains("responsibilities")) return -1;
            double[] shares = Responsibilities;
            return Array.IndexOf(shares, shares.Max());
        }
    }

    /// <summary>An output by its name, row by row.</summary>
    /// <exception cref="InvalidOperationException">There is none of this name.</exception>
    public double[] Output(string name) => _layout.Contains(name)
        ? _layout[name].Of(_outputs.AsSpan()).ToArray()
        : throw new InvalidOperationException($"There is no output '{name}'; there are {string.Join(", ", Outputs)}.");
}
