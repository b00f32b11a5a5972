using System.Globalization;
using System.Text.Json;
using StreamEm.Core.Calibration;
using StreamEm.Core.Catalog;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Core.Schedules;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Snapshots;

/// <summary>Reads snapshots written by <see cref="SnapshotJson"/>. Input is not trusted: shapes and values are checked before they are used.</summary>
public static class SnapshotReader
{
    private const int MaxValues = 1 << 26;

    /// <summary>Reads a snapshot.</summary>
    /// <exception cref="InvalidDataException">Not a snapshot, of an unknown version, or its shapes, weights or covariances are not valid.</exception>
    public static ModelSnapshot Read(ReadOnlyMemory<byte> json) => Parse(json, root =>
    {
        string format = Text(root, "format"), version = Text(root, "format_version");
        if (format != SnapshotJson.Format) throw new InvalidDataException($"'format' is '{format}'; expected '{SnapshotJson.Format}'.");
        if (!version.StartsWith("1.", StringComparison.Ordinal))
            throw new InvalidDataException($"'format_version' is '{version}'; this program reads 1.x. Read it with a newer version.");
        JsonElement model = Member(root, "model"), training = Member(root, "training"), health = Member(root, "health");
        string[] features = Strings(Member(Member(root, "signature"), "features")).Select(name => name ?? "").ToArray();
        LatentModelOptions options = ModelOptions(model);
        (VectorLayout layout, double[] parameters) = Parameters(root, options, features.Length);
        JsonElement standardization = Member(root, "standardization");
        var snapshot = new ModelSnapshot
        {
            ModelId = Text(model, "id"),
            Model = options,
            RunId = Text(model, "run_id"),
            ConfigHash = Text(model, "config_hash"),
            Version = Member(root, "version").GetInt64(),
            CreatedAt = Member(root, "created_at").GetDateTimeOffset(),
            Features = features,
            Layout = layout,
            Parameters = parameters,
            Standardization = new Standardization(Numbers(Member(standardization, "location"), features.Length), Numbers(Member(standardization, "scale"), features.Length)),
            ComponentIds = Strings(Member(root, "component_ids")).Select(id => id ?? "").ToArray(),
            Labels = root.TryGetProperty("labels", out JsonElement labels) ? Strings(labels) : [],
            Training = Training(training),
            Source = Member(root, "source").EnumerateObject().ToDictionary(entry => entry.Name, entry => entry.Value.GetInt64(), StringComparer.Ordinal),
            ComponentStatus = Member(health, "components").EnumerateArray().Select(component => Text(component, "status")).ToArray(),
            Calibration = root.TryGetProperty("calibration", out JsonElement calibration) ? Calibration(calibration) : null,
        };
        _ = new Scorer(snapshot);
        return snapshot;
    });

    /// <summary>Reads parameters to start at: a snapshot, or just <c>{"parameters": {...}}</c> whose blocks are <c>{"shape", "data"}</c> or nested arrays.</summary>
    /// <exception cref="InvalidDataException">Neither.</exception>
    public static InitialParameters ReadInitialParameters(ReadOnlyMemory<byte> json) => Parse(json, root =>
    {
        var blocks = new Dictionary<string, double[]>(StringComparer.Ordinal);
        foreach (JsonProperty block in Member(root, "parameters").EnumerateObject())
        {
            var values = new List<double>();
            Flatten(block.Value.ValueKind == JsonValueKind.Object ? Member(block.Value, "data") : block.Value, values);
            blocks.Add(block.Name, [.. values]);
        }
        Standardization? standardization = null;
        if (root.TryGetProperty("standardization", out JsonElement given))
            standardization = new Standardization(Numbers(Member(given, "location"), -1), Numbers(Member(given, "scale"), -1));
        return new InitialParameters(blocks, standardization);
    });

    private static T Parse<T>(ReadOnlyMemory<byte> json, Func<JsonElement, T> read)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 16 });
            return read(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or ArgumentException or ArithmeticException)
        {
            throw new InvalidDataException($"Not a valid snapshot: {e.Message}", e);
        }
    }

    private static LatentModelOptions ModelOptions(JsonElement model)
    {
        var settings = Member(model, "options").EnumerateObject().ToDictionary(entry => entry.Name, entry => entry.Value.GetString() ?? "", StringComparer.Ordinal);
        string type = Text(model, "type");
        ModelEntry entry = ModelCatalog.Find(type)
            ?? throw new InvalidDataException($"Model type '{type}' is not known to this version; it knows {string.Join(", ", ModelCatalog.Types)}.");
        return entry.Read(settings);
    }

    private static (VectorLayout, double[]) Parameters(JsonElement root, LatentModelOptions options, int dimension)
    {
        VectorLayout layout = options.CreateForUnitVariances(dimension).ParameterLayout;
        double[] parameters = new double[layout.Length];
        JsonElement blocks = Member(root, "parameters");
        foreach (VectorBlock block in layout.Blocks)
        {
            JsonElement element = Member(blocks, block.Name);
            int[] shape = Member(element, "shape").EnumerateArray().Select(extent => extent.GetInt32()).ToArray();
            if (!shape.SequenceEqual(block.Shape))
                throw new InvalidDataException($"Parameter '{block.Name}' has shape [{string.Join(", ", shape)}]; expected [{string.Join(", ", block.Shape)}].");
            Numbers(Member(element, "data"), block.Length).CopyTo(parameters, block.Offset);
        }
        return (layout, parameters);
    }

    private static TrainingReport Training(JsonElement training) => new()
    {
        Recursion = Text(training, "recursion") == "statistics" ? Recursion.Statistics : Recursion.Parameters,
        StepSize = new StepSizeOptions { Kappa = Member(training, "kappa").GetDouble(), T0 = Member(training, "t0").GetDouble(), Floor = Member(training, "floor").GetDouble() },
        LastStepSize = Member(training, "step_size").GetDouble(),
        Updates = Member(training, "updates").GetInt64(),
        Records = Member(training, "records").GetInt64(),
        EffectiveRecords = NumberOrNaN(training, "effective_records"),
        MeanLogLikelihood = NumberOrNaN(training, "mean_log_likelihood"),
        Status = Text(training, "status"),
        Warnings = Strings(Member(training, "warnings")).Select(warning => warning ?? "").ToArray(),
    };

    private static AnomalyCalibration Calibration(JsonElement calibration) => new(
        Member(calibration, "records").GetDouble(), Numbers(Member(calibration, "quantiles"), -1),
        Member(calibration, "tail_start").GetDouble(), Member(calibration, "tail_scale").GetDouble());

    private static JsonElement Member(JsonElement element, string name) => element.TryGetProperty(name, out JsonElement member)
        ? member
        : throw new InvalidDataException($"'{name}' is missing.");

    private static string Text(JsonElement element, string name) => Member(element, name).GetString() ?? "";

    private static double NumberOrNaN(JsonElement element, string name) =>
        element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : double.NaN;

    private static string?[] Strings(JsonElement array) => array.EnumerateArray().Select(item => item.GetString()).ToArray();

    private static double[] Numbers(JsonElement array, int expected)
    {
        var values = new List<double>();
        Flatten(array, values);
        if (expected >= 0 && values.Count != expected)
            throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"An array has {values.Count} numbers; expected {expected}."));
        return [.. values];
    }

    private static void Flatten(JsonElement element, List<double> values)
    {
        if (element.ValueKind != JsonValueKind.Array)
        {
            double value = element.GetDouble();
            if (!double.IsFinite(value) || values.Count >= MaxValues) throw new InvalidDataException("A parameter is not finite, or there are too many.");
            values.Add(value);
            return;
        }
        foreach (JsonElement item in element.EnumerateArray()) Flatten(item, values);
    }
}
