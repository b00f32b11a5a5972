namespace StreamEm.Core.LinearAlgebra;

/// <summary>Turns rows into columns, so that a SIMD lane is an observation.</summary>
internal static class RowTranspose
{
    /// <summary>
    /// Overwrites <paramref name="columns"/> (D x <see cref="RowBlock.Stride"/>) with <paramref name="count"/> rows of D values. Lanes from
    /// <paramref name="count"/> on, and every lane of a row with a NaN, become zero; the indices of such rows go to <paramref name="incomplete"/>.
    /// </summary>
    /// <returns>The number of rows with a NaN.</returns>
    public static int ToColumns(ReadOnlySpan<double> rows, int count, int dimension, Span<double> columns, Span<int> incomplete)
    {
        int found = 0;
        for (int row = 0; row < count; row++)
        {
            ReadOnlySpan<double> values = rows.Slice(row * dimension, dimension);
            bool missing = false;
            for (int d = 0; d < dimension; d++) missing |= double.IsNaN(values[d]);
            if (missing) incomplete[found++] = row;
            for (int d = 0; d < dimension; d++) columns[d * RowBlock.Stride + row] = missing ? 0 : values[d];
        }
        for (int d = 0; d < dimension; d++) columns.Slice(d * RowBlock.Stride + count, RowBlock.Stride - count).Clear();
        return found;
    }
}
