using System.Buffers;
using System.Globalization;
using System.Text.Json;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Snapshots;

/// <summary>
/// Writes a snapshot as JSON, <c>application/vnd.streamem.snapshot+json;v=1</c>: numbers in shortest round-trip form, no NaN, no infinity.
/// </summary>
public static class SnapshotJson
{
    /// <summary>The value of <c>format</c>.</summary>
    public const string Format = "streamem.snapshot";

    /// <summary>The value of <c>format_version</c>: within a major version only optional fields are added.</summary>
    public const string FormatVersion = "1.1";

    /// <summary>An instant as every document of StreamEM has it: UTC with milliseconds, <c>2026-11-20T08:00:00.123Z</c>.</summary>
    public static string Timestamp(DateTimeOffset instant) =>
        instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    /// <summary>Writes the snapshot as one JSON object, on one line unless <paramref name="indented"/>.</summary>
    public static void Write(ModelSnapshot snapshot, IBufferWriter<byte> output, bool indented = false)
    {
        using var json = new Utf8JsonWriter(output, new JsonWriterOptions { Indented = indented });
        json.WriteStartObject();
        json.WriteString("format", Format);
        json.WriteString("format_version", FormatVersion);
        WriteModel(json, snapshot);
        json.WriteNumber("version", snapshot.Version);
        json.WriteString("created_at", Timestamp(snapshot.CreatedAt));
        if (snapshot.Ancestry is { } ancestry) AncestryJson.Write(json, ancestry, snapshot.RunId);
        WriteSignature(json, snapshot);
        WriteParameters(json, "parameters", snapshot.Layout, snapshot.Parameters);
        if (snapshot.AveragedParameters is { } averaged) WriteParameters(json, "averaged_parameters", snapshot.Layout, averaged);
        if (snapshot.Intervals is { } intervals) IntervalsJson.Write(json, snapshot.Layout, intervals);
        WriteStrings(json, "component_ids", snapshot.ComponentIds);
        if (snapshot.Labels.Count > 0) WriteStrings(json, "labels", snapshot.Labels);
        json.WriteStartObject("standardization");
        WriteNumbers(json, "location", snapshot.Space.Location);
        WriteNumbers(json, "scale", snapshot.Space.Scale);
        if (snapshot.Space.Features.Any(feature => feature.Kind is FeatureKind.Count or FeatureKind.NonNegative && feature.Mean > 0))
            WriteNumbers(json, "mean", [.. snapshot.Space.Features.Select(feature => feature.Mean)]);
        json.WriteEndObject();
        WriteTraining(json, snapshot.Training, snapshot.Model.IsBound);
        WriteCalibration(json, snapshot);
        if (snapshot.Candidates.Count > 0) CandidateStandingJson.Write(json, snapshot.Candidates);
        if (snapshot.Detection is { } detection) DetectionJson.Write(json, detection);
        if (snapshot.GrowthEvents.Count > 0) DetectionJson.WriteEvents(json, snapshot.GrowthEvents);
        json.WriteStartObject("source");
        foreach ((string partition, long next) in snapshot.Source) json.WriteNumber(partition, next);
        json.WriteEndObject();
        WriteHealth(json, snapshot);
        json.WriteEndObject();
    }

    private static void WriteParameters(Utf8JsonWriter json, string name, VectorLayout layout, double[] parameters)
    {
        json.WriteStartObject(name);
        foreach (VectorBlock block in layout.Blocks)
        {
            json.WriteStartObject(block.Name);
            json.WriteStartArray("shape");
            foreach (int extent in block.Shape) json.WriteNumberValue(extent);
            json.WriteEndArray();
            WriteNumbers(json, "data", block.Of((ReadOnlySpan<double>)parameters));
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    private static void WriteModel(Utf8JsonWriter json, ModelSnapshot snapshot)
    {
        json.WriteStartObject("model");
        json.WriteString("id", snapshot.ModelId);
        json.WriteString("type", snapshot.Options.Type);
        json.WriteStartObject("options");
        foreach ((string name, string value) in snapshot.Options.Settings) json.WriteString(name, value);
        json.WriteEndObject();
        json.WriteString("run_id", snapshot.RunId);
        json.WriteString("config_hash", snapshot.ConfigHash);
        json.WriteEndObject();
    }

    private static void WriteSignature(Utf8JsonWriter json, ModelSnapshot snapshot)
    {
        json.WriteStartObject("signature");
        WriteStrings(json, "features", snapshot.Schema.Features);
        if (snapshot.Schema.Derived.Count > 0)
        {
            json.WriteStartArray("derived");
            foreach (DerivedFeature derived in snapshot.Schema.Derived) DerivedFeatureJson.Write(json, derived);
            json.WriteEndArray();
        }
        if (snapshot.Schema.Key is { } key) json.WriteString("key", key);
        if (snapshot.Schema.Timestamp is { } timestamp) json.WriteString("timestamp", timestamp);
        if (snapshot.Schema.Target is { } target) json.WriteString("target", target);
        if (snapshot.Space.Features.FirstOrDefault(feature => feature.Kind == FeatureKind.Terms) is { } terms)
            WriteStrings(json, "vocabulary", terms.Levels);
        if (snapshot.Space.Features.Any(feature => feature.HasLevels && feature.Kind != FeatureKind.Terms))
        {
            json.WriteStartObject("levels");
            foreach (Feature feature in snapshot.Space.Features)
                if (feature.HasLevels && feature.Kind != FeatureKind.Terms) WriteStrings(json, feature.Name, feature.Levels);
            json.WriteEndObject();
        }
        if (snapshot.Model.Classes.Count > 0) WriteStrings(json, "classes", [.. snapshot.Model.Classes]);
        WriteStrings(json, "outputs", snapshot.Outputs);
        WriteSpelling(json, snapshot.Schema);
        json.WriteEndObject();
    }

    /// <summary>How the records are written, as far as it was said: records to be scored are written alike.</summary>
    private static void WriteSpelling(Utf8JsonWriter json, RecordSchema schema)
    {
        if (schema.MissingValues.Count > 0) WriteStrings(json, "missing_values", schema.MissingValues);
        if (schema.TimestampUnit != TimestampUnit.Auto)
            json.WriteString("timestamp_unit", JsonNamingPolicy.SnakeCaseLower.ConvertName(schema.TimestampUnit.ToString()));
        CsvDialect csv = schema.Csv;
        if (csv.IsFound) return;
        json.WriteStartObject("csv");
        if (csv.Separator is { } separator) json.WriteString("separator", [separator]);
        if (csv.Decimal is { } mark) json.WriteString("decimal", [mark]);
        if (csv.Comment is { } comment) json.WriteString("comment", comment);
        if (csv.SkipLines > 0) json.WriteNumber("skip_lines", csv.SkipLines);
        if (csv.Columns is { } columns) WriteStrings(json, "columns", columns);
        json.WriteEndObject();
    }

    private static void WriteTraining(Utf8JsonWriter json, TrainingReport training, bool isBound)
    {
        json.WriteStartObject("training");
        json.WriteString("recursion", training.Recursion == Recursion.Parameters ? "parameters" : "statistics");
        WriteNumber(json, "kappa", training.StepSize.Kappa);
        WriteNumber(json, "t0", training.StepSize.T0);
        WriteNumber(json, "floor", training.StepSize.Floor);
        WriteNumber(json, "step_size", training.LastStepSize);
        json.WriteNumber("updates", training.Updates);
        json.WriteNumber("records", training.Records);
        if (training.Unlearned > 0) json.WriteNumber("unlearned", training.Unlearned);
        if (training.Bounded > 0) json.WriteNumber("bounded", training.Bounded);
        WriteNumberOrNull(json, "effective_records", training.EffectiveRecords);
        WriteNumberOrNull(json, "mean_log_likelihood", training.MeanLogLikelihood);
        if (isBound) WriteNumberOrNull(json, "mean_lower_bound", training.MeanLogLikelihood);
        if (double.IsFinite(training.RunningMeanLogLikelihood))
        {
            WriteNumber(json, "running_mean_log_likelihood", training.RunningMeanLogLikelihood);
            WriteNumberOrNull(json, "recent_mean_log_likelihood", training.RecentMeanLogLikelihood);
        }
        if (double.IsFinite(training.Energy) && double.IsFinite(training.Entropy))
        {
            json.WriteStartObject("free_energy");
            WriteNumber(json, "energy", training.Energy);
            WriteNumber(json, "entropy", training.Entropy);
            json.WriteEndObject();
        }
        if (training.Averaged > 1) json.WriteNumber("averaged", training.Averaged);
        json.WriteString("status", training.Status);
        WriteStrings(json, "warnings", training.Warnings.Select(warning => warning.Text));
        if (training.Warnings.Count > 0)
            WriteStrings(json, "warning_kinds",
                training.Warnings.Select(warning => JsonNamingPolicy.SnakeCaseLower.ConvertName(warning.Kind.ToString())));
        json.WriteEndObject();
    }

    private static void WriteCalibration(Utf8JsonWriter json, ModelSnapshot snapshot)
    {
        if (snapshot.Calibration is not { } calibration) return;
        json.WriteStartObject("calibration");
        CalibrationJson.Write(json, calibration, snapshot.Features);
        json.WriteEndObject();
    }

    private static void WriteHealth(Utf8JsonWriter json, ModelSnapshot snapshot)
    {
        json.WriteStartObject("health");
        json.WriteBoolean("finite", !snapshot.Parameters.Any(value => !double.IsFinite(value)));
        foreach ((string name, double fact) in snapshot.Health)
            if (double.IsFinite(fact)) WriteNumber(json, name, fact);
        json.WriteStartArray("components");
        for (int k = 0; k < snapshot.ComponentIds.Count; k++)
        {
            json.WriteStartObject();
            json.WriteString("id", snapshot.ComponentIds[k]);
            json.WriteString("status", snapshot.ComponentStatus[k]);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        if (snapshot.Events.Count > 0) ComponentEventJson.Write(json, snapshot.Events);
        json.WriteEndObject();
    }

    internal static void WriteStrings(Utf8JsonWriter json, string name, IEnumerable<string?> values)
    {
        json.WriteStartArray(name);
        foreach (string? value in values) json.WriteStringValue(value);
        json.WriteEndArray();
    }

    internal static void WriteNumbers(Utf8JsonWriter json, string name, ReadOnlySpan<double> values)
    {
        json.WritePropertyName(name);
        if (!json.Options.Indented)
        {
            WriteLine(json, values);
            return;
        }
        json.WriteStartArray();
        foreach (double value in values) WriteNumber(json, value);
        json.WriteEndArray();
    }

    /// <summary>An array on one line, handed to the writer as a whole: by far the most of a snapshot are numbers.</summary>
    private static void WriteLine(Utf8JsonWriter json, ReadOnlySpan<double> values)
    {
        byte[] text = ArrayPool<byte>.Shared.Rent(values.Length * (ShortestNumber.MaxLength + 1) + 2);
        int at = 0;
        text[at++] = (byte)'[';
        foreach (double value in values)
        {
            at += ShortestNumber.Write(value, text.AsSpan(at));
            text[at++] = (byte)',';
        }
        if (values.Length > 0) at--;
        text[at++] = (byte)']';
        json.WriteRawValue(text.AsSpan(0, at), skipInputValidation: true);
        ArrayPool<byte>.Shared.Return(text);
    }

    private static void WriteNumber(Utf8JsonWriter json, double value)
    {
        Span<byte> text = stackalloc byte[ShortestNumber.MaxLength];
        json.WriteRawValue(text[..ShortestNumber.Write(value, text)], skipInputValidation: true);
    }

    internal static void WriteNumber(Utf8JsonWriter json, string name, double value)
    {
        json.WritePropertyName(name);
        WriteNumber(json, value);
    }

    /// <summary>A number, or null where there is none to give.</summary>
    internal static void WriteNumberOrNull(Utf8JsonWriter json, double value)
    {
        if (double.IsFinite(value)) WriteNumber(json, value);
        else json.WriteNullValue();
    }

    /// <summary>A number, or null where there is none to give.</summary>
    private static void WriteNumberOrNull(Utf8JsonWriter json, string name, double value)
    {
        if (double.IsFinite(value)) WriteNumber(json, name, value);
        else json.WriteNull(name);
    }
}
