using StreamEm.Core.Vectors;

namespace StreamEm.Core.Estimation;

/// <summary>
/// Adaptive over-relaxed EM (Salakhutdinov &amp; Roweis 2003): Theta(t+1) = Theta(t) + eta (M(Theta(t)) - Theta(t)) in coordinates without
/// bounds (<see cref="FreeCoordinates"/>), eta &gt;= 1 growing by a tenth as long as the log-likelihood rises. Where it falls, the plain
/// step of EM is taken in its place and eta is 1 again. Same fixed points as EM, fewer iterations where its steps are short.
/// </summary>
internal static class OverRelaxedEm
{
    private const double Growth = 1.1;

    /// <summary>Iterates to convergence.</summary>
    public static BatchEmResult Run(VectorLayout layout, WholeData data, double[] theta, BatchEmOptions options)
    {
        double[] plain = new double[theta.Length], longer = new double[theta.Length];
        var trace = new FitTrace(options);
        double eta = 1, least = Math.Max(0, options.Tolerance), logLikelihood = data.Expect(theta);
        while (!trace.Ends(logLikelihood))
        {
            data.Maximize(data.Averages, theta, plain);
            double[] taken = plain;
            if (eta > 1 && FreeCoordinates.TryMove(layout, theta, plain, eta, longer)
                && TryExpect(data, longer, out logLikelihood) && logLikelihood > trace.Last + least)
            {
                taken = longer;
                eta *= Growth;
            }
            else
            {
                // Of a longer step that did not pay its E-step is lost; of one that gains too little to go on the plain one decides.
                logLikelihood = data.Expect(plain);
                eta = eta > 1 ? 1 : Growth;
            }
            if (taken == plain) (theta, plain) = (plain, theta);
            else (theta, longer) = (longer, theta);
        }
        return trace.Result(theta, data);
    }

    private static bool TryExpect(WholeData data, double[] theta, out double logLikelihood)
    {
        try
        {
            logLikelihood = data.Expect(theta);
            return double.IsFinite(logLikelihood);
        }
        catch (ArithmeticException)
        {
            logLikelihood = double.NaN;
            return false;
        }
    }
}
