using System.Globalization;
using System.Text;
using StreamEm.House.Tests.Code;
using StreamEm.Worker.ScaleOut;
using StreamEm.Worker.Tests.ScaleOut;

namespace StreamEm.House.Tests.Approved;

/// <summary>
/// The tables of simulated workers in docs/scale-out.md are what the simulation and the formula give of the costs there:
/// <c>./build.sh accept</c> makes them anew.
/// </summary>
public sealed class ScaleTableTests
{
    private const string Page = "docs/scale-out.md", Begin = "<!-- simulated -->\n", End = "<!-- end of simulated -->\n";

    /// <summary>In seconds: what an E-step, a fold and a snapshot of two models take a worker, behind a broker of 4 ms.</summary>
    private static readonly ClusterCosts
        Small = new(0.26e-3, 0.06e-3, 0.023e-3, 0.0082e-3, 0.077e-3, 0.024e-3, 4e-3) { SnapshotEvery = 64 },
        Large = new(4.1e-3, 2.05e-3, 0.75e-3, 0.248e-3, 4.75e-3, 0.628e-3, 4e-3) { SnapshotEvery = 64 };

    private static readonly (string Name, int InFlight, ClusterCosts Costs)[] Columns =
        [("small", 2, Small), ("small, in_flight 8", 8, Small), ("large", 2, Large), ("large, minibatches of 16 times", 2, Wide)];

    /// <summary>The same with minibatches that are longer, and nothing else.</summary>
    private static ClusterCosts Wide => Large with { Minibatch = 16 * Large.Minibatch };

    [Fact]
    public void Tables_OfThePage_AreWhatTheSimulationGives()
    {
        string page = Repository.Read(Page), made = Tables();
        string whole = page[..(page.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length)] + made
            + page[page.IndexOf(End, StringComparison.Ordinal)..];
        Approval.VerifyFile(Page, "tests/StreamEm.House.Tests/Approved/scale-out.received.txt", whole, PartOf, made);
    }

    private static string PartOf(string page) =>
        page[(page.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length)..page.IndexOf(End, StringComparison.Ordinal)];

    private static string Tables()
    {
        var text = new StringBuilder();
        void Line(FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
        Line($"| ms | minibatch | restore | follow | fold | version | publish | broker |");
        Line($"|---|---|---|---|---|---|---|---|");
        foreach ((string name, ClusterCosts costs) in (ReadOnlySpan<(string, ClusterCosts)>)[("small", Small), ("large", Large)])
            Line($"| {name} | {string.Join(" | ", Parts(costs).Select(part => Digits(part * 1e3, "G3")))} |");
        Line($"");
        Line($"Messages a second, simulated / by the formula / versions late on average, with `snapshot_every_updates: 64`:");
        Line($"");
        Line($"| workers | {string.Join(" | ", Columns.Select(row => row.Name))} |");
        Line($"|---|{string.Concat(Columns.Select(_ => "---|"))}");
        foreach (int workers in (int[])[8, 16, 32, 64, 128, 256, 512, 1024])
            Line($"| {workers} | {string.Join(" | ", Columns.Select(row => Cell(row.Costs, workers, row.InFlight)))} |");
        Line($"| N* | {string.Join(" | ", Columns.Select(row => Digits(row.Costs.Workers, "F1")))} |");
        Line($"");
        Line($"How far a mixture of three Gaussians on a line is from the truth, in nats a record it has not seen, after rounds of N x");
        Line($"`in_flight` + 16 minibatches of {TimedCluster.MinibatchSize}; {new LearnedLine(5).Gap:F3} at the start, costs as *large*:");
        Line($"");
        Line($"| workers | minibatches a round | versions late | 1 round | 5 rounds | 20 rounds |");
        Line($"|---|---|---|---|---|---|");
        foreach (int workers in (int[])[1, 8, 64, 256]) Line($"{Learned(workers)}");
        return text.ToString();
    }

    private static string Digits(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    private static double[] Parts(ClusterCosts costs) =>
        [costs.Minibatch, costs.Restore, costs.Follow, costs.Fold, costs.Version, costs.Publish, costs.Broker];

    private static string Cell(ClusterCosts costs, int workers, int inFlight)
    {
        (double rate, double staleness) = costs.Simulate(workers, inFlight);
        return string.Create(
            CultureInfo.InvariantCulture, $"{Rounded(rate)} / {Rounded(costs.RateOf(workers, inFlight))} / {staleness:F0}");
    }

    /// <summary>Three digits.</summary>
    private static double Rounded(double rate)
    {
        double unit = Math.Pow(10, Math.Floor(Math.Log10(rate)) - 2);
        return Math.Round(rate / unit) * unit;
    }

    private static string Learned(int workers)
    {
        var line = new LearnedLine(seed: 5);
        var cluster = new TimedCluster(Large, workers, line, seed: 1);
        int round = 2 * workers + Reduction.Batch;
        string[] gaps = [.. ((int[])[1, 5, 20]).Select(rounds =>
        {
            cluster.RunTo(rounds * round);
            return Digits(line.Gap, "F4");
        })];
        return string.Create(
            CultureInfo.InvariantCulture, $"| {workers} | {round} | {cluster.Staleness:F0} | {string.Join(" | ", gaps)} |");
    }
}
