using System.Buffers;
using System.Text;
using System.Text.Json;
using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;

namespace StreamEm.Worker.Display;

/// <summary>What a model says of the stream as a whole, for a program: E[x], Cov[x] and the shares of its components, user units.</summary>
internal static class MomentsJson
{
    /// <summary>One JSON object; null where a feature has no moments.</summary>
    public static string Of(ModelSnapshot snapshot)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("model", snapshot.ModelId);
            json.WriteString("type", snapshot.Options.Type);
            json.WriteNumber("version", snapshot.Version);
            json.WriteNumber("records", snapshot.Training.Records);
            json.WriteStartArray("features");
            foreach (string feature in snapshot.Features) json.WriteStringValue(feature);
            json.WriteEndArray();
            if (snapshot.Model is ComponentModel model && MixtureMoments.Of(snapshot) is { } moments)
            {
                WriteNumbers(json, "mean", moments.Mean);
                json.WriteStartArray("covariance");
                foreach (double[] row in moments.Covariance.Chunk(snapshot.Features.Count)) WriteNumbers(json, null, row);
                json.WriteEndArray();
                double[] shares = new double[model.Components];
                model.Shares(snapshot.Parameters, shares);
                json.WriteStartObject("weights");
                for (int k = 0; k < shares.Length; k++) json.WriteNumber(snapshot.ComponentIds[k], shares[k]);
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static void WriteNumbers(Utf8JsonWriter json, string? name, double[] values)
    {
        if (name is null) json.WriteStartArray();
        else json.WriteStartArray(name);
        foreach (double value in values)
        {
            if (double.IsFinite(value)) json.WriteNumberValue(value);
            else json.WriteNullValue();
        }

        json.WriteEndArray();
    }
}
