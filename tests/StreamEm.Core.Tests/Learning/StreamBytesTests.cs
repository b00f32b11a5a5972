using System.Globalization;
using System.Security.Cryptography;
using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Learning;

/// <summary>
/// A stream of many features, so that every tile and the sparse statistics run: weighted, with missing values, labels and
/// readings from another world. STREAMEM_TEST_RECORDS sets how long it is.
/// </summary>
public sealed class StreamBytesTests
{
    private const int Dimension = 19, Components = 6;
    private static readonly int Records = int.Parse(
        Environment.GetEnvironmentVariable("STREAMEM_TEST_RECORDS") ?? "6000", CultureInfo.InvariantCulture);

    [Theory]
    [InlineData(CovarianceType.Full, SparseWeightedSums.DefaultThreshold, 0.05)]
    [InlineData(CovarianceType.Full, 0, 0)]
    [InlineData(CovarianceType.Tied, SparseWeightedSums.DefaultThreshold, 0)]
    [InlineData(CovarianceType.Diag, SparseWeightedSums.DefaultThreshold, 0)]
    [InlineData(CovarianceType.Diag, 0, 0.05)]
    [InlineData(CovarianceType.Spherical, SparseWeightedSums.DefaultThreshold, 0)]
    public void Learn_EveryPathAndNumberOfThreads_GivesTheSameStates(CovarianceType type, double threshold, double labelled)
    {
        string Of(KernelPath path, int threads) =>
            OtherPath.Run(path, threshold, typeof(StreamBytesTests), nameof(BytesOf), type.ToString(), labelled, threads);

        string expected = Of(KernelPath.Avx2, 1);
        Assert.Equal(expected, Of(KernelPath.Avx2, 2));
        Assert.Equal(expected, Of(KernelPath.Avx512, 3));
        Assert.Equal(expected, Of(KernelPath.Portable, 7));
    }

    /// <summary>SHA-256 of the states along both recursions; called under every kernel path.</summary>
    public string BytesOf(string type, double labelled, int threads)
    {
        using var bytes = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (Recursion recursion in Enum.GetValues<Recursion>())
        {
            var options = new LearningOptions
            {
                Recursion = recursion,
                MinibatchSize = 1500,
                Initialization = new() { Buffer = 2000, NInit = 1 },
            };
            var learner = new Learner(Gaussians.Mixture(Components, Enum.Parse<CovarianceType>(type)),
                RecordSchema.OfNumbers(Dimension), options, threads: threads);
            var chance = new SplitMix64(5);
            for (int taken = 0; taken < Records; taken += 1000)
            {
                Streams.Feed(learner, Draw(chance, 1000, labelled), 0, 1000);
                bytes.AppendData(Streams.State(learner));
            }
        }
        return Convert.ToHexString(bytes.GetHashAndReset());
    }

    /// <summary>Components 5 standard deviations apart: most responsibilities are nothing.</summary>
    private static Minibatch Draw(SplitMix64 chance, int count, double labelled)
    {
        var batch = new Minibatch(Dimension, count);
        for (int row = 0; row < count; row++)
        {
            int component = (int)(Components * chance.NextDouble());
            Span<double> values = batch.NextRow;
            for (int d = 0; d < Dimension; d++)
                values[d] = 5 * ((component * 7 + d * 3) % 5) + Gaussians.Normal(chance) * (1 + d % 3);
            double kind = chance.NextDouble();
            if (kind < 0.05) values[(int)(Dimension * chance.NextDouble())] = double.NaN;
            if (kind is > 0.99 and < 0.992) values[3] = 65535;
            batch.Commit(0.5 + chance.NextDouble(), chance.NextDouble() < labelled ? component : Minibatch.Unlabelled);
        }
        return batch;
    }
}
