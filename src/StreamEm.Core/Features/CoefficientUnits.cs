using StreamEm.Core.Vectors;

namespace StreamEm.Core.Features;

/// <summary>
/// Coefficients of [1, x] in the user's units and inside. With x = m + s x' and y = m_y + s_y y', y' = b' + w' x' is y = b + w x where
/// w = w' s_y / s and b = m_y + s_y b' - w m; a value without a unit has m_y = 0 and s_y = 1. Coefficients without an intercept have no
/// locations to follow.
/// </summary>
internal static class CoefficientUnits
{
    /// <summary>Converts in place.</summary>
    /// <param name="values">Rows of coefficients, or square matrices of their covariances.</param>
    /// <param name="location">Of the inputs, and last of the target.</param>
    /// <param name="scale">The same.</param>
    /// <param name="block">What the values are.</param>
    /// <param name="inverse">From the user's units to inside.</param>
    public static void Convert(Span<double> values, double[] location, double[] scale, VectorBlock block, bool inverse)
    {
        int size = block.Shape[^1];
        bool hasIntercept = size == scale.Length;
        if (block.Units != Units.CoefficientProduct)
        {
            bool hasUnit = block.Units == Units.Coefficients;
            for (int at = 0; at < values.Length; at += size)
                Move(values.Slice(at, size), location, scale, hasIntercept, hasUnit ? location[^1] : 0, hasUnit ? scale[^1] : 1, inverse);
            return;
        }
        // T S T', T the linear part of the conversion: its rows, turned, and its rows again.
        for (int at = 0; at < values.Length; at += size * size)
            for (int side = 0; side < 2; side++)
            {
                Span<double> matrix = values.Slice(at, size * size);
                for (int i = 0; i < size; i++) Move(matrix.Slice(i * size, size), location, scale, hasIntercept, 0, scale[^1], inverse);
                for (int i = 0; i < size; i++)
                    for (int j = 0; j < i; j++) (matrix[i * size + j], matrix[j * size + i]) = (matrix[j * size + i], matrix[i * size + j]);
            }
    }

    private static void Move(
        Span<double> w, double[] location, double[] scale, bool hasIntercept, double targetLocation, double targetScale, bool inverse)
    {
        int first = hasIntercept ? 1 : 0;
        if (inverse)
        {
            if (hasIntercept)
            {
                double intercept = w[0] - targetLocation;
                for (int j = first; j < w.Length; j++) intercept = Math.FusedMultiplyAdd(w[j], location[j - first], intercept);
                w[0] = intercept / targetScale;
            }
            for (int j = first; j < w.Length; j++) w[j] = w[j] * scale[j - first] / targetScale;
            return;
        }
        for (int j = first; j < w.Length; j++) w[j] = w[j] * targetScale / scale[j - first];
        if (!hasIntercept) return;
        double moved = Math.FusedMultiplyAdd(w[0], targetScale, targetLocation);
        for (int j = first; j < w.Length; j++) moved = Math.FusedMultiplyAdd(-w[j], location[j - first], moved);
        w[0] = moved;
    }
}
