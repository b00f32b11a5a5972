using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Topics;

/// <summary>
/// The E-step of topics under fixed parameters. exp(E[log beta]) is computed by each thread for the terms it meets: a minibatch meets few
/// of a large vocabulary.
/// </summary>
internal sealed class TopicEStep : EStep
{
    /// <summary>Added to the normaliser of phi, as in the authors' own program.</summary>
    private const double Least = 1e-100;

    private readonly LatentDirichletAllocation _model;
    private readonly ReadOnlyMemory<double> _topics;
    private readonly double[] _digammas;
    private readonly double _logNormalizer;

    /// <summary>Takes parameters.</summary>
    public TopicEStep(LatentDirichletAllocation model, ReadOnlyMemory<double> topics)
    {
        (_model, _topics, _digammas) = (model, topics, new double[model.Components]);
        for (int k = 0; k < _digammas.Length; k++)
        {
            double total = 0;
            foreach (double value in topics.Span.Slice(k * model.Terms, model.Terms)) total += value;
            _digammas[k] = ScalarMath.Digamma(total);
        }
        double prior = model.DocumentPrior;
        _logNormalizer = ScalarMath.LogGamma(model.Components * prior) - model.Components * ScalarMath.LogGamma(prior);
    }

    /// <inheritdoc/>
    public override Workspace CreateWorkspace() => new Scratch(_model);

    /// <inheritdoc/>
    public override Evidence Accumulate(
        Minibatch batch, int first, int count, Span<double> statistics, Span<double> logDensities, Workspace workspace)
    {
        var scratch = (Scratch)workspace;
        scratch.Begin(this);
        double weights = 0, bound = 0;
        for (int row = 0; row < count; row++)
        {
            if (!scratch.Rows.TryRead(batch, first + row, out _))
            {
                logDensities[row] = double.NaN;
                continue;
            }
            double weight = batch.Weight(first + row), own = logDensities[row] = Infer(scratch);
            weights += weight;
            bound = Math.FusedMultiplyAdd(weight, own, bound);
            AddCounts(scratch, weight, statistics);
        }
        CompareAsTheyAre(batch, first, count, logDensities, workspace);
        return new Evidence(weights, bound);
    }

    /// <inheritdoc/>
    public override void Score(
        Minibatch batch, int first, int count, Span<double> logDensities, Span<double> scores, Workspace workspace)
    {
        var scratch = (Scratch)workspace;
        scratch.Begin(this);
        int topics = _model.Components, width = _model.ScoreLayout.Length;
        for (int row = 0; row < count; row++)
        {
            bool isKnown = scratch.Rows.TryRead(batch, first + row, out double tokens);
            double own = Infer(scratch), total = 0;
            logDensities[row] = isKnown ? own : double.NaN;
            if (scores.IsEmpty) continue;
            Span<double> score = scores.Slice(row * width, width);
            foreach (double gamma in scratch.Gamma) total += gamma;
            for (int k = 0; k < topics; k++) score[k] = scratch.Gamma[k] / total;
            score[topics] = tokens;
            score[topics + 1] = tokens > 0 ? ScalarMath.Exp(-own / tokens) : 1;
        }
        CompareAsTheyAre(batch, first, count, logDensities, workspace);
    }

    /// <summary>Finds gamma of the row last read, and its bound; nats.</summary>
    private double Infer(Scratch scratch)
    {
        ReadOnlySpan<int> terms = scratch.Rows.Terms;
        ReadOnlySpan<double> counts = scratch.Rows.Counts;
        double tokens = 0, prior = _model.DocumentPrior;
        foreach (double value in counts) tokens += value;
        Span<double> gamma = scratch.Gamma, proportions = scratch.Proportions, sums = scratch.Sums;
        gamma.Fill(prior + tokens / gamma.Length);
        if (tokens == 0) gamma.Fill(prior);
        foreach (int term in terms) scratch.Look(this, term);
        for (int iteration = 0; iteration < _model.Inference.MaxIterations && tokens > 0; iteration++)
        {
            Expect(gamma, proportions);
            sums.Clear();
            for (int at = 0; at < terms.Length; at++)
            {
                ReadOnlySpan<double> likely = scratch.Likely(terms[at]);
                double share = counts[at] / (Dot(proportions, likely) + Least);
                for (int k = 0; k < likely.Length; k++) sums[k] = Math.FusedMultiplyAdd(share, likely[k], sums[k]);
            }
            double change = 0;
            for (int k = 0; k < gamma.Length; k++)
            {
                double next = Math.FusedMultiplyAdd(proportions[k], sums[k], prior);
                change += Math.Abs(next - gamma[k]);
                gamma[k] = next;
            }
            if (change < gamma.Length * _model.Inference.Tolerance) break;
        }
        return Bound(scratch, terms, counts, gamma, proportions);
    }

    /// <summary>E[log p(x, theta, z)] + H(q) at the best phi for gamma.</summary>
    private double Bound(
        Scratch scratch, ReadOnlySpan<int> terms, ReadOnlySpan<double> counts, ReadOnlySpan<double> gamma, Span<double> proportions)
    {
        double total = Expect(gamma, proportions), digamma = ScalarMath.Digamma(total);
        double bound = _logNormalizer - ScalarMath.LogGamma(total);
        for (int k = 0; k < gamma.Length; k++)
            bound += ScalarMath.LogGamma(gamma[k]) + (_model.DocumentPrior - gamma[k]) * (ScalarMath.Digamma(gamma[k]) - digamma);
        for (int at = 0; at < terms.Length; at++)
            bound = Math.FusedMultiplyAdd(
                counts[at], ScalarMath.Log(Dot(proportions, scratch.Likely(terms[at])) + Least), bound);
        return bound;
    }

    /// <summary>Adds n_w phi_wk of the row last inferred.</summary>
    private void AddCounts(Scratch scratch, double weight, Span<double> statistics)
    {
        ReadOnlySpan<int> terms = scratch.Rows.Terms;
        ReadOnlySpan<double> counts = scratch.Rows.Counts, proportions = scratch.Proportions;
        for (int at = 0; at < terms.Length; at++)
        {
            ReadOnlySpan<double> likely = scratch.Likely(terms[at]);
            double share = weight * counts[at] / (Dot(proportions, likely) + Least);
            for (int k = 0; k < likely.Length; k++)
            {
                ref double sum = ref statistics[k * _model.Terms + terms[at]];
                sum = Math.FusedMultiplyAdd(share * proportions[k], likely[k], sum);
            }
        }
    }

    /// <summary>exp(E[log theta]); returns the sum of gamma.</summary>
    private static double Expect(ReadOnlySpan<double> gamma, Span<double> proportions)
    {
        double total = 0;
        foreach (double value in gamma) total += value;
        double digamma = ScalarMath.Digamma(total);
        for (int k = 0; k < gamma.Length; k++) proportions[k] = ScalarMath.Exp(ScalarMath.Digamma(gamma[k]) - digamma);
        return total;
    }

    /// <summary>In four sums, so that none waits for the one before it; the same on every machine.</summary>
    private static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        double s0 = 0, s1 = 0, s2 = 0, s3 = 0;
        int k = 0;
        for (; k + 4 <= a.Length; k += 4)
        {
            s0 = Math.FusedMultiplyAdd(a[k], b[k], s0);
            s1 = Math.FusedMultiplyAdd(a[k + 1], b[k + 1], s1);
            s2 = Math.FusedMultiplyAdd(a[k + 2], b[k + 2], s2);
            s3 = Math.FusedMultiplyAdd(a[k + 3], b[k + 3], s3);
        }
        for (; k < a.Length; k++) s0 = Math.FusedMultiplyAdd(a[k], b[k], s0);
        return s0 + s1 + (s2 + s3);
    }

    /// <summary>Memory of one thread.</summary>
    private sealed class Scratch(LatentDirichletAllocation model) : Workspace
    {
        private readonly double[] _gamma = new double[model.Components], _proportions = new double[model.Components],
            _sums = new double[model.Components], _likely = new double[model.Components * model.Terms];

        private readonly int[] _looked = new int[model.Terms];
        private TopicEStep? _of;
        private int _stamp;

        public TopicRows Rows { get; } = new(model);

        public Span<double> Gamma => _gamma;

        /// <summary>exp(E[log theta]) of gamma.</summary>
        public Span<double> Proportions => _proportions;

        public Span<double> Sums => _sums;

        /// <summary>exp(E[log beta]) of a term [K].</summary>
        public ReadOnlySpan<double> Likely(int term) => _likely.AsSpan(term * model.Components, model.Components);

        /// <summary>Forgets what is of other parameters.</summary>
        public void Begin(TopicEStep of)
        {
            if (_of == of) return;
            _of = of;
            _stamp++;
        }

        /// <summary>Computes what <see cref="Likely"/> says of a term, once.</summary>
        public void Look(TopicEStep of, int term)
        {
            if (_looked[term] == _stamp) return;
            _looked[term] = _stamp;
            ReadOnlySpan<double> topics = of._topics.Span;
            Span<double> likely = _likely.AsSpan(term * model.Components, model.Components);
            for (int k = 0; k < likely.Length; k++)
                likely[k] = ScalarMath.Exp(ScalarMath.Digamma(topics[k * model.Terms + term]) - of._digammas[k]);
        }
    }
}
