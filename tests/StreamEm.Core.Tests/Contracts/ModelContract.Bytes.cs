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
