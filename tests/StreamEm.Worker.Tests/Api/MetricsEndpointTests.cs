using System.Text;
using System.Text.RegularExpressions;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Tests.Api;

/// <summary>What <c>/metrics</c> says.</summary>
public sealed partial class MetricsEndpointTests
{
    [Fact]
    public async Task Metrics_OfARunningWorker_AreWellFormedAndEachFamilyOnce()
    {
        await using ApiFixture api = await ApiFixture.Start();
        await api.Client.GetAsync("/v1/models");

        string[] lines = (await api.Client.GetStringAsync("/metrics")).Split('\n', StringSplitOptions.RemoveEmptyEntries);

        string[] families =
            [.. lines.Where(line => line.StartsWith("# TYPE ", StringComparison.Ordinal)).Select(line => line.Split(' ')[2])];
        Assert.Equal(families.Distinct(StringComparer.Ordinal), families);
        foreach (string line in lines.Where(line => line[0] != '#'))
        {
            Match sample = Sample().Match(line);
            Assert.True(sample.Success, line);
            string name = sample.Groups["name"].Value;
            Assert.True(families.Contains(name, StringComparer.Ordinal)
                || families.Contains(Suffix().Replace(name, ""), StringComparer.Ordinal), line);
        }
    }

    [Theory]
    [InlineData("streamem_model_version{model=\"clouds\"} 10")]
    [InlineData("streamem_source_records_total{model=\"clouds\",source=\"stdin\"} 330")]
    [InlineData("streamem_model_status{model=\"clouds\",status=\"learning\"} 1")]
    [InlineData("streamem_model_status{model=\"clouds\",status=\"failed\"} 0")]
    [InlineData("streamem_model_ready{model=\"clouds\"} 1")]
    [InlineData("streamem_config_last_reload_successful 1")]
    [InlineData("streamem_source_bytes_total{model=\"clouds\",source=\"stdin\"} 0")]
    [InlineData("streamem_ingest_to_snapshot_seconds_count{model=\"clouds\"} 10")]
    [InlineData("streamem_checkpoint_failures_total{model=\"clouds\",reason=\"no_space\"} 0")]
    [InlineData("streamem_batch_records_sum{model=\"clouds\"} 330")]
    [InlineData("streamem_batch_duration_seconds_count{model=\"clouds\",phase=\"estep\"} 10")]
    [InlineData("streamem_batch_duration_seconds_count{model=\"clouds\",phase=\"mstep\"} 10")]
    [InlineData("streamem_batch_duration_seconds_count{model=\"clouds\",phase=\"decode\"} ")]
    [InlineData("streamem_batch_duration_seconds_count{model=\"clouds\",phase=\"learn\"} ")]
    [InlineData("streamem_batch_duration_seconds_count{model=\"clouds\",phase=\"checkpoint\"} ")]
    [InlineData("streamem_batch_duration_seconds_count{model=\"clouds\",phase=\"publish\"} ")]
    [InlineData("process_cpu_seconds_total ")]
    [InlineData("process_working_set_bytes ")]
    [InlineData("dotnet_collection_count_total{generation=\"0\"} ")]
    [InlineData("dotnet_gc_pause_seconds_total ")]
    [InlineData("http_server_request_duration_seconds_count{http_request_method=\"GET\",http_route=\"/v1/models\","
        + "http_response_status_code=\"200\"} 1")]
    public async Task Metrics_OfARunningWorker_HaveTheSample(string start)
    {
        await using ApiFixture api = await ApiFixture.Start();
        await api.Client.GetAsync("/v1/models");

        await Eventually.Get(async () => (await api.Client.GetStringAsync("/metrics")).Split('\n')
            .FirstOrDefault(line => line.StartsWith(start, StringComparison.Ordinal)), start);
    }

    [Fact]
    public async Task Metrics_OfAWorker_PassPromtool()
    {
        Assert.SkipUnless(Promtool.IsThere, Promtool.Missing);
        await using ApiFixture api = await ApiFixture.Start();

        (int code, string output) = await Promtool.Run(await api.Client.GetStringAsync("/metrics"), "check", "metrics");

        // What the metrics library names for .NET is not to Prometheus' taste; our own names are.
        Assert.True(code == 0 || !output.Contains("streamem_", StringComparison.Ordinal), output);
    }

    [Fact]
    public async Task ScoreHistogram_OfValuesAtABound_CountsThemBelowIt()
    {
        var histograms = new WorkerHistograms();
        AnomalyScoreHistogram scores = histograms.Of("m").Scores.Value;
        scores.ObserveAll([.. Enumerable.Repeat(0.99, 1000), double.NaN, 0.1, 1]);
        using var text = new MemoryStream();
        await histograms.WriteAsync(text, CancellationToken.None);
        string written = Encoding.UTF8.GetString(text.ToArray());

        Assert.Equal(1002, scores.Count);
        Assert.Contains("streamem_anomaly_score_bucket{model=\"m\",le=\"0.98\"} 1\n", written, StringComparison.Ordinal);
        Assert.Contains("streamem_anomaly_score_bucket{model=\"m\",le=\"0.99\"} 1001\n", written, StringComparison.Ordinal);
    }

    [GeneratedRegex("^(?<name>[a-z_][a-z0-9_]*)(\\{[a-z_]+=\"([^\"\\\\]|\\\\.)*\"(,[a-z_]+=\"([^\"\\\\]|\\\\.)*\")*\\})? "
        + "(-?[0-9.eE+-]+|NaN|[+-]Inf)$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Sample();

    [GeneratedRegex("_(bucket|sum|count)$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Suffix();
}
