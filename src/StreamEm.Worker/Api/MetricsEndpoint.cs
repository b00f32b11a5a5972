using Prometheus;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Api;

/// <summary>
/// <c>/metrics</c>: the worker's numbers in Prometheus' text format. What is read when asked gets a registry of its own each time, so that
/// nothing is told of a model or a partition that is no more.
/// </summary>
internal static class MetricsEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) => routes.MapRead("/metrics", async (HttpContext context, WorkerStatus status) =>
        {
            context.Response.ContentType = PrometheusConstants.TextContentTypeWithVersionAndEncoding;
            // Only headers of what may be asked for them.
            if (HttpMethods.IsHead(context.Request.Method)) return;
            await WriteAsync(status, context.Response.Body, context.RequestAborted).ConfigureAwait(false);
        })
        .Called("metrics", OperationsEndpoints.Tag, "Numbers for Prometheus").Produces<string>(200, "text/plain");

    /// <summary>Writes all numbers as they are now.</summary>
    public static async Task WriteAsync(WorkerStatus status, Stream output, CancellationToken cancellationToken)
    {
        await status.Histograms.WriteAsync(output, cancellationToken).ConfigureAwait(false);
        CollectorRegistry registry = Metrics.NewCustomRegistry();
        MetricFactory factory = Metrics.WithCustomRegistry(registry);
        foreach (MetricFamily<WorkerStatus> family in MetricFamilies.All) Set(factory, family, status);
        await registry.CollectAndExportAsTextAsync(output, cancellationToken).ConfigureAwait(false);
    }

    private static void Set(MetricFactory factory, MetricFamily<WorkerStatus> family, WorkerStatus status)
    {
        if (family.IsCounter)
        {
            Counter counter = factory.CreateCounter(family.Name, family.Help, family.Labels,
                new CounterConfiguration { ExemplarBehavior = ExemplarBehavior.NoExemplars() });
            foreach (MetricSample sample in family.Read(status)) counter.WithLabels(sample.Labels).IncTo(sample.Value);
            return;
        }

        Gauge gauge = factory.CreateGauge(family.Name, family.Help, family.Labels);
        foreach (MetricSample sample in family.Read(status)) gauge.WithLabels(sample.Labels).Set(sample.Value);
    }
}
