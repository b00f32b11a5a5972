using System.Globalization;
using System.Text.Json;
using StreamEm.Core.Calibration;

namespace StreamEm.Core.Snapshots;

/// <summary>The part <c>calibration</c> of a snapshot. What is read is not trusted.</summary>
internal static class CalibrationJson
{
    /// <summary>Knots and sets of missing features beyond which nothing this program writes would go.</summary>
    private const int MaxKnots = 1 << 16, MaxPatterns = 1 << 10;

    /// <summary>Writes the members of a calibration.</summary>
    /// <param name="json">In an object.</param>
    /// <param name="calibration">What is written.</param>
    /// <param name="features">Names of the D features.</param>
    public static void Write(Utf8JsonWriter json, AnomalyCalibration calibration, IReadOnlyList<string> features)
    {
        SnapshotJson.WriteNumber(json, "records", calibration.Records);
        SnapshotJson.WriteNumbers(json, "quantiles", [.. calibration.Quantiles]);
        SnapshotJson.WriteNumber(json, "tail_start", calibration.TailStart);
        SnapshotJson.WriteNumber(json, "tail_scale", calibration.TailScale);
        // The knots of 0.1.0 are its quantiles.
        if (!ReferenceEquals(calibration.LogDensities, calibration.Quantiles))
        {
            SnapshotJson.WriteNumbers(json, "log_densities", [.. calibration.LogDensities]);
            SnapshotJson.WriteNumbers(json, "scores", [.. calibration.Scores]);
        }
        if (calibration.Patterns.Count == 0) return;
        json.WriteStartArray("patterns");
        foreach (PatternCalibration pattern in calibration.Patterns)
        {
            json.WriteStartObject();
            SnapshotJson.WriteStrings(json, "missing", pattern.Missing.Select(feature => features[feature]));
            Write(json, pattern.Calibration, features);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    /// <summary>Reads what <see cref="Write"/> wrote, or release 0.1.0.</summary>
    /// <exception cref="InvalidDataException">It is no score function.</exception>
    public static AnomalyCalibration Read(JsonElement calibration, IReadOnlyList<string> features)
    {
        AnomalyCalibration result = ReadKnots(calibration);
        if (!calibration.TryGetProperty("patterns", out JsonElement patterns)) return result;
        if (patterns.GetArrayLength() > MaxPatterns) throw Wrong($"{patterns.GetArrayLength()} patterns", $"at most {MaxPatterns}");
        var read = new List<PatternCalibration>();
        foreach (JsonElement pattern in patterns.EnumerateArray())
        {
            var missing = new SortedSet<int>();
            foreach (JsonElement name in SnapshotReader.Member(pattern, "missing").EnumerateArray())
            {
                int feature = features.ToList().IndexOf(name.GetString() ?? "");
                if (feature < 0) throw Wrong("a missing feature the snapshot does not have", "names of its features");
                missing.Add(feature);
            }
            read.Add(new PatternCalibration([.. missing], features.Count, ReadKnots(pattern)));
        }
        return result with { Patterns = read };
    }

    private static AnomalyCalibration ReadKnots(JsonElement calibration)
    {
        double records = SnapshotReader.Member(calibration, "records").GetDouble(),
            start = SnapshotReader.Member(calibration, "tail_start").GetDouble(),
            scale = SnapshotReader.Member(calibration, "tail_scale").GetDouble();
        double[] quantiles = Ordered(SnapshotReader.Member(calibration, "quantiles"), "quantiles", descending: true);
        if (!(records >= 0) || !double.IsFinite(records)) throw Wrong(Text("records", records), "a number of at least 0");
        if (!(start >= 0) || !double.IsFinite(start)) throw Wrong(Text("tail_start", start), "a number of at least 0");
        if (!(scale > 0) || !double.IsFinite(scale)) throw Wrong(Text("tail_scale", scale), "a number above 0");
        var result = new AnomalyCalibration(records, quantiles, start, scale);
        if (!calibration.TryGetProperty("log_densities", out JsonElement densities)) return result;
        double[] knots = Ordered(densities, "log_densities", descending: true),
            scores = Ordered(SnapshotReader.Member(calibration, "scores"), "scores", descending: false);
        if (scores.Length != knots.Length) throw Wrong($"{scores.Length} scores", $"as many as log_densities, {knots.Length}");
        if (scores[0] < 0 || scores[^1] > 1) throw Wrong("scores beyond 0 or 1", "scores in [0, 1]");
        return result with { LogDensities = knots, Scores = scores };
    }

    private static double[] Ordered(JsonElement array, string name, bool descending)
    {
        double[] values = SnapshotReader.Numbers(array, -1);
        if (values.Length is 0 or > MaxKnots) throw Wrong($"{values.Length} {name}", $"1 to {MaxKnots}");
        for (int at = 1; at < values.Length; at++)
            if (descending ? values[at] > values[at - 1] : values[at] < values[at - 1])
                throw Wrong($"{name} that are out of order", descending ? "none above the one before" : "none below the one before");
        return values;
    }

    private static string Text(string name, double value) => string.Create(CultureInfo.InvariantCulture, $"{name} {value:R}");

    private static InvalidDataException Wrong(string found, string expected) =>
        new($"The calibration has {found}; expected {expected}.");
}
