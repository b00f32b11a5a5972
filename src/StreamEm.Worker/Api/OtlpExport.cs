using System.Diagnostics.Metrics;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Api;

/// <summary>
/// Sends the worker's numbers, and spans (<see cref="WorkerTraces"/>, requests), to a collector by OTLP, where one is named by
/// <c>OTEL_EXPORTER_OTLP_ENDPOINT</c>. Names are those of <c>/metrics</c>; the other variables of the OpenTelemetry specification
/// (protocol, headers, interval, service name) count as they do everywhere.
/// </summary>
internal sealed class OtlpExport : IDisposable
{
    /// <summary>The variable that names the collector.</summary>
    public const string EndpointVariable = "OTEL_EXPORTER_OTLP_ENDPOINT";

    /// <summary>How long the last numbers may take at the end.</summary>
    private const int ShutdownMilliseconds = 1000;

    private readonly Meter _meter = new("StreamEM", ProgramVersion.Version);
    private readonly MeterProvider _metrics;
    private readonly TracerProvider _traces;

    /// <summary>Begins to send.</summary>
    /// <param name="status">The worker.</param>
    /// <param name="configure">What is not as the environment says; null for nothing.</param>
    public OtlpExport(WorkerStatus status, Action<OtlpExporterOptions>? configure = null)
    {
        foreach (MetricFamily<WorkerStatus> family in MetricFamilies.All) Observe(family, status);
        ResourceBuilder resource = ResourceBuilder.CreateDefault()
            .AddService("streamem", serviceVersion: ProgramVersion.Version).AddEnvironmentVariableDetector();
        Action<OtlpExporterOptions> options = configure ?? (_ => { });
        _metrics = Sdk.CreateMeterProviderBuilder().SetResourceBuilder(resource)
            .AddMeter(_meter.Name, "System.Runtime", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel")
            // Of several workers in a process each sends its own.
            .AddView(instrument =>
                instrument.Meter.Name == _meter.Name && instrument.Meter != _meter ? MetricStreamConfiguration.Drop : null)
            .AddOtlpExporter(options).Build();
        _traces = Sdk.CreateTracerProviderBuilder().SetResourceBuilder(resource)
            .AddSource(WorkerTraces.Source.Name, "Microsoft.AspNetCore").AddOtlpExporter(options).Build();
    }

    /// <summary>Begins to send where a collector is named; null where none is.</summary>
    public static OtlpExport? Start(WorkerStatus status) =>
        string.IsNullOrEmpty(Environment.GetEnvironmentVariable(EndpointVariable)) ? null : new OtlpExport(status);

    /// <summary>Sends what there is.</summary>
    public void Flush()
    {
        _metrics.ForceFlush();
        _traces.ForceFlush();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _metrics.Shutdown(ShutdownMilliseconds);
        _traces.Shutdown(ShutdownMilliseconds);
        _metrics.Dispose();
        _traces.Dispose();
        _meter.Dispose();
    }

    private void Observe(MetricFamily<WorkerStatus> family, WorkerStatus status)
    {
        IEnumerable<Measurement<double>> Read() => family.Read(status).Select(sample => new Measurement<double>(
            sample.Value, family.Labels.Zip(sample.Labels, (name, value) => KeyValuePair.Create<string, object?>(name, value))));
        if (family.IsCounter) _meter.CreateObservableCounter(family.Name, Read, unit: null, family.Help);
        else _meter.CreateObservableGauge(family.Name, Read, unit: null, family.Help);
    }
}
