using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models.Mixtures;

namespace StreamEm.Lab.Yardsticks;

/// <summary>
/// Gradient ascent on the mean log-likelihood of a mixture with diagonal covariances, in free coordinates: logits of the weights, means,
/// logarithms of the variances. The gradient is Fisher's: responsibilities times that of log p(x, z). Steps double where they raise the
/// likelihood enough (Armijo) and halve where they do not.
/// </summary>
internal sealed class GradientAscent(Mixture model, Minibatch rows)
{
    private readonly int _components = model.Components, _dimension = rows.Dimension;
    private double _step = 1;

    /// <summary>Log-likelihoods that were computed so far.</summary>
    public int Passes { get; private set; }

    /// <summary>The mean log-likelihood at the last parameters.</summary>
    public double LogLikelihood { get; private set; } = double.NegativeInfinity;

    /// <summary>One step uphill.</summary>
    /// <param name="theta">weights [K], means [K, D], variances [K, D].</param>
    public double[] Step(double[] theta)
    {
        (double[] densities, double[] responsibilities) = Fits.Scores(model, rows, theta, "responsibilities");
        LogLikelihood = densities.Average();
        Passes++;
        double[] gradient = Gradient(theta, responsibilities);
        double slope = gradient.Sum(value => value * value);
        for (_step *= 2; _step > 1e-14; _step /= 2)
        {
            double[] moved = Moved(theta, gradient, _step);
            double found = Fits.LogLikelihood(model, rows, moved);
            Passes++;
            if (!(found >= LogLikelihood + 1e-4 * _step * slope)) continue;
            LogLikelihood = found;
            return moved;
        }
        return theta;
    }

    private double[] Gradient(double[] theta, double[] responsibilities)
    {
        double[] gradient = new double[theta.Length];
        int means = _components, variances = _components * (1 + _dimension);
        for (int row = 0; row < rows.Count; row++)
            for (int k = 0; k < _components; k++)
            {
                double share = responsibilities[row * _components + k] / rows.Count;
                gradient[k] += share - theta[k] / rows.Count;
                for (int d = 0; d < _dimension; d++)
                {
                    int at = k * _dimension + d;
                    double apart = rows.Row(row)[d] - theta[means + at], variance = theta[variances + at];
                    gradient[means + at] += share * apart / variance;
                    gradient[variances + at] += share * 0.5 * (apart * apart / variance - 1);
                }
            }
        return gradient;
    }

    private double[] Moved(double[] theta, double[] gradient, double step)
    {
        double[] moved = new double[theta.Length];
        double total = 0;
        for (int k = 0; k < _components; k++) total += moved[k] = theta[k] * ScalarMath.Exp(step * gradient[k]);
        for (int k = 0; k < _components; k++) moved[k] /= total;
        for (int at = _components; at < theta.Length; at++)
            moved[at] = at < _components * (1 + _dimension)
                ? theta[at] + step * gradient[at]
                : theta[at] * ScalarMath.Exp(step * gradient[at]);
        return moved;
    }
}
