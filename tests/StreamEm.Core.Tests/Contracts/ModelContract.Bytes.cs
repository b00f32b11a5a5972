using System.Runtime.InteropServices;
using System.Security.Cryptography;
using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Learning;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Contracts;

public abstract partial class ModelContract
{
    /// <summary>What is learned and said does not depend on the width of the vectors or on how many threads work.</summary>
    [Theory]
    [InlineData(nameof(Recursion.Parameters))]
    [InlineData(nameof(Recursion.Statistics))]
    public void Learn_EveryKernelPath_GivesTheSameBytes(string recursion)
    {
        string expected = OtherPath.Run(KernelPath.Avx2, GetType(), nameof(BytesOfAStream), recursion, 1);
        Assert.Equal(expected, OtherPath.Run(KernelPath.Avx512, GetType(), nameof(BytesOfAStream), recursion, 2));
        Assert.Equal(expected, OtherPath.Run(KernelPath.Portable, GetType(), nameof(BytesOfAStream), recursion, 3));
    }

    /// <summary>What is said of a record does not depend on the records it came with, unless they are its sequence.</summary>
    [Fact]
    public void Score_AnyBatch_GivesTheSameBytes()
    {
        Minibatch records = Records(Rows(5, 700, 31, 0.1));
        var options = new LearningOptions { MinibatchSize = 300, Initialization = new() { Buffer = 350, NInit = 1 } };
        var scorer = new Scorer(Streams.Snapshot(Streams.Learn(Options(3, 5), options, records, schema: Schema(5))));
        if (scorer.Learned.Model.Order != RowOrder.Any) return;
        double[] expected = Scores(scorer, records, 0, 300);
        foreach (int size in (int[])[1, 3, 8, 9])
        {
            double[] actual = [.. Enumerable.Range(0, 300 / size).SelectMany(batch => Scores(scorer, records, batch * size, size))];
            Assert.Equal(
                expected.Take(actual.Length).Select(BitConverter.DoubleToInt64Bits), actual.Select(BitConverter.DoubleToInt64Bits));
        }
    }

    /// <summary>What is said of each of some records, record by record.</summary>
    private static double[] Scores(Scorer scorer, Minibatch records, int first, int count)
    {
        var batch = new Minibatch(records.Dimension, count, records.Texts);
        batch.Append(records, first, count);
        int width = scorer.Layout.Length;
        double[] densities = new double[count], scores = new double[count * width], anomalies = new double[count];
        scorer.Score(batch, densities, scores, anomalies);
        return [.. Enumerable.Range(0, count).SelectMany(row => scores[(row * width)..(row * width + width)]
            .Append(densities[row]).Append(anomalies[row]))];
    }

    /// <summary>
    /// SHA-256 of the states, parameters and scores after a stream of ragged minibatches, and of statistics and log-densities of a larger
    /// model; called under every kernel path.
    /// </summary>
    public string BytesOfAStream(string recursion, int threads)
    {
        Recursion chosen = Enum.Parse<Recursion>(recursion);
        var bytes = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Minibatch records = Records(Rows(5, 1400, 31, 0.1));
        var options = new LearningOptions
        {
            Recursion = chosen,
            MinibatchSize = 301,
            AnomalyHalfLife = 700,
            Initialization = new() { Buffer = 350, NInit = 2 },
        };
        var learner = new Learner(Options(3, 5), Schema(5), options, threads: threads);
        for (int first = 0; first < records.Count; first += 200)
        {
            Streams.Feed(learner, records, first, 200);
            bytes.AppendData(Streams.State(learner));
        }
        LearnedModel learned = Streams.Snapshot(learner);
        double[] densities = new double[records.Count], scores = new double[records.Count * learned.Model.ScoreLayout.Length],
            anomalies = new double[records.Count];
        new Scorer(learned).Score(records, densities, scores, anomalies);
        foreach (double[] values in (double[][])[learned.Parameters.ToArray(), densities, scores, anomalies])
            bytes.AppendData(MemoryMarshal.AsBytes<double>(values));

        LatentModel model = Create(8, 6);
        bytes.AppendData(AfterTwoUpdates(model, chosen, Rows(6, 2500, 12, 0.02), Theta(model, Rows(6, 600, 12)), threads));
        return Convert.ToHexString(bytes.GetHashAndReset());
    }
}
