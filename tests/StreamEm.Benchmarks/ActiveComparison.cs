using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;

namespace StreamEm.Benchmarks;

/// <summary>The E-step and statistics of many components, all of them against those that can have a share in a record.</summary>
internal static class ActiveComparison
{
    private const int Rows = 8192, Active = 4;

    /// <summary>Writes the table.</summary>
    public static void Run(Report report, Goals goals, double sampleSeconds)
    {
        report.Table(
            "Sparse responsibilities", $"Full covariances, E-step and statistics of {Rows} rows, {Active} components active, one thread.",
            "(D,K)", "data", "soft, rows/s", "sparse, rows/s", "x");
        foreach ((int dimension, int components) in (ReadOnlySpan<(int, int)>)[(16, 64), (32, 64), (32, 256)])
            foreach ((string name, double distance) in (ReadOnlySpan<(string, double)>)[("overlapping", 4), ("separated", 24)])
            {
                var data = new SyntheticMixture(dimension, components, distance);
                Minibatch rows = data.Draw(Rows);
                LatentModel model = ModelCatalog.MixtureOf(new GaussianOptions(), components).Create(FeatureSpace.Unscaled(dimension));
                double soft = Rate(model, data, rows, SoftResponsibilities.Instance, sampleSeconds),
                    sparse = Rate(model, data, rows, new SparseResponsibilities(Active, 1000), sampleSeconds);
                report.Row($"({dimension},{components})", name, Report.Rate(soft), Report.Rate(sparse), $"{sparse / soft:F2}");
                if (name == "separated") goals.AtLeast($"sparse responsibilities ({dimension},{components})", sparse / soft, 1.5);
            }
    }

    private static double Rate(LatentModel model, SyntheticMixture data, Minibatch rows, ResponsibilityRule rule, double sampleSeconds)
    {
        var executor = new ShardedEStep(model, 1);
        double[] statistics = new double[model.StatisticsLayout.Length], logDensities = new double[rows.Count];
        EStep eStep = model.Prepare(data.Parameters(full: true));
        return rows.Count / Clock.Median(
            () => executor.Accumulate(eStep, rows, statistics, logDensities, new Pass(null, 2) { Rule = rule }),
            Clock.Thread, 5, sampleSeconds);
    }
}
