using StreamEm.Core.Data;
using StreamEm.Core.Intervals;
using StreamEm.Core.Models;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Tests.Contracts;

/// <summary>What intervals are made from.</summary>
public abstract partial class ModelContract
{
    [Fact]
    public void IntervalsProblem_ModelWithAGradient_HasNone()
    {
        if (CreateUsual(3, 3).HasGradient) Assert.Null(Options(3, 3).IntervalsProblem);
    }

    /// <summary>Fisher's identity, by central differences along every coordinate; their own error is of the order of 1e-7.</summary>
    [Theory]
    [InlineData(2, 0)]
    [InlineData(3, 0.2)]
    public void Gradient_FromStatistics_IsThatOfTheLogLikelihood(int dimension, double missing)
    {
        LatentModel model = Create(3, dimension);
        if (!model.HasGradient) return;
        Minibatch rows = Rows(dimension, 300, 12, missing);
        // Not at the maximum, where the gradient would be 0, nor at the end of a simplex, beyond which there is nothing.
        double[] theta = Theta(model, Rows(dimension, 200, 77)), gradient = new double[theta.Length];
        foreach (VectorBlock block in model.ParameterLayout.Blocks.Where(block => block.Domain == Domain.Simplex))
            foreach (ref double value in block.Of(theta.AsSpan())) value = 0.9 * value + 0.1 / block.Shape[^1];
        var entries = new FreeEntries(model);
        entries.Choose(theta);
        double[] slopes = new double[entries.Count];
        double[] averages = Averages(model, theta, rows, out Evidence evidence);
        model.Gradient(averages, theta, gradient);
        entries.Project(gradient, theta, slopes);
        double largest = slopes.Max(Math.Abs);
        Assert.True(largest > 1e-3, $"the largest slope is {largest:R}");
        for (int at = 0; at < slopes.Length; at++)
        {
            const double step = 1e-6;
            double[] up = [.. theta], down = [.. theta];
            entries.Move(at, step, up);
            entries.Move(at, -step, down);
            double found = (LogLikelihood(up) - LogLikelihood(down)) / (2 * step);
            if (!double.IsFinite(found)) continue;
            Assert.True(Math.Abs(found - slopes[at]) <= 1e-5 * Math.Max(1, Math.Max(largest, Math.Abs(found))),
                $"coordinate {at}: {slopes[at]:R}, by differences {found:R}");
        }

        double LogLikelihood(double[] at)
        {
            Averages(model, at, rows, out Evidence there);
            Assert.Equal(evidence.Weight, there.Weight, 1e-9);
            return there.MeanLogLikelihood;
        }
    }
}
