using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models;

namespace StreamEm.Core.Estimation;

/// <summary>
/// Incremental EM (Neal &amp; Hinton 1998): the statistics of every block of rows are kept, and an M-step follows each block's E-step, its
/// new statistics in the place of the old. From the second pass on, every step raises the free energy F(q, Theta), whose maxima are the
/// likelihood's. Until a block is met for the first time it counts as the first parameters imply. What a pass says of the likelihood is
/// the sum over blocks under other parameters each, which may fall while the free energy rises: it has ended when two passes in a row have
/// changed it by no more than the tolerance, up or down.
/// </summary>
internal static class IncrementalEm
{
    /// <summary>The most doubles that are kept; beyond it blocks are larger.</summary>
    private const long MostKept = 1 << 27;

    /// <summary>Of the likelihood, by which its sums differ through rounding.</summary>
    private const double Rounding = 1e-13;

    /// <summary>Iterates to convergence.</summary>
    public static BatchEmResult Run(LatentModel model, WholeData data, Minibatch batch, double[] theta, BatchEmOptions options)
    {
        int length = model.StatisticsLayout.Length;
        Block[] blocks = Cut(model, batch, options.BlockRows, length);
        double[] implied = new double[length], sums = new double[length], fresh = new double[length], next = new double[theta.Length];
        model.ImpliedStatistics(theta, double.PositiveInfinity, implied);
        foreach (Block block in blocks)
            for (int at = 0; at < length; at++) block.Sums[at] = block.Weight * implied[at];
        data.CountAll();
        var rows = new Minibatch(batch.Dimension, options.BlockRows);
        var trace = new FitTrace(options);
        bool wasStill = false;
        while (true)
        {
            // Anew in every pass, so that roundings do not add up.
            double weight = 0, logLikelihood = 0, seen = 0;
            Array.Clear(sums);
            foreach (Block block in blocks)
            {
                Interpolation.Add(sums, block.Sums);
                weight += block.Weight;
            }
            foreach (Block block in blocks)
            {
                rows.Clear();
                rows.Append(batch, block.First, block.Count);
                Evidence evidence = data.Expect(theta, rows, fresh);
                if (evidence.Weight > 0) Interpolation.Multiply(fresh, evidence.Weight);
                else Array.Clear(fresh);
                for (int at = 0; at < length; at++) sums[at] += fresh[at] - block.Sums[at];
                weight += evidence.Weight - block.Weight;
                logLikelihood += evidence.LogLikelihood;
                seen += evidence.Weight;
                fresh.CopyTo(block.Sums, 0);
                block.Weight = evidence.Weight;
                for (int at = 0; at < length; at++) fresh[at] = sums[at] / weight;
                data.Maximize(fresh, theta, next);
                (theta, next) = (next, theta);
            }
            double mean = logLikelihood / seen;
            bool isStill = Math.Abs(mean - trace.Last) <= Math.Max(options.Tolerance, Rounding * Math.Abs(mean));
            if (!trace.Ends(mean, isStill && wasStill))
            {
                wasStill = isStill;
                continue;
            }
            trace.Ends(data.Expect(theta));
            return trace.Result(theta, data);
        }
    }

    /// <summary>Blocks of rows; of whole sequences where rows belong together.</summary>
    private static Block[] Cut(LatentModel model, Minibatch batch, int size, int length)
    {
        long most = Math.Max(1, MostKept / Math.Max(1, length));
        int rows = (int)Math.Max(size, (batch.Count + most - 1) / most);
        var blocks = new List<Block>();
        int first = 0;
        if (model.Order == RowOrder.Any)
            while (first + rows < batch.Count) Add(first + rows);
        else
            foreach (int start in batch.SequenceStarts)
                if (start - first >= rows) Add(start);
        Add(batch.Count);
        return [.. blocks];

        void Add(int end)
        {
            double weight = 0;
            for (int row = first; row < end; row++) weight += batch.Weight(row);
            blocks.Add(new Block(first, end - first, new double[length]) { Weight = weight });
            first = end;
        }
    }

    /// <summary>A block with what it adds to the statistics.</summary>
    private sealed class Block(int first, int count, double[] sums)
    {
        public int First => first;

        public int Count => count;

        public double[] Sums => sums;

        public double Weight { get; set; }
    }
}
