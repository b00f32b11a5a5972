using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Sequences;

namespace StreamEm.Core.Tests.Learning;

/// <summary>What minibatches of sequences that lag behind say, beside what all that was seen of each sequence says.</summary>
public sealed class LaggedStatisticsTests
{
    /// <summary>
    /// What a minibatch says is what its rows say within their sequence from its first row to the last one seen: minibatch by minibatch,
    /// by a pass over all of that, in which the other rows weigh nothing.
    /// </summary>
    [Theory]
    [InlineData("hidden_markov", 0)]
    [InlineData("hidden_markov", 1)]
    [InlineData("hidden_markov", 3)]
    [InlineData("hidden_markov", 50)]
    [InlineData("linear_gaussian_state_space", 2)]
    [InlineData("linear_gaussian_state_space", 50)]
    public void Statistics_OfEveryMinibatch_AreThoseOfAllThatWasSeenOfItsSequences(string type, int lag)
    {
        (LatentModel model, double[] theta) = Model(type);
        Minibatch records = LaggedLearnerTests.Records(60, keys: 3);
        var sequences = new SequenceOptions { Lag = lag };
        StreamMemory memory = model.CreateMemory(10)!;
        MinibatchCut cut = lag == 0 ? new KeyedCut(4, 10, memory, sequences) : new LaggedCut(4, 10, memory, sequences);
        EStep eStep = model.Prepare(theta);
        var steps = new ShardedEStep(model, 1);
        var pending = new Minibatch(1, texts: records.Texts);
        int[] learned = new int[3], seen = new int[3];
        int fewestAhead = int.MaxValue;
        for (int row = 0; row <= records.Count; row++)
        {
            bool hasEnded = row == records.Count;
            if (!hasEnded)
            {
                pending.Append(records, row, 1);
                seen[records.Key(row)]++;
            }
            while (cut.Next(pending, hasEnded ? CutMoment.Ended : CutMoment.Full, out int count) is { } rows)
            {
                double[] statistics = new double[model.StatisticsLayout.Length], expected = new double[statistics.Length],
                    densities = new double[count], ofKey = new double[records.Count];
                Evidence evidence = steps.Accumulate(eStep, rows, statistics, densities, new Pass(memory, 1));
                double logLikelihood = 0;
                var logs = new List<double>();
                foreach (int start in rows.SequenceStarts)
                {
                    int key = (int)rows.Row(start)[0] % 3, number = SequenceRows.EndOf(rows.SequenceStarts, start, count) - start;
                    Minibatch all = Sequence(records, key, seen[key], learned[key], number);
                    logLikelihood += new ShardedEStep(model, 1).Accumulate(eStep, all, expected, ofKey).LogLikelihood;
                    logs.AddRange(ofKey[learned[key]..(learned[key] + number)]);
                    learned[key] += number;
                    if (!hasEnded) fewestAhead = Math.Min(fewestAhead, seen[key] - learned[key]);
                }
                LaggedLearnerTests.AllClose(Summed(model, eStep, records, rows, learned, seen), statistics);
                LaggedLearnerTests.AllClose([.. logs], densities);
                Assert.Equal(count, evidence.Weight);
                Assert.Equal(logLikelihood, evidence.LogLikelihood, 1e-9);
                pending.RemoveFirst(count);
            }
        }
        Assert.Equal([20, 20, 20], learned);
        if (lag is > 0 and < 20) Assert.Equal(lag, fewestAhead);
    }

    /// <summary>Filtered and smoothed probabilities of a tiny chain by enumeration of all its paths.</summary>
    [Fact]
    public void Statistics_OfATinyChain_AreThoseOfAllPathsThroughWhatWasSeen()
    {
        (LatentModel model, double[] theta) = Model("hidden_markov");
        double[] x = [1, 6, 2, 7, 0, 5];
        StreamMemory memory = model.CreateMemory(2)!;
        var cut = new LaggedCut(2, 2, memory, new SequenceOptions { Lag = 2 });
        var steps = new ShardedEStep(model, 1);
        EStep eStep = model.Prepare(theta);
        var pending = new Minibatch(1, texts: new TextTable());
        int learned = 0;
        for (int t = 0; t < x.Length; t++)
        {
            pending.Add([x[t]], key: pending.Texts!.Number("a"));
            if (cut.Next(pending, CutMoment.Full, out int count) is not { } rows) continue;
            double[] statistics = new double[model.StatisticsLayout.Length], expected = new double[8];
            steps.Accumulate(eStep, rows, statistics, new double[count], new Pass(memory, 1));
            double total = 0;
            for (int path = 0; path < 1 << (t + 1); path++)
            {
                int StateAt(int at) => (path >> at) & 1;
                double p = theta[StateAt(0)];
                for (int at = 0; at <= t; at++)
                {
                    if (at > 0) p *= theta[2 + 2 * StateAt(at - 1) + StateAt(at)];
                    double rate = theta[6 + StateAt(at)];
                    p *= Math.Exp(-rate) * Math.Pow(rate, x[at]);
                }
                total += p;
                for (int at = learned; at < learned + count; at++)
                {
                    if (at == 0) expected[StateAt(0)] += p;
                    else expected[2 + 2 * StateAt(at - 1) + StateAt(at)] += p;
                    expected[6 + StateAt(at)] += p;
                }
            }
            LaggedLearnerTests.AllClose([.. expected.Select(value => value / total)], statistics[..8]);
            learned += count;
            pending.RemoveFirst(count);
        }
        Assert.Equal(4, learned);
    }

    /// <summary>The statistics of all sequences of a minibatch, each from a pass over all that was seen of it.</summary>
    private static double[] Summed(LatentModel model, EStep eStep, Minibatch records, Minibatch rows, int[] learned, int[] seen)
    {
        double[] sum = new double[model.StatisticsLayout.Length], one = new double[sum.Length];
        foreach (int start in rows.SequenceStarts)
        {
            int key = (int)rows.Row(start)[0] % 3, number = SequenceRows.EndOf(rows.SequenceStarts, start, rows.Count) - start;
            Minibatch all = Sequence(records, key, seen[key], learned[key] - number, number);
            new ShardedEStep(model, 1).Accumulate(eStep, all, one, new double[all.Count]);
            for (int at = 0; at < sum.Length; at++) sum[at] += one[at];
        }
        return sum;
    }

    /// <summary>The first rows of a key as one sequence, of which some weigh 1 and the others nothing.</summary>
    private static Minibatch Sequence(Minibatch records, int key, int rows, int from, int number)
    {
        var result = new Minibatch(1);
        result.BeginSequence();
        for (int row = 0; row < records.Count && result.Count < rows; row++)
            if (records.Key(row) == key)
                result.Add(records.Row(row), result.Count >= from && result.Count < from + number ? 1 : 0);
        return result;
    }

    private static (LatentModel Model, double[] Theta) Model(string type) => type == "hidden_markov"
        ? (new HiddenMarkov(type, new Poisson(2, [0], Prior.None), Prior.None), [0.6, 0.4, 0.7, 0.3, 0.2, 0.8, 3, 9])
        : (Models.StateSpaces.StateSpaceTests.Free(1, 1), [4, 2, 0.9, 0.5, 1, 1.5]);
}
