using StreamEm.Core.Data;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Sequences;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Tests.Contracts;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Models.Sequences;

/// <summary>Sequences that are shared out by a rule, against all paths written down one by one.</summary>
public sealed class HiddenMarkovRuleTests
{
    private const int States = 3;

    private static readonly double[] Theta =
        [0.5, 0.3, 0.2, 0.6, 0.3, 0.1, 0.2, 0.5, 0.3, 0.25, 0.25, 0.5, 0, 2, 4, 1, 0.5, 2];

    private static readonly double[] X = [0.3, 1.2, 2.9, double.NaN, 3.3, 1.0];

    public static TheoryData<string, bool, bool> Cases()
    {
        var cases = new TheoryData<string, bool, bool>();
        foreach (string rule in (string[])["soft", "hard", "annealed", "one", "two"])
            foreach (bool isCarried in (bool[])[false, true])
                foreach (bool isLabelled in (bool[])[false, true]) cases.Add(rule, isCarried, isLabelled);
        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Accumulate_AnyRule_IsThatOverWholePaths(string name, bool isCarried, bool isLabelled)
    {
        var model = new HiddenMarkov("test", new FullGaussian(States, 1, new CovarianceRegularization([0], 1e-12)), Prior.None);
        EStep eStep = model.Prepare(Theta);
        var memory = (FilterMemory)model.CreateMemory(1);
        if (isCarried)
        {
            Workspace before = eStep.CreateWorkspace();
            before.Pass = new Pass(memory, 1);
            eStep.Accumulate(Rows([1.9], label: -1), 0, 1, new double[model.StatisticsLayout.Length], new double[1], before);
        }
        double[] carried = isCarried ? memory.Of(0).ToArray() : [];
        int label = isLabelled ? 0 : Minibatch.Unlabelled;
        Path[] paths = [.. Paths(carried, label)];
        double[] q = Shares(name, paths);

        double[] statistics = new double[model.StatisticsLayout.Length], logDensities = new double[X.Length];
        Workspace space = eStep.CreateWorkspace();
        space.Pass = new Pass(memory, 2) { Rule = RuleOf(name) };
        Evidence evidence = eStep.Accumulate(Rows(X, label), 0, X.Length, statistics, logDensities, space);

        double Expected(Func<Path, double> of) => paths.Zip(q, (path, share) => share > 0 ? share * of(path) : 0).Sum();
        double[] Block(string block) => model.StatisticsLayout[block].Of((ReadOnlySpan<double>)statistics).ToArray();
        for (int k = 0; k < States; k++)
        {
            Assert.Equal(isCarried ? 0 : Expected(path => path.States[0] == k ? 1 : 0), Block("initial")[k], 1e-12);
            Assert.Equal(Expected(path => Sum(t => path.States[t] == k ? 1 : 0)), Block("masses")[k], 1e-12);
            Assert.Equal(Expected(path => Sum(t => path.States[t] == k ? X[t] : 0)), Block("first_moments")[k], 1e-12);
            for (int j = 0; j < States; j++)
                Assert.Equal(Expected(path => path.Passages(k, j)), Block("transitions")[k * States + j], 1e-12);
        }
        double total = paths.Sum(path => path.Probability), energy = Expected(path => Math.Log(path.Probability));
        Assert.Equal(Math.Log(total), evidence.LogLikelihood, 1e-12);
        double entropy = -q.Where(share => share > 0).Sum(share => share * Math.Log(share));
        Assert.Equal(entropy, evidence.Entropy, 1e-11);
        Assert.Equal(Math.Log(total) - energy - entropy, evidence.Divergence, 1e-11);
    }

    /// <summary>log p(x), and what is remembered of a key, are Bayes' under any rule.</summary>
    [Theory]
    [InlineData("hard")]
    [InlineData("annealed")]
    [InlineData("one")]
    public void Accumulate_AnyRule_LeavesTheFilterAsItIs(string name)
    {
        (double[] Densities, double[] Remembered) Run(string rule)
        {
            var model = new HiddenMarkov("test", new FullGaussian(States, 1, new CovarianceRegularization([0], 1e-12)), Prior.None);
            EStep eStep = model.Prepare(Theta);
            var memory = (FilterMemory)model.CreateMemory(1);
            double[] logDensities = new double[X.Length];
            Workspace space = eStep.CreateWorkspace();
            space.Pass = new Pass(memory, 2) { Rule = RuleOf(rule) };
            eStep.Accumulate(Rows(X, -1), 0, X.Length, new double[model.StatisticsLayout.Length], logDensities, space);
            return (logDensities, memory.Of(0).ToArray());
        }
        Assert.Equal(Run("soft").Densities, Run(name).Densities);
        Assert.Equal(Run("soft").Remembered, Run(name).Remembered);
    }

    /// <summary>The most probable states of every row, one by one, need not be a path: then all states share the sequence.</summary>
    [Fact]
    public void Accumulate_StatesThatNoPathJoins_AreSharedByAll()
    {
        double[] theta = [0.4, 0.3, 0.3, 0, 0, 1, 0.5, 0.5, 0, 0.5, 0.5, 0, 0, 0, 0, 1, 1, 1];
        var model = new HiddenMarkov("test", new FullGaussian(States, 1, new CovarianceRegularization([0], 1e-12)), Prior.None);
        double[] Run(string rule)
        {
            EStep eStep = model.Prepare(theta);
            double[] statistics = new double[model.StatisticsLayout.Length];
            Workspace space = eStep.CreateWorkspace();
            space.Pass = new Pass(null, 2) { Rule = RuleOf(rule) };
            eStep.Accumulate(Rows([0, 0], -1), 0, 2, statistics, new double[2], space);
            return statistics;
        }
        // z_1: .4 .3 .3 and z_2: .3 .3 .4 by way of 0 -> 2; alone 0 and 2 are a path.
        Assert.Equal(1, model.StatisticsLayout["transitions"].Of((ReadOnlySpan<double>)Run("one"))[2], 1e-12);
        (theta[0], theta[1], theta[2]) = (0.4, 0.35, 0.25);
        (theta[3], theta[4], theta[5]) = (0.5, 0, 0.5);
        (theta[6], theta[7], theta[8]) = (0, 1, 0);
        (theta[9], theta[10], theta[11]) = (0, 1, 0);
        // z_1 = 0 is the most probable, and z_2 = 1, where 0 never leads.
        Assert.Equal(Run("soft"), Run("one"));
    }

    [Theory]
    [InlineData(ResponsibilityKind.Hard)]
    [InlineData(ResponsibilityKind.Annealed)]
    [InlineData(ResponsibilityKind.Sparse)]
    public void Learn_AStreamOfTwoStates_FindsThemByAnyRule(ResponsibilityKind kind)
    {
        var chance = new SplitMix64(41);
        var rows = new Minibatch(1);
        int state = 0;
        for (int row = 0; row < 8000; row++)
        {
            if (chance.NextDouble() < 0.1) state = 1 - state;
            rows.Add([5 * state + Gaussians.Normal(chance)], key: 0);
        }
        var options = new LearningOptions
        {
            MinibatchSize = 200,
            Responsibilities = new Responsibilities { Kind = kind, Updates = 10, Active = 1, Refresh = 5 },
        };
        LearnedModel learned = Streams.Snapshot(
            Streams.Learn(Hosts.HiddenMarkov(2, EmissionParts.Of(new GaussianOptions())), options, rows));
        double[] transitions = Block(learned, "transmat"), means = Block(learned, "means");
        Assert.InRange(transitions[0], 0.87, 0.93);
        Assert.InRange(transitions[3], 0.87, 0.93);
        Assert.InRange(Math.Abs(means[0] - means[1]), 4.8, 5.2);
    }

    private static double[] Block(LearnedModel learned, string name) =>
        learned.Model.ParameterLayout[name].Of((ReadOnlySpan<double>)learned.Parameters).ToArray();

    private static ResponsibilityRule? RuleOf(string name) => name switch
    {
        "hard" => HardResponsibilities.Instance,
        "annealed" => new AnnealedResponsibilities(0.4, 1e18),
        "one" => new SparseResponsibilities(1, 20),
        "two" => new SparseResponsibilities(2, 20),
        _ => null,
    };

    /// <summary>q of every path.</summary>
    private static double[] Shares(string name, Path[] paths)
    {
        double most = paths.Max(path => path.Probability);
        double[] shares = name switch
        {
            "hard" => [.. paths.Select(path => path.Probability == most ? 1.0 : 0)],
            "annealed" => [.. paths.Select(path => Math.Pow(path.Probability, 0.4))],
            "one" => [.. paths.Select(path => Keeps(paths, path, 1) ? path.Probability : 0)],
            "two" => [.. paths.Select(path => Keeps(paths, path, 2) ? path.Probability : 0)],
            _ => [.. paths.Select(path => path.Probability)],
        };
        double total = shares.Sum();
        return [.. shares.Select(share => share / total)];
    }

    /// <summary>Whether a path goes through the most probable states of every row.</summary>
    private static bool Keeps(Path[] paths, Path path, int active) => Enumerable.Range(0, X.Length).All(t =>
    {
        double Of(int state) => paths.Where(other => other.States[t] == state).Sum(other => other.Probability);
        return Enumerable.Range(0, States).Count(state => Of(state) > Of(path.States[t])) < active;
    });

    private static double Sum(Func<int, double> of) => Enumerable.Range(0, X.Length).Where(t => !double.IsNaN(X[t])).Sum(of);

    private static Minibatch Rows(double[] values, int label)
    {
        var rows = new Minibatch(1);
        rows.BeginSequence();
        for (int row = 0; row < values.Length; row++) rows.Add([values[row]], label: row == 4 ? label : Minibatch.Unlabelled, key: 0);
        return rows;
    }

    /// <summary>All paths, with the state that a key came with before them.</summary>
    private static IEnumerable<Path> Paths(double[] carried, int label)
    {
        int count = (int)Math.Pow(States, X.Length);
        for (int before = 0; before < (carried.Length == 0 ? 1 : States); before++)
            for (int number = 0; number < count; number++)
            {
                int[] states = [.. Enumerable.Range(0, X.Length).Select(t => number / (int)Math.Pow(States, t) % States)];
                if (label >= 0 && states[4] != label) continue;
                double p = carried.Length == 0 ? Theta[states[0]] : carried[before] * Transition(before, states[0]);
                for (int t = 0; t < X.Length; t++)
                {
                    if (t > 0) p *= Transition(states[t - 1], states[t]);
                    double mean = Theta[12 + states[t]], variance = Theta[15 + states[t]], off = X[t] - mean;
                    if (!double.IsNaN(X[t])) p *= Math.Exp(-0.5 * off * off / variance) / Math.Sqrt(2 * Math.PI * variance);
                }
                yield return new Path(carried.Length == 0 ? -1 : before, states, p);
            }
    }

    private static double Transition(int from, int to) => Theta[3 + from * States + to];

    private sealed record Path(int Before, int[] States, double Probability)
    {
        public double Passages(int from, int to)
        {
            int count = Before == from && States[0] == to ? 1 : 0;
            for (int t = 1; t < States.Length; t++)
                if (States[t - 1] == from && States[t] == to) count++;
            return count;
        }
    }
}
