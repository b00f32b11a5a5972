using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Models;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Tests.Contracts;

/// <summary>What can be read off every model: records drawn from it, and what its log-likelihood is made of.</summary>
public abstract partial class ModelContract
{
    /// <summary>Whether records can be drawn from the model.</summary>
    protected virtual bool CanBeDrawn => true;

    /// <summary>What a step on 24 000 records drawn may move a parameter by: more where few of them say something of it.</summary>
    protected virtual double OfDrawn => 0.06;

    [Fact]
    public void Sample_SameSeed_DrawsTheSameRecords()
    {
        LatentModel model = Create(3, 2);
        Assert.Equal(CanBeDrawn, model.CanSample);
        if (!CanBeDrawn)
        {
            int none = -1;
            Assert.Throws<NotSupportedException>(() => model.Sample(new double[2], new RandomDraws(1), ref none, new double[2]));
            return;
        }
        double[] theta = Drawable(model);
        Assert.Equal(Drawn(model, theta, 200, 5).Values.ToArray(), Drawn(model, theta, 200, 5).Values.ToArray());
        Assert.NotEqual(Drawn(model, theta, 200, 5).Values.ToArray(), Drawn(model, theta, 200, 6).Values.ToArray());
    }

    [Fact]
    public void Sample_Refitted_GivesTheParametersBack()
    {
        if (!CanBeDrawn) return;
        const int count = 24_000;
        LatentModel model = Create(3, 2);
        double[] theta = Drawable(model);
        Minibatch drawn = Drawn(model, theta, count, 77);

        // At the truth the averaged statistics of its own records imply it: one step of EM stays, but for the noise of so many records.
        double[] step = new double[theta.Length];
        model.Maximize(Averages(model, theta, drawn, out _), count, theta, step, new ModelEvents());
        AssertParameters(model, theta, step, OfDrawn);

        // And so does EM from there, which goes to the maximum near by.
        double[] fitted =
            BatchEm.Run(model, drawn, theta, new BatchEmOptions { Tolerance = -1, MaxIterations = 15, Threads = 1 }).Parameters;
        AssertParameters(model, theta, fitted, Math.Max(0.2, OfDrawn));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.2)]
    public void LogLikelihood_IsEnergyEntropyAndDivergence(double missing)
    {
        LatentModel model = Create(3, 2);
        Minibatch rows = Rows(2, 300, 31, missing);
        double[] theta = Theta(model, rows);
        Sums(model, theta, rows, 0, rows.Count, new double[rows.Count], out Evidence evidence);
        // The posterior is exact: log p = L(q).
        Assert.Equal(0, evidence.Divergence, 1e-9 * Math.Abs(evidence.LogLikelihood));
        Assert.InRange(evidence.Entropy, LeastEntropy, double.MaxValue);
        double expected = EntropyOf(model, theta, rows);
        if (!double.IsNaN(expected)) Assert.Equal(expected, evidence.Entropy, 1e-9 * Math.Max(1, Math.Abs(evidence.LogLikelihood)));
    }

    /// <summary>The weighted entropy of the posterior by another way: 0 where nothing is latent, NaN where there is none.</summary>
    private protected virtual double EntropyOf(LatentModel model, double[] theta, Minibatch rows) => 0;

    /// <summary>Fitted parameters from which every record can be drawn.</summary>
    private double[] Drawable(LatentModel model)
    {
        Minibatch rows = Rows(2, 600, 30);
        return model is ComponentModel components ? ComponentContract.Possible(components, rows) : Theta(model, rows);
    }

    /// <summary>Records drawn from a model, in sequences of 50 where it has an order.</summary>
    private static Minibatch Drawn(LatentModel model, double[] theta, int count, ulong seed)
    {
        var draws = new RandomDraws(seed);
        var rows = new Minibatch(model.Dimension, count);
        int state = -1;
        for (int row = 0; row < count; row++)
        {
            if (model.Order != RowOrder.Any && row % 50 == 0)
            {
                state = -1;
                rows.BeginSequence();
            }
            model.Sample(theta, draws, ref state, rows.NextRow);
            rows.Commit(1, key: model.Order == RowOrder.Any ? Minibatch.NoKey : row / 50);
        }
        return rows;
    }

    /// <summary>How many times more than other parameters those of a block move by the noise of records drawn from them.</summary>
    protected virtual double Noise(VectorBlock block) => 1;

    /// <summary>The parameters that records drawn from them tell, however many: not how sure a posterior is.</summary>
    protected virtual IEnumerable<VectorBlock> TellableParameters(LatentModel model) => model.ParameterLayout.Blocks;

    /// <summary>Asserts that entries are within a part of their size, or of 1.</summary>
    private void AssertParameters(LatentModel model, double[] expected, double[] actual, double tolerance)
    {
        foreach (VectorBlock block in TellableParameters(model))
            for (int at = block.Offset; at < block.Offset + block.Length; at++)
                Assert.True(Math.Abs(expected[at] - actual[at]) <= Noise(block) * tolerance * Math.Max(1, Math.Abs(expected[at])),
                    $"entry {at} of {model.ParameterLayout}: drawn from {expected[at]:R}, found {actual[at]:R}");
    }
}
