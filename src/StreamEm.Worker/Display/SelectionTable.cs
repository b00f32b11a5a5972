using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Spectre.Console;

namespace StreamEm.Worker.Display;

/// <summary>What the criteria say of the candidates, for a person or a program.</summary>
/// <param name="reports">The candidates.</param>
/// <param name="unit">What there is a number of: components, states.</param>
internal sealed class SelectionTable(IReadOnlyList<CandidateReport> reports, string unit)
{
    private readonly int _knee = DistortionCurve.Knee(reports);

    /// <summary>Writes a row for every candidate; a star is the best by its criterion.</summary>
    public void Write(TextWriter output)
    {
        IAnsiConsole console = Terminal.For(output);
        var table = new ColumnBands(unit, [.. reports.Select(report => report.Components.ToString(CultureInfo.InvariantCulture))]);
        table.Add("parameters", [.. reports.Select(report => report.Parameters.ToString(CultureInfo.InvariantCulture))]);
        foreach (Criterion criterion in Criterion.All)
        {
            int best = criterion.Best(reports);
            if (best < 0) continue;
            table.Add(criterion.Title, Cells(criterion.Of, best, criterion.IsLargerBetter ? "F5" : "F1"));
        }

        if (_knee >= 0 || reports.All(report => double.IsFinite(report.Distortion)))
            table.Add("distortion", Cells(report => report.Distortion, _knee, "G5"));
        table.Write(console);
        console.WriteLine(
            "  * the best by its criterion; prequential and held out: nats per record, larger is better; BIC, AIC, ICL: smaller");
        foreach (Criterion criterion in Criterion.All)
            if (criterion.Best(reports) is >= 0 and var best)
                console.WriteLine($"  best by {criterion.Title}: {Counted(reports[best].Components)}");
        if (_knee >= 0) console.WriteLine($"  knee of the distortion: {Counted(reports[_knee].Components)}");
    }

    private string Counted(int components) => $"{components} {(components == 1 ? unit[..^1] : unit)}";

    /// <summary>The same as one JSON object.</summary>
    public string Json()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteStartArray("candidates");
            foreach (CandidateReport report in reports)
            {
                json.WriteStartObject();
                json.WriteNumber(unit, report.Components);
                json.WriteNumber("parameters", report.Parameters);
                foreach (Criterion criterion in Criterion.All) Write(json, criterion.Name, criterion.Of(report));
                Write(json, "log_likelihood", report.LogLikelihood);
                if (double.IsFinite(report.Distortion)) json.WriteNumber("distortion", report.Distortion);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteStartObject("best");
            foreach (Criterion criterion in Criterion.All)
                if (criterion.Best(reports) is >= 0 and var best) json.WriteNumber(criterion.Name, reports[best].Components);
            if (_knee >= 0) json.WriteNumber("distortion", reports[_knee].Components);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private string[] Cells(Func<CandidateReport, double> of, int best, string format) =>
        [.. reports.Select((report, at) => of(report).ToString(format, CultureInfo.InvariantCulture) + (at == best ? " *" : "  "))];

    private static void Write(Utf8JsonWriter json, string name, double value)
    {
        if (double.IsFinite(value)) json.WriteNumber(name, value);
        else json.WriteNull(name);
    }
}
