using System.Globalization;
using System.Text;
using StreamEm.Core;
using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Factors;
using StreamEm.Core.Models.Sequences;
using StreamEm.Core.Schedules;

namespace StreamEm.Benchmarks;

/// <summary>
/// Models whose latent variable is more than a component, beside implementations of the same: sequences beside hmmlearn and NumPy, factors
/// beside scikit-learn's IncrementalPCA, topics beside gensim and scikit-learn, one thread each.
/// </summary>
internal sealed class LatentRates(Report report, Peers peers, Goals goals, bool quick)
{
    private const int States = 8, Factors = 10, Minibatch1024 = 1024, Samples = 5;
    private readonly double _seconds = quick ? 0.05 : 0.3;

    /// <summary>Writes the tables.</summary>
    public void Run()
    {
        Sequences();
        FactorModels();
        Topics();
    }

    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private void Sequences()
    {
        const int dimension = 8, length = 1000;
        int sequences = quick ? 4 : 100;
        var gaussian = new DiagonalGaussian(States, dimension, new CovarianceRegularization(new double[dimension], 1e-9));
        var model = new HiddenMarkov("bench", gaussian, Prior.None);
        double[] theta = new double[model.ParameterLayout.Length];
        model.Neutral(theta);
        Span<double> means = model.ParameterLayout["means"].Of(theta.AsSpan());
        var chance = new SplitMix64(3);
        for (int at = 0; at < means.Length; at++) means[at] = 4 * chance.NextDouble();
        Span<double> transitions = model.ParameterLayout["transmat"].Of(theta.AsSpan());
        for (int at = 0; at < transitions.Length; at++) transitions[at] = at % (States + 1) == 0 ? 0.9 : 0.1 / (States - 1);
        var rows = new Minibatch(dimension, sequences * length);
        var draws = new RandomDraws(5);
        double[] row = new double[dimension];
        for (int sequence = 0; sequence < sequences; sequence++)
        {
            rows.BeginSequence();
            int state = -1;
            for (int at = 0; at < length; at++)
            {
                model.Sample(theta, draws, ref state, row);
                rows.Add(row);
            }
        }

        double ours = rows.Count / Clock.Median(Iteration(model, theta, rows), Clock.Thread, Samples, _seconds);
        Dictionary<string, double> theirs = peers.Script("hmm", $"{States} {dimension} {(quick ? 2000 : 20_000)}");
        report.Table("Sequences beside hmmlearn and NumPy",
            $"Steps per second of one EM iteration (forward-backward, statistics, M-step) of a hidden Markov model, {States} states, "
                + $"Gaussian diag, D = {dimension}, sequences of {length}, one thread. NumPy: the scaled recursions, a step a time, the "
                + "states as vectors.",
            "peer", "StreamEM", "peer's", "x");
        foreach (string peer in (ReadOnlySpan<string>)["hmmlearn", "numpy"])
        {
            double other = theirs.GetValueOrDefault(peer);
            report.Row(peer, Report.Rate(ours), other > 0 ? Report.Rate(other) : "not there", Report.Ratio(ours, other));
            if (other > 0) goals.AtLeast($"hidden Markov model against {peer}", ours / other, 20);
        }
    }

    private void FactorModels()
    {
        int[] dimensions = quick ? [64] : [64, 1000];
        Dictionary<string, double> theirs = peers.Script("ppca", $"{Factors} {string.Join(' ', dimensions)}");
        report.Table("Factors beside scikit-learn's IncrementalPCA.partial_fit",
            $"Rows per second, minibatches of {Minibatch1024}, q = {Factors}, one thread. The bound is the FMA probe over the operations "
                + "of a row: W'x, E[z] x' and squares, 4 q D + 3 D.",
            "D", "ppca", "GFLOP/s", "FMA probe", "of bound", "IncrementalPCA", "x");
        foreach (int dimension in dimensions)
        {
            double ours = PpcaRate(dimension), probe = FmaProbe.OneThread(), other = theirs.GetValueOrDefault(Number(dimension));
            double flops = ours * (4.0 * Factors * dimension + 3.0 * dimension) * 1e-9;
            report.Row(Number(dimension), Report.Rate(ours), $"{flops:F1}", $"{probe:F1}", $"{flops / probe:P0}", Report.Rate(other),
                Report.Ratio(ours, other));
            if (other > 0) goals.AtLeast($"ppca D = {dimension} against IncrementalPCA", ours / other, 3);
            if (dimension == 1000) goals.AtLeast("ppca D = 1000, share of its bound", flops / probe, 0.6);
        }
    }

    private double PpcaRate(int dimension)
    {
        const int minibatches = 8;
        LatentModel model = ((FactorOptions)ModelCatalog.Find("ppca")!.CreateOptions() with { Factors = Factors })
            .Create(FeatureSpace.Unscaled(dimension));
        double[] theta = new double[model.ParameterLayout.Length];
        model.Neutral(theta);
        var draws = new RandomDraws(9);
        Span<double> loadings = model.ParameterLayout["loadings"].Of(theta.AsSpan());
        foreach (ref double loading in loadings) loading = draws.Normal();
        int state = -1;
        double[] row = new double[dimension];
        Minibatch[] parts = [.. Enumerable.Range(0, minibatches).Select(_ =>
        {
            var part = new Minibatch(dimension, Minibatch1024);
            for (int at = 0; at < Minibatch1024; at++)
            {
                model.Sample(theta, draws, ref state, row);
                part.Add(row);
            }
            return part;
        })];
        return minibatches * Minibatch1024 / Clock.Median(Stream(model, theta, parts, 1), Clock.Thread, Samples, _seconds);
    }

    private void Topics()
    {
        const int iterations = 20;
        var corpus = new SyntheticCorpus(topics: 20, terms: 2000, texts: quick ? 512 : 4096, heldOut: quick ? 128 : 1024);
        Minibatch[] parts = corpus.Minibatches(256);
        LatentModel model = corpus.Model(iterations);
        double[] theta = corpus.Start(model);
        double rate = corpus.Tokens / Clock.Median(Stream(model, theta, parts, 0.7), Clock.Thread, quick ? 1 : 3, 0.01);
        string folder = Directory.CreateTempSubdirectory("streamem-topics-").FullName;
        try
        {
            corpus.Write(folder);
            File.WriteAllText(Path.Combine(folder, "components.txt"), Lines(Learned(model, theta, parts), corpus.Terms));
            Dictionary<string, double> theirs = peers.Script("lda", $"{folder} {corpus.Topics} {iterations}");
            report.Table("Topics beside gensim and scikit-learn",
                $"One pass over {parts.Length * 256} texts of a made corpus ({corpus.Topics} topics, {corpus.Terms} terms, about "
                    + $"{corpus.Tokens / (parts.Length * 256)} tokens each), minibatches of 256, gamma_t = (1 + t)^-0.7, at most "
                    + $"{iterations} inner iterations, tolerance 0.001, one thread. Perplexity of texts held out, all by "
                    + "scikit-learn's bound.",
                "implementation", "tokens/s", "x", "perplexity");
            report.Row("StreamEM", Report.Rate(rate), "", $"{theirs.GetValueOrDefault("ours_perplexity"):F1}");
            foreach (string peer in (ReadOnlySpan<string>)["gensim", "sklearn"])
            {
                double other = theirs.GetValueOrDefault(peer), perplexity = theirs.GetValueOrDefault($"{peer}_perplexity");
                report.Row(peer, other > 0 ? Report.Rate(other) : "not there", Report.Ratio(rate, other), $"{perplexity:F1}");
                if (!(other > 0)) continue;
                if (peer == "gensim") goals.AtLeast("topics against gensim, tokens/s", rate / other, 5);
                goals.AtMost($"topics: perplexity over that of {peer}", theirs["ours_perplexity"] / perplexity, 1.02);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string Lines(double[] components, int terms)
    {
        var text = new StringBuilder();
        for (int at = 0; at < components.Length; at++)
            text.Append(Number(components[at])).Append((at + 1) % terms == 0 ? '\n' : ' ');
        return text.ToString();
    }

    private static double[] Learned(LatentModel model, double[] theta, Minibatch[] parts)
    {
        var em = new StepwiseEm(model, Recursion.Statistics, new PowerLaw(new StepSizeOptions { Kappa = 0.7 }), 1);
        var state = new StepwiseState(model, theta);
        foreach (Minibatch part in parts) em.Update(state, part, new double[part.Count]);
        return state.Parameters;
    }

    /// <summary>One pass of the recursion over the minibatches, from where the last one ended.</summary>
    private static Action Stream(LatentModel model, double[] theta, Minibatch[] parts, double kappa)
    {
        var em = new StepwiseEm(model, Recursion.Statistics, new PowerLaw(new StepSizeOptions { Kappa = kappa }), 1);
        double[] logDensities = new double[parts[0].Count];
        var state = new StepwiseState(model, theta);
        return () =>
        {
            foreach (Minibatch part in parts) em.Update(state, part, logDensities);
        };
    }

    /// <summary>One iteration of batch EM.</summary>
    private static Action Iteration(LatentModel model, double[] theta, Minibatch rows)
    {
        var executor = new ShardedEStep(model, 1);
        double[] statistics = new double[model.StatisticsLayout.Length], next = new double[theta.Length],
            logDensities = new double[rows.Count];
        var events = new ModelEvents();
        EStep? eStep = null;
        return () =>
        {
            eStep = model.Prepare(theta, eStep);
            executor.Average(eStep, theta, rows, statistics, logDensities);
            events.Clear();
            model.Maximize(statistics, rows.Count, theta, next, events);
        };
    }
}
