using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Experts;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Models.Experts;

/// <summary>Gates of two levels.</summary>
public sealed class ExpertTreeTests
{
    private const int Branches = 2, Inputs = 2;

    [Fact]
    public void Score_OfATree_IsTheSumOverItsPaths()
    {
        LatentModel model = Tree();
        double[] theta = Parameters(model, seed: 3);
        Minibatch rows = Rows(50, seed: 4);
        double[] logDensities = new double[rows.Count], scores = new double[rows.Count * model.ScoreLayout.Length];
        EStep eStep = model.Prepare(theta);
        eStep.Score(rows, 0, rows.Count, logDensities, scores, eStep.CreateWorkspace());
        for (int row = 0; row < rows.Count; row++)
        {
            double[] paths = Paths(model, theta, rows.Row(row), out double density);
            Assert.Equal(Math.Log(density), logDensities[row], 1e-12);
            Span<double> gate = model.ScoreLayout["gate_probabilities"].Of(scores.AsSpan(row * model.ScoreLayout.Length));
            for (int k = 0; k < paths.Length; k++) Assert.Equal(paths[k], gate[k], 1e-13);
        }
    }

    [Fact]
    public void BatchEm_OfATree_EndsWhereNoCoefficientLeadsUp()
    {
        LatentModel model = Tree();
        double[] truth = Parameters(model, seed: 5);
        Minibatch rows = Drawn(model, truth, 2000, seed: 6);
        BatchEmResult result = BatchEm.Run(model, rows, truth, new BatchEmOptions { Tolerance = 1e-15, MaxIterations = 5000 });
        double end = Likelihood(model, result.Parameters, rows);
        foreach (string name in (string[])[SoftmaxTree.Root, SoftmaxTree.Nested])
            foreach (int at in Enumerable.Range(0, model.ParameterLayout[name].Length))
            {
                double[] up = [.. result.Parameters], down = [.. result.Parameters];
                up[model.ParameterLayout[name].Offset + at] += 1e-4;
                down[model.ParameterLayout[name].Offset + at] -= 1e-4;
                double slope = (Likelihood(model, up, rows) - Likelihood(model, down, rows)) / 2e-4;
                // A step of Newton leaves a slope of about the root of the tolerance.
                Assert.InRange(slope, -1e-5, 1e-5);
            }
        Assert.True(end > Likelihood(model, truth, rows));
    }

    [Fact]
    public void Fit_OfFourLinesInTwoRegions_IsBetterByATreeThanByOnePairOfExperts()
    {
        // Two regions of the first feature, two lines in each that the second feature tells apart.
        var chance = new SplitMix64(8);
        var rows = new Minibatch(Inputs + 1, 2000);
        for (int n = 0; n < 2000; n++)
        {
            double a = 6 * chance.NextDouble() - 3, b = 6 * chance.NextDouble() - 3;
            double y = a > 0 ? b > 0 ? 3 + b : -3 - b : b > 0 ? -1 + 2 * a : 1 - 2 * a;
            rows.Add([a, b, y + 0.1 * Gaussians.Normal(chance)]);
        }
        double tree = Fit(2, 2), pair = Fit(2, 1);
        Assert.True(tree > pair + 1, $"A tree of 2 x 2 says {tree:F2} nats a record, a pair {pair:F2}.");

        double Fit(int experts, int depth)
        {
            var options = (ExpertsOptions)ModelCatalog.Find("mixture_of_experts")!.CreateOptions() with
            {
                Experts = experts,
                Depth = depth,
            };
            var learning = new LearningOptions { Learn = LearnMode.Always, Initialization = new() { Buffer = 2000, NInit = 10 } };
            return BatchFit.Run(
                options, new RecordSchema { Features = ["a", "b"], Target = "y" }, learning, rows,
                new BatchEmOptions { Tolerance = 1e-9 }).MeanLogLikelihoods[^1];
        }
    }

    [Theory]
    [InlineData("constant")]
    [InlineData("gaussian")]
    public void Depth_OfAGateThatIsNoSoftmax_IsRefused(string gate)
    {
        var options = (ExpertsOptions)ModelCatalog.Find("mixture_of_experts")!.CreateOptions() with
        {
            Depth = 2,
            Gate = Enum.Parse<GateKind>(gate, ignoreCase: true),
        };
        string problem = Assert.Single(options.ProblemsWith(new RecordSchema { Features = ["a"], Target = "y" }));
        Assert.StartsWith("depth: 2 levels are of a softmax gate", problem, StringComparison.Ordinal);
    }

    private static MixtureOfExperts Tree() => new MixtureOfExperts("mixture_of_experts",
        new LinearExperts(Branches * Branches, Inputs + 1, new ExpertRegularization(1)), new SoftmaxTree(Branches, 2, Inputs + 1), 0);

    /// <summary>Gates and lines at random, noise of variance 1/2.</summary>
    private static double[] Parameters(LatentModel model, ulong seed)
    {
        var chance = new SplitMix64(seed);
        double[] theta = [.. Enumerable.Range(0, model.ParameterLayout.Length).Select(_ => Gaussians.Normal(chance))];
        model.ParameterLayout["variances"].Of(theta.AsSpan()).Fill(0.5);
        int size = Inputs + 1;
        foreach (string name in (string[])[SoftmaxTree.Root, SoftmaxTree.Nested])
        {
            Span<double> block = model.ParameterLayout[name].Of(theta.AsSpan());
            for (int node = 0; node < block.Length; node += Branches * size) block.Slice(node + (Branches - 1) * size, size).Clear();
        }
        return theta;
    }

    private static Minibatch Rows(int count, ulong seed)
    {
        var chance = new SplitMix64(seed);
        var rows = new Minibatch(Inputs + 1, count);
        for (int n = 0; n < count; n++)
        {
            double a = Gaussians.Normal(chance), b = Gaussians.Normal(chance);
            double line = chance.NextDouble() < 0.5 ? 1 + a : -1 - b;
            rows.Add([a, b, line + (a > 0 ? 2 * b : 0) + Gaussians.Normal(chance)]);
        }
        return rows;
    }

    /// <summary>Records whose targets come from the tree itself.</summary>
    private static Minibatch Drawn(LatentModel model, double[] theta, int count, ulong seed)
    {
        var chance = new SplitMix64(seed);
        var rows = new Minibatch(Inputs + 1, count);
        for (int n = 0; n < count; n++)
        {
            double a = Gaussians.Normal(chance), b = Gaussians.Normal(chance);
            double[] paths = Paths(model, theta, [a, b, 0], out _);
            int k = 0;
            for (double left = chance.NextDouble() - paths[0]; left > 0 && k < paths.Length - 1; left -= paths[k]) k++;
            ReadOnlySpan<double> line = model.ParameterLayout["coefficients"].Of((ReadOnlySpan<double>)theta)[(k * 3)..];
            rows.Add([a, b, line[0] + line[1] * a + line[2] * b + Math.Sqrt(0.5) * Gaussians.Normal(chance)]);
        }
        return rows;
    }

    private static double Likelihood(LatentModel model, double[] theta, Minibatch rows)
    {
        double sum = 0;
        for (int row = 0; row < rows.Count; row++)
        {
            Paths(model, theta, rows.Row(row), out double density);
            sum += Math.Log(density);
        }
        return sum / rows.Count;
    }

    /// <summary>The definition: P of every path, and p(y given x).</summary>
    private static double[] Paths(LatentModel model, double[] theta, ReadOnlySpan<double> row, out double density)
    {
        int size = Inputs + 1;
        double[] design = [1, row[0], row[1]];
        double[] root = Softmax(0, SoftmaxTree.Root), paths = new double[Branches * Branches];
        density = 0;
        for (int i = 0; i < Branches; i++)
        {
            double[] nested = Softmax(i, SoftmaxTree.Nested);
            for (int j = 0; j < Branches; j++)
            {
                int k = i * Branches + j;
                paths[k] = root[i] * nested[j];
                ReadOnlySpan<double> line = model.ParameterLayout["coefficients"].Of((ReadOnlySpan<double>)theta).Slice(k * size, size);
                double variance = model.ParameterLayout["variances"].Of((ReadOnlySpan<double>)theta)[k], error = row[^1];
                for (int d = 0; d < size; d++) error -= line[d] * design[d];
                density += paths[k] * Math.Exp(-0.5 * error * error / variance) / Math.Sqrt(2 * Math.PI * variance);
            }
        }
        return paths;

        double[] Softmax(int node, string block)
        {
            ReadOnlySpan<double> own = model.ParameterLayout[block].Of((ReadOnlySpan<double>)theta)
                .Slice(node * Branches * size, Branches * size);
            double[] result = new double[Branches];
            for (int k = 0; k < Branches; k++)
            {
                for (int d = 0; d < size; d++) result[k] += own[k * size + d] * design[d];
                result[k] = Math.Exp(result[k]);
            }
            double sum = result.Sum();
            return [.. result.Select(value => value / sum)];
        }
    }
}
