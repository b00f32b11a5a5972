using System.Text.Json;
using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Networks;
using StreamEm.Core.Schedules;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Tests.Contracts;
using StreamEm.Core.Tests.Golden;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Models.Networks;

/// <summary>The laws of a network: a hidden node above all features, of which each but the first has the one before it as a parent too.
/// </summary>
[ContractOf("bayesian_network")]
public sealed class BayesianNetworkContract : ModelContract
{
    protected override LatentModelOptions Options(int components, int dimension) => Network(components, dimension);

    protected override LatentModel Create(int components, int dimension) =>
        (Network(components, dimension) with { EquivalentSampleSize = 0 })
            .Create(Network(components, dimension).Plan(Schema(dimension)).WithLevels(_ => ["a", "b", "c"]));

    protected override Minibatch Rows(int dimension, int count, ulong seed, double missing = 0) =>
        LevelRecords.Codes(dimension, count, seed, missing);

    protected override Minibatch Records(Minibatch rows) => LevelRecords.Texts(rows);

    /// <summary>By enumeration, in <see cref="BayesianNetworkTests"/>.</summary>
    private protected override double EntropyOf(LatentModel model, double[] theta, Minibatch rows) => double.NaN;

    private static BayesianNetworkOptions Network(int components, int dimension) => BayesianNetworkTests.Options() with
    {
        MaxLevels = 3,
        Nodes = BayesianNetworkTests.Nodes([("h", components)], [.. Enumerable.Range(0, dimension).Select(d =>
            ($"x{d}", (IReadOnlyList<string>)(d == 0 ? ["h"] : ["h", $"x{d - 1}"])))]),
    };
}

public sealed class BayesianNetworkTests
{
    /// <summary>Hidden nodes with as many states, and the parents of nodes.</summary>
    internal static NetworkNodes Nodes((string Name, int States)[] hidden, params (string Name, IReadOnlyList<string> Parents)[] parents) =>
        new([.. hidden.Select(node => node.Name).Union(parents.Select(node => node.Name)).Select(name => new DescribedNode(
            name,
            [.. hidden.Where(node => node.Name == name).SelectMany(node => DescribedNode.Numbered(node.States))],
            [.. parents.Where(node => node.Name == name).SelectMany(node => node.Parents)]))]);

    internal static BayesianNetworkOptions Options() => (BayesianNetworkOptions)ModelCatalog.Find("bayesian_network")!.CreateOptions();

    [Theory]
    [InlineData(Recursion.Parameters)]
    [InlineData(Recursion.Statistics)]
    public void Step_GoldenRows_GivesGoldenCountsAndTables(Recursion recursion)
    {
        using JsonDocument document =
            JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Golden", "bayes_net.json")));
        JsonElement inputs = document.RootElement.GetProperty("inputs"), expected = document.RootElement.GetProperty("expected");
        RecordSchema schema = new() { Features = ["A", "B", "C"] };
        BayesianNetworkOptions options = Options() with
        {
            EquivalentSampleSize = 0,
            Nodes = Nodes([("H", 2)], ("H", ["A"]), ("B", ["H"]), ("C", ["A", "H"])),
        };
        LatentModel model = options.Create(options.Plan(schema).WithLevels(_ => ["0", "1"]));
        double[] Tables(JsonElement theta) => [.. ((string[])["A", "B|H", "C|AH", "H|A"])
            .SelectMany(name => GoldenPath.Values(theta, name)).SelectMany(p => (double[])[1 - p, p])];
        Minibatch rows = new(3);
        foreach (JsonElement row in inputs.GetProperty("rows_A_B_C").EnumerateArray())
            rows.Add([.. GoldenPath.Flatten(row).Select(code => code < 0 ? double.NaN : code)]);
        double[] theta = Tables(inputs.GetProperty("theta0")), counts = new double[theta.Length], densities = new double[5],
            argmax = new double[theta.Length];

        new ShardedEStep(model, 1).Average(model.Prepare(theta), theta, rows, counts, densities);
        JsonElement golden = expected.GetProperty("expected_counts_average");
        AssertNear([.. ((string[])["A", "B|H", "C|AH", "H|A"]).SelectMany(name => GoldenPath.Values(golden, name))], counts);
        AssertNear(GoldenPath.Values(expected, "row_loglik"), densities);
        model.Maximize(counts, 5, theta, argmax, new ModelEvents());
        AssertNear(Tables(expected.GetProperty("argmax")), argmax);

        var state = new StepwiseState(model, theta);
        new StepwiseEm(model, recursion, new PowerLaw(new StepSizeOptions { Kappa = 0.7 })).Update(state, rows, densities);
        if (recursion == Recursion.Parameters) AssertNear(Tables(expected.GetProperty("theta1_parameter_space")), state.Parameters);
        else
        {
            // s(0) is what the tables say of every family; with gamma = 2^-0.7 the tables follow from both.
            double gamma = Math.Pow(2, -0.7);
            double[] implied = new double[theta.Length], next = new double[theta.Length];
            model.ImpliedStatistics(theta, double.PositiveInfinity, implied);
            model.Maximize([.. implied.Zip(counts, (s, c) => (1 - gamma) * s + gamma * c)], 5, theta, next, new ModelEvents());
            AssertNear(next, state.Parameters);
        }
    }

    [Fact]
    public void Elimination_AnySmallNetwork_IsEnumeration()
    {
        for (ulong seed = 1; seed <= 200; seed++)
        {
            var chance = new SplitMix64(seed);
            int nodes = 2 + chance.NextInt32(5), hidden = chance.NextInt32(3);
            Network network = RandomNetwork(chance, nodes);
            var model = new BayesianNetwork("test", network, Math.Max(1, nodes - hidden), 0);
            double[] tables = new double[model.ParameterLayout.Length];
            foreach (var block in model.ParameterLayout.Blocks)
                for (int at = block.Offset; at < block.Offset + block.Length; at += block.Shape[^1])
                {
                    // Some entries are 0: what cannot be.
                    for (int state = 0; state < block.Shape[^1]; state++)
                        tables[at + state] = state > 0 && chance.NextInt32(6) == 0 ? 0 : 0.05 + chance.NextDouble();
                    double total = tables.AsSpan(at, block.Shape[^1]).ToArray().Sum();
                    for (int state = 0; state < block.Shape[^1]; state++) tables[at + state] /= total;
                }
            for (int record = 0; record < 6; record++)
            {
                double[] row = [.. Enumerable.Range(0, model.Dimension).Select(d =>
                    chance.NextInt32(3) == 0 ? double.NaN : chance.NextInt32(network.Nodes[d].States))];
                Compare(model, network, tables, row, seed);
            }
        }
    }

    [Theory]
    [InlineData(1UL)]
    [InlineData(2UL)]
    public void Learn_StreamWithMissingFields_FindsTheTables(ulong seed)
    {
        // sprinkler, rain -> wet: 40 000 records, 20 % of the cells missing. The standard error of the least known entry is 0.01.
        RecordSchema schema = new() { Features = ["rain", "sprinkler", "wet"] };
        BayesianNetworkOptions options = Options() with
        {
            Nodes = Nodes([], ("sprinkler", ["rain"]), ("wet", ["sprinkler", "rain"])),
        };
        var chance = new SplitMix64(seed);
        var rows = new Minibatch(3, 40_000, new TextTable(), [0, 1, 2]);
        bool Is(double probability) => chance.NextDouble() < probability;
        for (int row = 0; row < 40_000; row++)
        {
            bool rain = Is(0.3), sprinkler = Is(rain ? 0.1 : 0.5), wet = Is(rain ? sprinkler ? 0.95 : 0.8 : sprinkler ? 0.9 : 0.05);
            rows.Add([.. ((bool[])[rain, sprinkler, wet])
                .Select(value => Is(0.2) ? double.NaN : rows.Texts!.Number(value ? "yes" : "no"))]);
        }
        var learning = new LearningOptions
        {
            MinibatchSize = 100,
            StepSize = new() { Kappa = 0.9 },
            Initialization = new() { Buffer = 500, NInit = 1 },
        };
        LearnedModel learned = Streams.Snapshot(Streams.Learn(options, learning, rows, schema: schema));

        IReadOnlyList<string> LevelsOf(int d) => learned.Space.Features[d].Levels;
        double Of(string node, params string[] states)
        {
            var block = learned.Layout[$"probabilities.{node}"];
            int[] members = ((BayesianNetwork)learned.Model).Network.Members[Array.IndexOf(["rain", "sprinkler", "wet"], node)];
            int at = 0;
            for (int axis = 0; axis < states.Length; axis++)
                at = at * block.Shape[axis] + LevelsOf(members[axis]).ToList().IndexOf(states[axis]);
            return learned.Parameters[block.Offset + at];
        }

        Assert.Equal(0.3, Of("rain", "yes"), 0.04);
        Assert.Equal(0.1, Of("sprinkler", "yes", "yes"), 0.04);
        Assert.Equal(0.5, Of("sprinkler", "no", "yes"), 0.04);
        Assert.Equal(0.05, Of("wet", "no", "no", "yes"), 0.04);
        Assert.Equal(0.9, Of("wet", "yes", "no", "yes"), 0.04);
        Assert.Equal(0.8, Of("wet", "no", "yes", "yes"), 0.05);
    }

    [Fact]
    public void Score_TooManyFieldsMissing_SaysNothingAndLearnsNothing()
    {
        // A child of nine parents with four levels each: its table has 2^20 entries, and with all of them missing there are more tables.
        RecordSchema schema = RecordSchema.OfNumbers(11);
        BayesianNetworkOptions options = Options() with
        {
            MaxLevels = 4,
            Nodes = Nodes([], ("x9", [.. Enumerable.Range(0, 9).Select(d => $"x{d}")])),
        };
        LatentModel model = options.Create(options.Plan(schema).WithLevels(_ => ["0", "1", "2", "3"]));
        double[] theta = new double[model.ParameterLayout.Length], densities = new double[2];
        model.Neutral(theta);
        Minibatch rows = new(11);
        rows.Add([.. Enumerable.Range(0, 11).Select(d => d == 10 ? 1 : double.NaN)]);
        rows.Add([.. Enumerable.Range(0, 11).Select(d => d == 3 ? double.NaN : 1.0)]);
        EStep eStep = model.Prepare(theta);
        Evidence evidence =
            eStep.Accumulate(rows, 0, 2, new double[model.StatisticsLayout.Length], densities, eStep.CreateWorkspace());
        Assert.True(double.IsNaN(densities[0]));
        Assert.Equal(10 * Math.Log(0.25), densities[1], 1e-9);
        Assert.Equal(1, evidence.Weight);
    }

    /// <summary>Log-density, families, marginals and entropy by enumeration of all states.</summary>
    private static void Compare(BayesianNetwork model, Network network, double[] tables, double[] row, ulong seed)
    {
        int nodes = network.Nodes.Count;
        double sum = 0, energy = 0;
        double[] families = new double[tables.Length], marginals = new double[model.ScoreLayout.Length];
        int[] states = new int[nodes];
        bool more = true;
        while (more)
        {
            bool fits = Enumerable.Range(0, row.Length).All(d => double.IsNaN(row[d]) || row[d] == states[d]);
            int[] places = [.. Enumerable.Range(0, nodes).Select(node => model.ParameterLayout.Blocks[node].Offset
                + network.Members[node].Zip(network.Strides[node], (member, stride) => states[member] * stride).Sum())];
            double p = fits ? places.Aggregate(1.0, (product, place) => product * tables[place]) : 0;
            sum += p;
            for (int node = 0; node < nodes; node++)
            {
                families[places[node]] += p;
                marginals[model.ScoreLayout.Blocks[node].Offset + states[node]] += p;
            }
            if (p > 0) energy += p * Math.Log(p);
            more = false;
            for (int node = 0; node < nodes && !more; node++)
                if (++states[node] < network.Nodes[node].States) more = true;
                else states[node] = 0;
        }
        Minibatch one = new(row.Length);
        one.Add(row);
        double[] densities = new double[1], found = new double[tables.Length], scores = new double[marginals.Length];
        EStep eStep = model.Prepare(tables);
        Evidence evidence = eStep.Accumulate(one, 0, 1, found, densities, eStep.CreateWorkspace());
        eStep.Score(one, 0, 1, new double[1], scores, eStep.CreateWorkspace());
        if (row.All(double.IsNaN))
        {
            Assert.True(double.IsNaN(densities[0]));
            AssertNear(marginals, scores);
            return;
        }
        if (sum == 0)
        {
            Assert.True(double.IsNegativeInfinity(densities[0]), $"seed {seed}: {densities[0]}");
            Assert.All(found, value => Assert.Equal(0, value));
            return;
        }
        Assert.Equal(Math.Log(sum), densities[0], 1e-11);
        AssertNear([.. families.Select(value => value / sum)], found);
        AssertNear([.. marginals.Select(value => value / sum)], scores);
        Assert.Equal(Math.Log(sum) - energy / sum, evidence.Entropy, 1e-10);
    }

    private static Network RandomNetwork(SplitMix64 chance, int nodes)
    {
        // Nodes in any order, each with up to three of those before it as parents.
        int[] order = [.. Enumerable.Range(0, nodes).OrderBy(_ => chance.NextDouble())];
        var parents = new int[nodes][];
        for (int at = 0; at < nodes; at++)
            parents[order[at]] = [.. order[..at].OrderBy(_ => chance.NextDouble()).Take(chance.NextInt32(4))];
        return new Network([.. parents.Select((of, node) => new NetworkNode(
            $"n{node}", [.. Enumerable.Range(0, 2 + chance.NextInt32(2)).Select(state => $"{state}")], of, false))]);
    }

    private static void AssertNear(double[] expected, double[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int at = 0; at < expected.Length; at++) Assert.Equal(expected[at], actual[at], 1e-11);
    }
}
