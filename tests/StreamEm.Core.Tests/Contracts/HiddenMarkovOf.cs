using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Sequences;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Tests.Contracts;

/// <summary>A family in a hidden Markov model.</summary>
public abstract class HiddenMarkovOf<TFamily> : EmissionContract<TFamily>
    where TFamily : Family, new()
{
    protected override LatentModelOptions Options(int components, int dimension) =>
        Hosts.HiddenMarkov(components, EmissionParts.Of(Tested.Options));

    protected override RecordSchema Schema(int dimension) => base.Schema(dimension) with { Key = "device" };

    protected override ComponentModel Host(Emission emission) => new HiddenMarkov("hidden_markov", emission, Prior.None);

    protected override Minibatch Rows(int dimension, int count, ulong seed, double missing = 0) =>
        Sequences.Of(base.Rows(dimension, count, seed, missing), seed);

    protected override Minibatch Records(Minibatch rows) => Sequences.Interleaved(base.Records(rows));

    /// <summary>
    /// sum over sequences of H(z_1 .. z_T) = H(z_1) + sum_t H(z_t given z_t-1) by the passages of one sequence at a time: the posterior of
    /// a chain is a chain.
    /// </summary>
    private protected override double EntropyOf(LatentModel model, double[] theta, Minibatch rows)
    {
        double entropy = 0;
        for (int at = 0; at < rows.SequenceStarts.Length; at++)
        {
            int first = rows.SequenceStarts[at], end = at + 1 < rows.SequenceStarts.Length ? rows.SequenceStarts[at + 1] : rows.Count;
            entropy += EntropyOfPaths(model, theta, rows, first, end);
        }
        return entropy;
    }

    /// <summary>Of one sequence, by log alpha and log beta.</summary>
    private static double EntropyOfPaths(LatentModel model, double[] theta, Minibatch rows, int first, int end)
    {
        double[] Single(int row)
        {
            // log p(x given z = k) of a row: what a chain that can only be in k says of it.
            double[] logs = new double[3];
            for (int k = 0; k < 3; k++)
            {
                double[] certain = [.. theta];
                for (int other = 0; other < 3; other++) certain[other] = other == k ? 1 : 0;
                var one = new Minibatch(rows.Dimension);
                one.BeginSequence();
                one.Add(rows.Row(row), key: 0);
                double[] logDensity = new double[1];
                Sums(model, certain, one, 0, 1, logDensity, out _);
                logs[k] = double.IsNaN(logDensity[0]) ? 0 : logDensity[0];
            }
            return logs;
        }

        int length = end - first;
        double[][] b = [.. Enumerable.Range(first, length).Select(Single)];
        double[][] alpha = [.. b.Select(_ => new double[3])], beta = [.. b.Select(_ => new double[3])];
        double Transition(int i, int j) => theta[3 + i * 3 + j];
        double LogSum(Func<int, double> of)
        {
            double[] values = [of(0), of(1), of(2)];
            double max = values.Max();
            return max + Math.Log(values.Sum(value => Math.Exp(value - max)));
        }
        for (int k = 0; k < 3; k++) alpha[0][k] = Math.Log(theta[k]) + b[0][k];
        for (int t = 1; t < length; t++)
            for (int j = 0; j < 3; j++)
                alpha[t][j] = b[t][j] + LogSum(i => alpha[t - 1][i] + Math.Log(Transition(i, j)));
        for (int t = length - 2; t >= 0; t--)
            for (int i = 0; i < 3; i++)
                beta[t][i] = LogSum(j => Math.Log(Transition(i, j)) + b[t + 1][j] + beta[t + 1][j]);
        double logLikelihood = LogSum(k => alpha[length - 1][k]), entropy = 0;
        for (int k = 0; k < 3; k++) entropy -= Part(alpha[0][k] + beta[0][k] - logLikelihood, alpha[0][k] + beta[0][k] - logLikelihood);
        for (int t = 1; t < length; t++)
            for (int i = 0; i < 3; i++)
                for (int j = 0; j < 3; j++)
                {
                    double joint = alpha[t - 1][i] + Math.Log(Transition(i, j)) + b[t][j] + beta[t][j] - logLikelihood;
                    entropy -= Part(joint, joint - (alpha[t - 1][i] + beta[t - 1][i] - logLikelihood));
                }
        return rows.Weight(first) * entropy;
    }

    private static double Part(double logProbability, double log) => logProbability < -700 ? 0 : Math.Exp(logProbability) * log;

    /// <summary>A row that says nothing of its values is still a step of the chain.</summary>
    protected override IEnumerable<VectorBlock> StatisticsOfRows(LatentModel model) =>
        base.StatisticsOfRows(model).Where(block => block.Name is not ("initial" or "transitions"));
}
