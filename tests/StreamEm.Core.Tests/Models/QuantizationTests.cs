using StreamEm.Core.Data;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Tests.Support;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Tests.Models;

/// <summary>k-means from a stream: encode, decode, what is lost and what it costs.</summary>
public sealed class QuantizationTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Score_HardSpheres_EncodesAndDecodes(bool areWeightsHeld)
    {
        // Units that differ by a thousand.
        Minibatch drawn = Gaussians.Three.Draw(4000, 6), rows = new(2, 4000);
        for (int row = 0; row < 4000; row++) rows.Add([drawn.Row(row)[0], 1000 * drawn.Row(row)[1]]);
        LatentModelOptions model = Gaussians.Mixture(3, CovarianceType.Spherical) with
        {
            Fixed = areWeightsHeld ? new BlockNames(["weights", "covariances"]) : BlockNames.None,
        };
        var options = new LearningOptions { Responsibilities = new() { Kind = ResponsibilityKind.Hard } };
        Learner learner = Streams.Learn(model, options, rows);
        LearnedModel learned = Streams.Snapshot(learner);
        rows.Add([1.0, double.NaN]);
        int width = learned.Model.ScoreLayout.Length;
        double[] scores = new double[rows.Count * width];
        new Scorer(learned).Score(rows, new double[rows.Count], scores, new double[rows.Count]);

        Assert.Equal(["log_density", "responsibilities", "reconstruction", "reconstruction_error", "bits", "component", "anomaly_score"],
            learned.Outputs);
        double[] means = learned.Layout["means"].Of(learned.Parameters.AsSpan()).ToArray();
        double bits = 0, entropy = 0;
        for (int row = 0; row < rows.Count; row++)
        {
            ReadOnlySpan<double> said = scores.AsSpan(row * width, width);
            double[] responsibilities = Block("responsibilities", said);
            int code = Array.IndexOf(responsibilities, responsibilities.Max());
            double x = rows.Row(row)[0] - means[2 * code], y = rows.Row(row)[1] - means[2 * code + 1];
            double error = x * x + (double.IsNaN(y) ? 0 : y * y);
            Assert.Equal(means[(2 * code)..(2 * code + 2)], Block("reconstruction", said));
            Assert.Equal(error, Block("reconstruction_error", said)[0], 1e-9 * Math.Max(1, error));
            Assert.Equal(-Math.Log2(learned.Parameters[code]), Block("bits", said)[0], 1e-12);
            bits += Block("bits", said)[0] / rows.Count;
        }
        for (int k = 0; k < 3; k++) entropy -= learned.Parameters[k] * Math.Log2(learned.Parameters[k]);
        Assert.Equal(entropy, bits, areWeightsHeld ? 0.3 : 0.05);
        Assert.True(bits <= Math.Log2(3) + 1e-9 || areWeightsHeld);

        // What it says is part of what it is: a state goes on with it.
        var loaded = new Learner(model, Core.Features.RecordSchema.OfNumbers(2), options);
        loaded.Load(new BinaryReader(new MemoryStream(Streams.State(learner))));
        Assert.Equal(width, Streams.Snapshot(loaded).Model.ScoreLayout.Length);

        double[] Block(string name, ReadOnlySpan<double> said)
        {
            VectorBlock block = learned.Model.ScoreLayout[name];
            return block.Of(said).ToArray();
        }
    }
}
