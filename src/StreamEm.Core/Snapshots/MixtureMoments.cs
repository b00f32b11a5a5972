using StreamEm.Core.Models;

namespace StreamEm.Core.Snapshots;

/// <summary>
/// E[x] = sum_k w_k mu_k and Cov[x] = sum_k w_k (Sigma_k + mu_k mu_k') - E[x] E[x]' of a whole model with components, in the user's units;
/// w_k is the share of the stream that a component accounts for.
/// </summary>
/// <param name="Mean">[D]; NaN where a feature has none: levels.</param>
/// <param name="Covariance">[D, D]; NaN alike.</param>
public sealed record MixtureMoments(double[] Mean, double[] Covariance)
{
    /// <summary>The moments; null for a model without components.</summary>
    public static MixtureMoments? Of(LearnedModel learned)
    {
        if (learned.Model is not ComponentModel model) return null;
        int dimension = learned.Space.Dimension;
        double[] inside = new double[learned.Parameters.Length], shares = new double[model.Components], mean = new double[dimension];
        double[] means = new double[model.Components * dimension], covariance = new double[dimension * dimension],
            sum = new double[covariance.Length];
        model.FromUserUnits(learned.Parameters, learned.Space, inside);
        model.Shares(inside, shares);
        for (int k = 0; k < model.Components; k++)
        {
            Span<double> own = means.AsSpan(k * dimension, dimension);
            model.Moments(inside, k, own, covariance);
            for (int d = 0; d < dimension; d++) mean[d] = Math.FusedMultiplyAdd(shares[k], own[d], mean[d]);
            for (int at = 0; at < sum.Length; at++) sum[at] = Math.FusedMultiplyAdd(shares[k], covariance[at], sum[at]);
        }
        for (int i = 0; i < dimension; i++)
            for (int j = 0; j < dimension; j++)
            {
                double spread = sum[i * dimension + j];
                for (int k = 0; k < model.Components; k++)
                    spread += shares[k] * (means[k * dimension + i] - mean[i]) * (means[k * dimension + j] - mean[j]);
                sum[i * dimension + j] = spread * learned.Space.Scale[i] * learned.Space.Scale[j];
            }
        for (int d = 0; d < dimension; d++) mean[d] = Math.FusedMultiplyAdd(mean[d], learned.Space.Scale[d], learned.Space.Location[d]);
        return new MixtureMoments(mean, sum);
    }
}
