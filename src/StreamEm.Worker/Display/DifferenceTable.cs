using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Spectre.Console;
using StreamEm.Core.Snapshots;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Display;

/// <summary>How two snapshots differ, for a person or a program.</summary>
internal sealed class DifferenceTable(ModelSnapshot before, ModelSnapshot after, SnapshotDifference difference, int draws)
{
    /// <summary>Writes it as tables.</summary>
    public void Write(TextWriter output)
    {
        IAnsiConsole console = Terminal.For(output);
        var facts = new Grid().AddColumn().AddColumn();
        void Fact(string name, string value) => facts.AddRow(Markup.Escape(name), Markup.Escape(PrintableText.Of(value)));
        Fact("A", Name(before));
        Fact("B", Name(after));
        Fact("KL(A || B)", Text(difference.Forward));
        Fact("KL(B || A)", Text(difference.Backward));
        if (difference.OnlyBefore.Count > 0) Fact("only in A", string.Join(", ", difference.OnlyBefore));
        if (difference.OnlyAfter.Count > 0) Fact("only in B", string.Join(", ", difference.OnlyAfter));
        console.Write(facts);
        if (difference.Components.Count > 0) Components().Write(console);
        var blocks = new ColumnBands("parameter", [.. difference.Blocks.Select(block => block.Block)]);
        blocks.Add("largest change", [.. difference.Blocks.Select(block => Short(block.Largest))]);
        blocks.Add("root mean square", [.. difference.Blocks.Select(block => Short(block.RootMeanSquare))]);
        blocks.Write(console);
        console.WriteLine("  in the user's units, over the components that both have");
    }

    /// <summary>The same as one JSON object.</summary>
    public string Json()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            Write(json, "a", before);
            Write(json, "b", after);
            json.WriteNumber("draws", draws);
            Write(json, "kl_a_b", difference.Forward);
            Write(json, "kl_b_a", difference.Backward);
            Write(json, "only_a", difference.OnlyBefore);
            Write(json, "only_b", difference.OnlyAfter);
            json.WriteStartArray("components");
            foreach (ComponentDifference component in difference.Components)
            {
                json.WriteStartObject();
                json.WriteString("id", component.Id);
                Write(json, "weight_a", component.ShareBefore);
                Write(json, "weight_b", component.ShareAfter);
                Write(json, "kl", component.Divergence);
                if (component.Feature is not null)
                {
                    json.WriteString("feature", component.Feature);
                    Write(json, "shift", component.Shift);
                    Write(json, "spread", component.Spread);
                }

                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteStartObject("parameters");
            foreach (BlockDifference block in difference.Blocks)
            {
                json.WriteStartObject(block.Block);
                Write(json, "largest", block.Largest);
                Write(json, "root_mean_square", block.RootMeanSquare);
                json.WriteEndObject();
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private ColumnBands Components()
    {
        IReadOnlyList<ComponentDifference> all = difference.Components;
        var table = new ColumnBands("component", [.. all.Select(component => component.Id)]);
        table.Add("weight in A", [.. all.Select(component => component.ShareBefore.ToString("F4", CultureInfo.InvariantCulture))]);
        table.Add("weight in B", [.. all.Select(component => component.ShareAfter.ToString("F4", CultureInfo.InvariantCulture))]);
        table.Add("KL, exact", [.. all.Select(component => double.IsNaN(component.Divergence) ? "" : Short(component.Divergence))]);
        if (all.Any(component => component.Feature is not null))
            table.Add("moved most", [.. all.Select(component => component.Feature is null ? "" : string.Create(
                CultureInfo.InvariantCulture,
                $"{PrintableText.Of(component.Feature)} {component.Shift:+0.00;-0.00;0.00} sd, spread x {component.Spread:F2}"))],
                isNumber: false);
        return table;
    }

    private static string Name(ModelSnapshot snapshot) => string.Create(CultureInfo.InvariantCulture,
        $"{snapshot.ModelId}, version {snapshot.Version}, {snapshot.Training.Records} records, made "
            + $"{snapshot.CreatedAt.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC");

    private string Text(Estimate estimate) => estimate.Impossible > 0
        ? string.Create(CultureInfo.InvariantCulture,
            $"infinite: the other gives no probability to {estimate.Impossible} of {draws} records drawn")
        : string.Create(CultureInfo.InvariantCulture,
            $"{Short(estimate.Value)} nats per record, standard error {Short(estimate.StandardError)} ({draws} records drawn)");

    private static string Short(double value) => value.ToString("G4", CultureInfo.InvariantCulture);

    private static void Write(Utf8JsonWriter json, string name, ModelSnapshot snapshot)
    {
        json.WriteStartObject(name);
        json.WriteString("model", snapshot.ModelId);
        json.WriteString("run_id", snapshot.RunId);
        json.WriteNumber("version", snapshot.Version);
        json.WriteNumber("records", snapshot.Training.Records);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, string name, Estimate estimate)
    {
        json.WriteStartObject(name);
        Write(json, "value", estimate.Value);
        Write(json, "standard_error", estimate.StandardError);
        if (estimate.Impossible > 0) json.WriteNumber("impossible", estimate.Impossible);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, string name, IReadOnlyList<string> texts)
    {
        json.WriteStartArray(name);
        foreach (string text in texts) json.WriteStringValue(text);
        json.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter json, string name, double value)
    {
        if (double.IsFinite(value)) json.WriteNumber(name, value);
        else json.WriteNull(name);
    }
}
