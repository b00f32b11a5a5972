using System.Globalization;
using System.Text;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Api;

/// <summary>Writes families of samples as Prometheus' text format wants them.</summary>
internal sealed class PrometheusText
{
    private readonly StringBuilder _text = new();
    private string _family = "";

    /// <summary>Starts a family: every sample that follows belongs to it.</summary>
    public PrometheusText Family(string name, string type, string help)
    {
        _family = name;
        _text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {type}\n");
        return this;
    }

    /// <summary>One sample of the family.</summary>
    public void Sample(double value, params (string Name, string Value)[] labels) => Sample("", value, labels);

    /// <summary>The samples of a histogram.</summary>
    public void Histogram(Histogram histogram, params (string Name, string Value)[] labels)
    {
        (IReadOnlyList<(double Bound, long Cumulative)> buckets, double sum) = histogram.Read();
        foreach ((double bound, long cumulative) in buckets) Sample("_bucket", cumulative, [.. labels, ("le", Number(bound))]);
        Sample("_sum", sum, labels);
        Sample("_count", buckets[^1].Cumulative, labels);
    }

    /// <inheritdoc/>
    public override string ToString() => _text.ToString();

    private void Sample(string suffix, double value, (string Name, string Value)[] labels)
    {
        _text.Append(_family).Append(suffix).Append('{');
        _text.AppendJoin(',', labels.Select(label => $"{label.Name}=\"{Escape(label.Value)}\""));
        _text.Append("} ").Append(Number(value)).Append('\n');
    }

    private static string Escape(string text) =>
        text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)
            .Replace("\n", "\\n", StringComparison.Ordinal);

    private static string Number(double value) =>
        double.IsPositiveInfinity(value) ? "+Inf" : value.ToString("R", CultureInfo.InvariantCulture);
}
