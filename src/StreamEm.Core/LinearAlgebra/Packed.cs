namespace StreamEm.Core.LinearAlgebra;

/// <summary>Packed lower triangles: entry (i, j) of a symmetric or lower-triangular matrix, j &lt;= i, is at i (i + 1) / 2 + j.</summary>
internal static class Packed
{
    /// <summary>Doubles in the packed triangle of a D x D matrix: P(D) = D (D + 1) / 2.</summary>
    public static int Length(int dimension) => dimension * (dimension + 1) / 2;

    /// <summary>Index of entry (i, j), j &lt;= i.</summary>
    public static int Index(int i, int j) => i * (i + 1) / 2 + j;
}
