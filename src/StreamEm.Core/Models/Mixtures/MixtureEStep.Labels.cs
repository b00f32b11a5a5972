using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Mixtures;

/// <summary>
/// What labels say: of the component itself or of the class it is of, or, where they are noisy, of its probability. With q_l what a label
/// says of l (<see cref="Minibatch.Evidence"/>), log q of a component's class is added to its log joint density: a label that names one
/// class, or a set, masks the others (Côme, Oukhellou, Denœux &amp; Aknin 2009).
/// </summary>
internal sealed partial class MixtureEStep
{
    /// <summary>A label that a component never had yet is improbable, not impossible.</summary>
    private const double LeastTrust = 1e-10;

    /// <summary>log confusion[k, l]; empty where labels are certain.</summary>
    private readonly double[] _logConfusion;

    /// <summary>Classes, and the components of each, one after another: what a label names; 0 and 1 where it names the component.
    /// </summary>
    private readonly int _classes, _ofClass;

    /// <summary>
    /// Adds what labels say to the log joint densities: the others' become negative infinity, or each has log p(label given z) added. The
    /// lanes get log p(x) as density like all others; that their log-likelihood is log p(x, label) is returned as a difference. A label
    /// that its components cannot have under the parameters - of weight 0, or of a level they never had - is taken at its word all the
    /// same.
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
            ReadOnlySpan<double> says = block.Batch.Evidence(block.First + i);
            double marginal = space.Marginals[i] = LogSum(joint, i);
            if (isNoisy)
                for (int k = 0; k < _components; k++) joint[k * RowBlock.Stride + i] += LogTrust(k, label, says);
            else
                Believe(joint, i, label, says, marginal);
            bool isOne = !isNoisy && says.IsEmpty && _ofClass == 1;
            double labelled = isOne ? joint[label * RowBlock.Stride + i] : LogSum(joint, i);
            if (labelled > ImpossibleLogDensity) difference += (labelled - marginal) * block.Batch.Weight(block.First + i);
        }
        return new Evidence(0, difference);
    }

    /// <summary>Takes components out that a certain label leaves out, and weighs the others by what it says of them.</summary>
    private void Believe(Span<double> joint, int lane, int label, ReadOnlySpan<double> says, double marginal)
    {
        bool isPossible = false;
        double left = 0;
        for (int k = 0; k < _components; k++)
        {
            double q = Of(k, label, says);
            left += q;
            isPossible |= q > 0 && joint[k * RowBlock.Stride + lane] > ImpossibleLogDensity;
        }
        if (!(left > 0)) return;
        for (int k = 0; k < _components; k++)
        {
            ref double log = ref joint[k * RowBlock.Stride + lane];
            double q = Of(k, label, says);
            if (!(q > 0)) log = double.NegativeInfinity;
            else if (!isPossible) log = q == left ? marginal : marginal + ScalarMath.Log(q / left);
            else if (q < 1) log += ScalarMath.Log(q);
        }
    }

    /// <summary>What a label says of a component.</summary>
    private double Of(int component, int label, ReadOnlySpan<double> says) =>
        !says.IsEmpty ? says[component / _ofClass] : component / _ofClass == label ? 1 : 0;

    /// <summary>log p(label given z = k): of what may be several, the sum of each times what is said of it.</summary>
    private double LogTrust(int component, int label, ReadOnlySpan<double> says)
    {
        if (says.IsEmpty) return _logConfusion[component * _components + label];
        double sum = 0;
        for (int l = 0; l < _components; l++) sum += says[l] * ScalarMath.Exp(_logConfusion[component * _components + l]);
        return ScalarMath.Log(sum);
    }

    /// <summary>counts[k, l] += r_k of the rows labelled l, shared out by p(l given z = k) where it may be several.</summary>
    private void CountLabels(RowBlock block, BlockWorkspace space, Span<double> counts)
    {
        if (space.Pass.LabelsAreCertain) return;
        for (int i = 0; i < block.Count; i++)
        {
            int label = block.Batch.Label(block.First + i);
            if (label == Minibatch.Unlabelled) continue;
            ReadOnlySpan<double> says = block.Batch.Evidence(block.First + i);
            for (int k = 0; k < _components; k++)
            {
                double r = space.LogJoint[k * RowBlock.Stride + i];
                if (says.IsEmpty)
                {
                    counts[k * _components + label] += r;
                    continue;
                }
                double trust = LogTrust(k, label, says);
                for (int l = 0; l < _components; l++)
                    if (says[l] > 0)
                        counts[k * _components + l] += r * says[l] * ScalarMath.Exp(_logConfusion[k * _components + l] - trust);
            }
        }
    }

    /// <summary>Writes the probabilities of the classes after those of their components.</summary>
    private void SumByClass(Span<double> scores)
    {
        for (int c = 0; c < _classes; c++)
        {
            double sum = 0;
            foreach (double probability in scores.Slice(c * _ofClass, _ofClass)) sum += probability;
            scores[_components + c] = sum;
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
