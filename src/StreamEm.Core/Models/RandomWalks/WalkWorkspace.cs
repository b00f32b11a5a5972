namespace StreamEm.Core.Models.RandomWalks;

/// <summary>One thread's particles, of as many rows as are looked back on at once.</summary>
/// <param name="particles">N.</param>
internal sealed class WalkWorkspace(int particles) : Workspace
{
    /// <summary>Rows that are looked back on at once: what a path drawn backwards is made of.</summary>
    public const int Reach = 256;

    private double[] _levels = [], _cumulative = [];

    /// <summary>The particles as they stand [N]; not above 0 for those that are dead.</summary>
    public double[] Levels { get; } = new double[particles];

    /// <summary>Their weights [N]; they sum to 1.</summary>
    public double[] Weights { get; } = new double[particles];

    /// <summary>Sum over paths of the squared levels of a sequence's first row.</summary>
    public double FirstSquares { get; set; }

    /// <summary>Scratch [N].</summary>
    public double[] Scratch { get; } = new double[particles];

    /// <summary>Scratch [N].</summary>
    public int[] Order { get; } = new int[particles];

    /// <summary>What every row says.</summary>
    public StepCounts[] Steps { get; } = new StepCounts[Reach];

    /// <summary>Whether it was learned from.</summary>
    public bool[] Says { get; } = new bool[Reach];

    /// <summary>Sums over paths of the levels of the state that a block came with, then of its rows.</summary>
    public double[] LevelSums { get; } = new double[Reach + 1];

    /// <summary>Sums over paths of the squared changes into every row of a block.</summary>
    public double[] ChangeSums { get; } = new double[Reach];

    /// <summary>What is remembered of a key: particles and the number of rows.</summary>
    public double[] Kept { get; } = new double[particles + 1];

    /// <summary>The particles of a row of a block, from 1; 0: those that it came with [N].</summary>
    public Span<double> LevelsOf(int row) => _levels.AsSpan(row * particles, particles);

    /// <summary>Sums of their weights [N].</summary>
    public Span<double> CumulativeOf(int row) => _cumulative.AsSpan(row * particles, particles);

    /// <summary>Makes room for so many rows.</summary>
    public void Reserve(int rows)
    {
        if (_levels.Length >= rows * particles) return;
        (_levels, _cumulative) = (new double[rows * particles], new double[rows * particles]);
    }
}
