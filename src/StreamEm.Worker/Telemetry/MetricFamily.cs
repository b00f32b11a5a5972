namespace StreamEm.Worker.Telemetry;

/// <summary>One number of a family.</summary>
/// <param name="Value">The number.</param>
/// <param name="Labels">The values of the family's labels, in their order.</param>
internal readonly record struct MetricSample(double Value, params string[] Labels);

/// <summary>A family of numbers that are read when somebody asks for them.</summary>
/// <param name="Name">As Prometheus and OTLP have it: base units, plural, <c>_total</c> for counters.</param>
/// <param name="IsCounter">Whether it only rises; else a gauge.</param>
/// <param name="Help">What it is.</param>
/// <param name="Labels">Names of the labels.</param>
/// <param name="Read">The numbers as they are now; none that is no number.</param>
/// <typeparam name="TSource">What they are read from.</typeparam>
internal sealed record MetricFamily<TSource>(
    string Name, bool IsCounter, string Help, string[] Labels, Func<TSource, IEnumerable<MetricSample>> Read);
