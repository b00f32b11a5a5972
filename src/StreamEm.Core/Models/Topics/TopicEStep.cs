using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Topics;

/// <summary>
/// The E-step of topics under fixed parameters. exp(E[log beta]) is computed when a term is first met, for a minibatch meets few of a large
/// vocabulary: two threads that meet it at once write the same numbers.
/// </summary>
internal sealed class TopicEStep : EStep
{
    /// <summary>Added to the normaliser of phi, as in the authors' own program.</summary>
    private const double Least = 1e-100;

    private readonly LatentDirichletAllocation _model;
    private readonly double[] _digammas, _likely, _logs;
    private readonly int[] _looked;
    private readonly double _logNormalizer;
    private ReadOnlyMemory<double> _topics;
    private int _stamp;

    /// <summary>Memory for <see cref="Set"/>.</summary>
    public TopicEStep(LatentDirichletAllocation model)
    {
        (_model, _digammas, _looked) = (model, new double[model.Components], new int[model.Terms]);
        (_likely, _logs) = (new double[model.Components * model.Terms], new double[model.Components * model.Terms]);
        double prior = model.DocumentPrior;
        _logNormalizer = ScalarMath.LogGamma(model.Components * prior) - model.Components * ScalarMath.LogGamma(prior);
    }

    /// <summary>Takes parameters; from here on immutable, but for what is computed when it is first asked for, until it is spent.</summary>
    public void Set(ReadOnlyMemory<double> topics)
    {
        (_topics, _stamp) = (topics, _stamp + 1);
        for (int k = 0; k < _digammas.Length; k++)
        {
            double total = 0;
            foreach (double value in topics.Span.Slice(k * _model.Terms, _model.Terms)) total += value;
            _digammas[k] = ScalarMath.Digamma(total);
        }
    }

    /// <inheritdoc/>
    public override Workspace CreateWorkspace() => new Scratch(_model);

    /// <inheritdoc/>
    public override Evidence Accumulate(
        Minibatch batch, int first, int count, Span<double> statistics, Span<double> logDensities, Workspace workspace)
    {
        var scratch = (Scratch)workspace;
        double weights = 0, bound = 0, entropy = 0;
        for (int row = 0; row < count; row++)
        {
            if (!scratch.Rows.TryRead(batch, first + row, out _))
            {
                logDensities[row] = double.NaN;
                continue;
            }
            if (scratch.Pass.Posteriors is not { } known) Infer(scratch);
            else known.AsSpan((first + row) * _model.Components, _model.Components).CopyTo(scratch.Gamma);
            double weight = batch.Weight(first + row), own = logDensities[row] = Bound(scratch);
            weights += weight;
            bound = Math.FusedMultiplyAdd(weight, own, bound);
            entropy = Math.FusedMultiplyAdd(weight, AddCounts(scratch, weight, statistics), entropy);
        }
        CompareAsTheyAre(batch, first, count, logDensities, workspace);
        return new Evidence(weights, bound) { Entropy = entropy };
    }

    /// <inheritdoc/>
    public override void Infer(Minibatch batch, int first, int count, Span<double> posteriors, Workspace workspace)
    {
        var scratch = (Scratch)workspace;
        for (int row = 0; row < count; row++)
        {
            if (!scratch.Rows.TryRead(batch, first + row, out _)) continue;
            Infer(scratch);
            scratch.Gamma.CopyTo(posteriors[(row * _model.Components)..]);
        }
    }

    /// <inheritdoc/>
    public override void Score(
        Minibatch batch, int first, int count, Span<double> logDensities, Span<double> scores, Workspace workspace)
    {
        var scratch = (Scratch)workspace;
        int topics = _model.Components, width = _model.ScoreLayout.Length;
        for (int row = 0; row < count; row++)
        {
            bool isKnown = scratch.Rows.TryRead(batch, first + row, out double tokens);
            Infer(scratch);
            double own = Bound(scratch), total = 0;
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

    /// <summary>Finds gamma of the row last read.</summary>
    private void Infer(Scratch scratch)
    {
        ReadOnlySpan<int> terms = scratch.Rows.Terms;
        ReadOnlySpan<double> counts = scratch.Rows.Counts;
        double tokens = 0, prior = _model.DocumentPrior;
        foreach (double value in counts) tokens += value;
        Span<double> gamma = scratch.Gamma, proportions = scratch.Proportions, sums = scratch.Sums;
        gamma.Fill(prior + tokens / gamma.Length);
        if (tokens == 0) gamma.Fill(prior);
        for (int iteration = 0; iteration < _model.Inference.MaxIterations && tokens > 0; iteration++)
        {
            Expect(gamma, proportions);
            sums.Clear();
            for (int at = 0; at < terms.Length; at++)
            {
                ReadOnlySpan<double> likely = Likely(terms[at]);
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
    }

    /// <summary>E[log p(x, theta, z)] + H(q) at the best phi for gamma.</summary>
    private double Bound(Scratch scratch)
    {
        ReadOnlySpan<int> terms = scratch.Rows.Terms;
        ReadOnlySpan<double> counts = scratch.Rows.Counts, gamma = scratch.Gamma;
        Span<double> proportions = scratch.Proportions;
        double total = Expect(gamma, proportions), digamma = ScalarMath.Digamma(total);
        double bound = _logNormalizer - ScalarMath.LogGamma(total);
        for (int k = 0; k < gamma.Length; k++)
            bound += ScalarMath.LogGamma(gamma[k]) + (_model.DocumentPrior - gamma[k]) * (ScalarMath.Digamma(gamma[k]) - digamma);
        for (int at = 0; at < terms.Length; at++)
            bound = Math.FusedMultiplyAdd(
                counts[at], ScalarMath.Log(Dot(proportions, Likely(terms[at])) + Least), bound);
        return bound;
    }

    /// <summary>
    /// Adds n_w phi_wk of the row whose <see cref="Bound"/> was last found.
    /// </summary>
    /// <returns>H(q) of the row: that of Dirichlet(gamma), and - sum n_w phi_wk log phi_wk of its tokens' topics, with log phi_wk = E[log
    /// theta_k] + E[log beta_kw] less the logarithm of their sum.</returns>
    private double AddCounts(Scratch scratch, double weight, Span<double> statistics)
    {
        ReadOnlySpan<int> terms = scratch.Rows.Terms;
        ReadOnlySpan<double> counts = scratch.Rows.Counts, proportions = scratch.Proportions, gamma = scratch.Gamma;
        Span<double> all = scratch.Sums;
        double total = 0, entropy = 0;
        all.Clear();
        for (int at = 0; at < terms.Length; at++)
        {
            ReadOnlySpan<double> likely = Likely(terms[at]), logs = _logs.AsSpan(terms[at] * likely.Length, likely.Length);
            double sumOf = Dot(proportions, likely) + Least, share = counts[at] / sumOf, energy = 0;
            for (int k = 0; k < likely.Length; k++)
            {
                double count = share * proportions[k] * likely[k];
                all[k] += count;
                energy = Math.FusedMultiplyAdd(count, logs[k], energy);
                ref double sum = ref statistics[k * _model.Terms + terms[at]];
                sum = Math.FusedMultiplyAdd(weight, count, sum);
            }
            entropy += counts[at] * ScalarMath.Log(sumOf) - energy;
        }
        for (int k = 0; k < gamma.Length; k++)
        {
            total += gamma[k];
            entropy += ScalarMath.LogGamma(gamma[k]) - (gamma[k] - 1 + all[k]) * ScalarMath.Log(Math.Max(proportions[k], Least));
        }
        return entropy - ScalarMath.LogGamma(total);
    }

    /// <summary>exp(E[log beta]) of a term [K].</summary>
    private ReadOnlySpan<double> Likely(int term)
    {
        Span<double> likely = _likely.AsSpan(term * _model.Components, _model.Components);
        if (Volatile.Read(ref _looked[term]) == _stamp) return likely;
        ReadOnlySpan<double> topics = _topics.Span;
        for (int k = 0; k < likely.Length; k++)
        {
            double log = ScalarMath.Digamma(topics[k * _model.Terms + term]) - _digammas[k];
            (_logs[term * likely.Length + k], likely[k]) = (log, ScalarMath.Exp(log));
        }
        Volatile.Write(ref _looked[term], _stamp);
        return likely;
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
            _sums = new double[model.Components];

        public TopicRows Rows { get; } = new(model);

        public Span<double> Gamma => _gamma;

        /// <summary>exp(E[log theta]) of gamma.</summary>
        public Span<double> Proportions => _proportions;

        public Span<double> Sums => _sums;
    }
}
