namespace StreamEm.Core.Learning;

/// <summary>How improbable the rows of a minibatch were under the parameters before it: memory used again for every minibatch.</summary>
internal sealed class Surprise
{
    /// <summary>log p(x) inside, one per row.</summary>
    public double[] LogDensities { get; private set; } = [];

    /// <summary>See <see cref="Models.Pass.Comparable"/>: one per row, of those with values missing.</summary>
    public double[] Comparable { get; private set; } = [];

    /// <summary>Whether no value is missing.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>What the rows' weights are in.</summary>
    public double Unit { get; private set; }

    /// <summary>Makes room for a minibatch.</summary>
    public void Begin(int rows, bool isComplete, double unit)
    {
        (IsComplete, Unit) = (isComplete, unit);
        if (LogDensities.Length < rows) LogDensities = new double[rows];
        if (!isComplete && Comparable.Length < rows) Comparable = new double[rows];
    }
}
