using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
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

    /// <summary>Priors and all: where the engine stops, batch EM stays.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void GradientEngine_ToItsEnd_StopsWhereBatchEmStays(bool isUsual)
    {
        LatentModel model = isUsual ? CreateUsual(3, 2) : Create(3, 2);
        if (!model.HasGradient) return;
        Minibatch rows = Rows(2, 900, 2, 0.1);
        var options = new BatchEmOptions { Tolerance = 1e-12, MaxIterations = 600 };
        BatchEmResult found = BatchEm.Run(model, rows, Theta(model, rows), options with { Engine = FitEngine.Gradient });
        BatchEmResult after = BatchEm.Run(model, rows, found.Parameters, options with { Tolerance = -1, MaxIterations = 20 });
        TestContext.Current.TestOutputHelper!.WriteLine($"{found.LogLikelihoods.Count} steps, {found.Evaluations / rows.Count} passes to "
            + $"{found.LogLikelihoods[^1]:R}, then {after.LogLikelihoods[^1] - found.LogLikelihoods[^1]:G3}");
        Assert.True(found.Converged);
        Assert.Equal(found.LogLikelihoods[^1], after.LogLikelihoods[^1], 1e-7);
        // Without priors it never falls, but for what the least probabilities cost where one is all but 0.
        if (!isUsual) Assert.True(found.LargestFall <= 1e-9 * Math.Abs(found.LogLikelihoods[^1]), $"fell by {found.LargestFall:R}");
    }
}
