namespace StreamEm.Core.LinearAlgebra;

/// <summary>Cholesky factorisation of small symmetric positive definite matrices, packed lower triangles (Golub &amp; Van Loan 2013, section 4.2).</summary>
internal static class Cholesky
{
    /// <summary>Overwrites a packed symmetric matrix by its factor L, A = L L'.</summary>
    /// <param name="packed">P(D) values; on failure partly overwritten.</param>
    /// <param name="dimension">D.</param>
    /// <param name="pivot">The smallest pivot met, or the one that failed.</param>
    /// <returns>-1, or the row whose pivot is not positive.</returns>
    public static int Factor(Span<double> packed, int dimension, out double pivot)
    {
        pivot = double.PositiveInfinity;
        for (int i = 0; i < dimension; i++)
        {
            Span<double> rowI = packed.Slice(Packed.Index(i, 0), i + 1);
            for (int j = 0; j < i; j++)
            {
                ReadOnlySpan<double> rowJ = packed.Slice(Packed.Index(j, 0), j + 1);
                double sum = rowI[j];
                for (int d = 0; d < j; d++) sum = Math.FusedMultiplyAdd(-rowI[d], rowJ[d], sum);
                rowI[j] = sum / rowJ[j];
            }
            double diagonal = rowI[i];
            for (int d = 0; d < i; d++) diagonal = Math.FusedMultiplyAdd(-rowI[d], rowI[d], diagonal);
            if (!(diagonal > 0) || double.IsPositiveInfinity(diagonal))
            {
                pivot = diagonal;
                return i;
            }
            pivot = Math.Min(pivot, diagonal);
            rowI[i] = Math.Sqrt(diagonal);
        }
        return -1;
    }

    /// <summary>Overwrites a packed lower triangle L by its inverse.</summary>
    public static void InvertLower(Span<double> packed, int dimension)
    {
        for (int i = 0; i < dimension; i++)
        {
            Span<double> row = packed.Slice(Packed.Index(i, 0), i + 1);
            double inverse = 1 / row[i];
            for (int j = 0; j < i; j++)
            {
                double sum = 0;
                for (int d = j; d < i; d++) sum = Math.FusedMultiplyAdd(row[d], packed[Packed.Index(d, j)], sum);
                row[j] = -sum * inverse;
            }
            row[i] = inverse;
        }
    }
}
