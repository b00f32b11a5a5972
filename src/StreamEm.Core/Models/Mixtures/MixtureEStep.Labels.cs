using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Mixtures;

/// <summary>What labels say: of the component itself, or, where they are noisy, of its probability.</summary>
internal sealed partial class MixtureEStep
{
    /// <summary>A label that a component never had yet is improbable, not impossible.</summary>
    private const double LeastTrust = 1e-10;

    /// <summary>log confusion[k, l]; empty where labels are certain.</summary>
    private readonly double[] _logConfusion;

    /// <summary>
    /// Adds what labels say to the log joint densities: the others' become negative infinity, or each has log p(label given z) added. The
    /// lanes get log p(x) as density like all others; that their log-likelihood is log p(x, label) is returned as a difference. A label
    /// that its component cannot have under the parameters - of weight 0, or of a level it never had - is taken at its word all the same.
    /// </summary>
    private Evidence TakeLabels(RowBlock block, Span<double> joint, BlockWorkspace space)
    {
        double difference = 0;
        ReadOnlySpan<int> labels = block.Batch.Labels;
        bool isNoisy = _logConfusion.Length > 0 && !space.Pass.LabelsAreCertain;
        for (int i = 0; i < block.Count; i++)
        {
            int label = labels[block.First + i];
            space.Marginals[i] = double.NaN;
            if (label == Minibatch.Unlabelled) continue;
            double marginal = space.Marginals[i] = LogSum(joint, i), labelled;
            if (isNoisy)
            {
                for (int k = 0; k < _components; k++) joint[k * RowBlock.Stride + i] += _logConfusion[k * _components + label];
                labelled = LogSum(joint, i);
            }
            else
            {
                labelled = joint[label * RowBlock.Stride + i];
                if (!(labelled > ImpossibleLogDensity)) joint[label * RowBlock.Stride + i] = labelled = marginal;
                for (int k = 0; k < _components; k++)
                    if (k != label) joint[k * RowBlock.Stride + i] = double.NegativeInfinity;
            }
            if (labelled > ImpossibleLogDensity) difference += (labelled - marginal) * block.Batch.Weight(block.First + i);
        }
        return new Evidence(0, difference);
    }

    /// <summary>counts[k, l] += r_k of the rows labelled l.</summary>
    private void CountLabels(RowBlock block, BlockWorkspace space, Span<double> counts)
    {
        if (space.Pass.LabelsAreCertain) return;
        for (int i = 0; i < block.Count; i++)
        {
            int label = block.Batch.Label(block.First + i);
            if (label == Minibatch.Unlabelled) continue;
            for (int k = 0; k < _components; k++) counts[k * _components + label] += space.LogJoint[k * RowBlock.Stride + i];
        }
    }

    private double LogSum(ReadOnlySpan<double> joint, int lane)
    {
        double max = double.NegativeInfinity, sum = 0;
        for (int k = 0; k < _components; k++) max = Math.Max(max, joint[k * RowBlock.Stride + lane]);
        if (!double.IsFinite(max)) return max;
        for (int k = 0; k < _components; k++) sum += ScalarMath.Exp(joint[k * RowBlock.Stride + lane] - max);
        return max + ScalarMath.Log(sum);
    }
}
