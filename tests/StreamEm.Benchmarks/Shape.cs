namespace StreamEm.Benchmarks;

/// <summary>
/// One size of problem: D features, K components, and the rows that each contender gets (fewer where an iteration takes seconds).
/// </summary>
internal sealed record Shape(int Dimension, int Components, int Rows, int SlowRows)
{
    /// <summary>The sizes every table has.</summary>
    public static IReadOnlyList<Shape> All(bool quick) => quick
        ? [new(2, 3, 50_000, 50_000), new(8, 8, 50_000, 20_000), new(16, 16, 30_000, 6_000), new(32, 16, 20_000, 2_000),
            new(64, 32, 5_000, 1_000)]
        : [new(2, 3, 200_000, 200_000), new(8, 8, 200_000, 50_000), new(16, 16, 200_000, 20_000), new(32, 16, 100_000, 8_000),
            new(64, 32, 50_000, 3_000)];

    /// <summary>
    /// Floating-point operations per row of one iteration: form, square, r x and its product with x; exp and log are not counted.
    /// </summary>
    public double Flops(bool full) => Components * (full ? 2.0 * (Dimension * Dimension + 3 * Dimension) : 8.0 * Dimension);

    /// <inheritdoc/>
    public override string ToString() => $"({Dimension},{Components})";
}
