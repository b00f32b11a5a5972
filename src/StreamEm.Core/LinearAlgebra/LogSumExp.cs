namespace StreamEm.Core.LinearAlgebra;

/// <summary>Posterior normalisation in log space, the row maximum taken out.</summary>
internal static class LogSumExp
{
    /// <summary>
    /// For every lane i: <c>logDensities[i] = log sum_k exp(logJoint[k, i])</c>, and <paramref name="logJoint"/> is overwritten by the
    /// responsibilities <c>exp(logJoint[k, i] - logDensities[i])</c>. A lane whose entries are all negative infinity gets negative infinity and
    /// responsibilities zero.
    /// </summary>
    /// <param name="logJoint">K x Stride: log weight plus log density; overwritten.</param>
    /// <param name="components">K.</param>
    /// <param name="logDensities">Stride; overwritten, in nats.</param>
    public static void Normalize(Span<double> logJoint, int components, Span<double> logDensities)
    {
        for (int i = 0; i < RowBlock.Capacity; i++)
        {
            double max = double.NegativeInfinity;
            for (int k = 0; k < components; k++) max = Math.Max(max, logJoint[k * RowBlock.Stride + i]);
            if (double.IsNegativeInfinity(max))
            {
                logDensities[i] = max;
                for (int k = 0; k < components; k++) logJoint[k * RowBlock.Stride + i] = 0;
                continue;
            }
            double sum = 0;
            for (int k = 0; k < components; k++)
            {
                double e = Math.Exp(logJoint[k * RowBlock.Stride + i] - max);
                logJoint[k * RowBlock.Stride + i] = e;
                sum += e;
            }
            logDensities[i] = max + Math.Log(sum);
            double scale = 1 / sum;
            for (int k = 0; k < components; k++) logJoint[k * RowBlock.Stride + i] *= scale;
        }
    }
}
