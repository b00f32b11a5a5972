namespace StreamEm.Lab.Yardsticks;

/// <summary>Smoothed probabilities of the states of a short chain (Rabiner 1989), by multiplication with normalisers.</summary>
internal static class ForwardBackward
{
    /// <summary>p(z_t = k given all) [T, K], and log p of all.</summary>
    /// <param name="start">[K].</param>
    /// <param name="transitions">[K, K], row-major.</param>
    /// <param name="emissions">[T, K]: p(x_t given z_t = k).</param>
    public static (double[,] Smoothed, double LogLikelihood) Run(double[] start, double[] transitions, double[,] emissions)
    {
        int length = emissions.GetLength(0), states = start.Length;
        double[,] forward = new double[length, states], smoothed = new double[length, states];
        double logLikelihood = 0;
        for (int t = 0; t < length; t++)
        {
            double total = 0;
            for (int k = 0; k < states; k++)
            {
                double before = t == 0 ? start[k] : 0;
                for (int from = 0; t > 0 && from < states; from++) before += forward[t - 1, from] * transitions[from * states + k];
                total += forward[t, k] = before * emissions[t, k];
            }
            for (int k = 0; k < states; k++) forward[t, k] /= total;
            logLikelihood += Math.Log(total);
        }
        double[] backward = [.. Enumerable.Repeat(1.0, states)];
        for (int t = length - 1; t >= 0; t--)
        {
            double total = 0;
            for (int k = 0; k < states; k++) total += smoothed[t, k] = forward[t, k] * backward[k];
            for (int k = 0; k < states; k++) smoothed[t, k] /= total;
            double[] next = new double[states];
            for (int k = 0; k < states; k++)
                for (int to = 0; to < states; to++) next[k] += transitions[k * states + to] * emissions[t, to] * backward[to];
            double scale = next.Sum();
            for (int k = 0; k < states; k++) backward[k] = next[k] / scale;
        }
        return (smoothed, logLikelihood);
    }
}
