namespace StreamEm.Core.LinearAlgebra;

/// <summary>Sums over the lanes of a row block, weighted by responsibilities: the M-step's statistics. All add to their output.</summary>
internal static class WeightedSums
{
    /// <summary>masses[k] += sum_i r_ki.</summary>
    /// <param name="responsibilities">K x Stride.</param>
    /// <param name="components">K.</param>
    /// <param name="masses">K, added to.</param>
    public static void AddMasses(ReadOnlySpan<double> responsibilities, int components, Span<double> masses)
    {
        for (int k = 0; k < components; k++)
        {
            double sum = 0;
            foreach (double r in responsibilities.Slice(k * RowBlock.Stride, RowBlock.Capacity)) sum += r;
            masses[k] += sum;
        }
    }

    /// <summary>sums[k, d] += sum_i r_ki x_id; sums is K x D.</summary>
    public static void AddFirstMoments(ReadOnlySpan<double> columns, int dimension, ReadOnlySpan<double> responsibilities, int components, Span<double> sums)
    {
        for (int k = 0; k < components; k++)
            for (int d = 0; d < dimension; d++)
                sums[k * dimension + d] += Dot(responsibilities.Slice(k * RowBlock.Stride, RowBlock.Capacity), columns.Slice(d * RowBlock.Stride, RowBlock.Capacity));
    }

    /// <summary>sums[k, d] += sum_i r_ki x_id^2; sums is K x D.</summary>
    public static void AddSquares(ReadOnlySpan<double> columns, int dimension, ReadOnlySpan<double> responsibilities, int components, Span<double> sums)
    {
        for (int k = 0; k < components; k++)
            for (int d = 0; d < dimension; d++)
            {
                ReadOnlySpan<double> r = responsibilities.Slice(k * RowBlock.Stride, RowBlock.Capacity);
                ReadOnlySpan<double> x = columns.Slice(d * RowBlock.Stride, RowBlock.Capacity);
                double sum = 0;
                for (int i = 0; i < r.Length; i++) sum = Math.FusedMultiplyAdd(r[i] * x[i], x[i], sum);
                sums[k * dimension + d] += sum;
            }
    }

    /// <summary>sums[k, (i, j)] += sum_n r_kn x_ni x_nj; sums is K packed lower triangles.</summary>
    public static void AddOuterProducts(ReadOnlySpan<double> columns, int dimension, ReadOnlySpan<double> responsibilities, int components, Span<double> sums)
    {
        int packed = Packed.Length(dimension);
        Span<double> weighted = stackalloc double[RowBlock.Capacity];
        for (int k = 0; k < components; k++)
        {
            ReadOnlySpan<double> r = responsibilities.Slice(k * RowBlock.Stride, RowBlock.Capacity);
            for (int i = 0, at = k * packed; i < dimension; i++)
            {
                ReadOnlySpan<double> x = columns.Slice(i * RowBlock.Stride, RowBlock.Capacity);
                for (int n = 0; n < weighted.Length; n++) weighted[n] = r[n] * x[n];
                for (int j = 0; j <= i; j++) sums[at++] += Dot(weighted, columns.Slice(j * RowBlock.Stride, RowBlock.Capacity));
            }
        }
    }

    private static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++) sum = Math.FusedMultiplyAdd(a[i], b[i], sum);
        return sum;
    }
}
