using System.Globalization;
using System.Text.Json;
using StreamEm.Core.Catalog;
using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Core.Settings;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Snapshots;

/// <summary>
/// Reads snapshots written by <see cref="SnapshotJson"/>. Input is not trusted: shapes and values are checked before they are used.
/// </summary>
public static class SnapshotReader
{
    private const int MaxValues = 1 << 26;

    /// <summary>Reads a snapshot.</summary>
    /// <exception cref="InvalidDataException">Not a snapshot, of an unknown version, or its shapes, weights or covariances are not
    /// valid.</exception>
    public static ModelSnapshot Read(ReadOnlyMemory<byte> json) => Parse(json, root =>
    {
        string format = Text(root, "format"), version = Text(root, "format_version");
        if (format != SnapshotJson.Format) throw new InvalidDataException($"'format' is '{format}'; expected '{SnapshotJson.Format}'.");
        if (!version.StartsWith("1.", StringComparison.Ordinal))
            throw new InvalidDataException($"'format_version' is '{version}'; this program reads 1.x. Read it with a newer version.");
        JsonElement model = Member(root, "model"), training = Member(root, "training"), health = Member(root, "health"),
            signature = Member(root, "signature");
        LatentModelOptions options = ModelOptions(model);
        RecordSchema schema = Schema(signature, options);
        // What cannot be made is told here, and not with the first record.
        _ = FeatureStream.Of(schema);
        FeatureSpace space = Space(root, signature, options.Plan(schema));
        LatentModel made = options.Create(space);
        if (made.ParameterLayout.Length > json.Length)
            throw new InvalidDataException(
                $"The model has {made.ParameterLayout.Length} parameters, which {json.Length} bytes cannot hold: its options are not those "
                    + "of its parameters.");
        var learned = new LearnedModel
        {
            Options = options,
            Schema = schema.With(options.Sequences) with { Kinds = space.Kinds },
            Version = Count(Member(root, "version")),
            Space = space,
            Model = made,
            Parameters = Parameters(Member(root, "parameters"), made.ParameterLayout),
            AveragedParameters = root.TryGetProperty("averaged_parameters", out JsonElement averaged)
                ? Parameters(averaged, made.ParameterLayout)
                : null,
            Intervals = IntervalsJson.Read(root, made.ParameterLayout),
            Events = ComponentEventJson.Read(health),
            ComponentIds = Strings(Member(root, "component_ids")).Select(id => id ?? "").ToArray(),
            Labels = root.TryGetProperty("labels", out JsonElement labels) ? Strings(labels) : [],
            Training = TrainingJson.Read(training),
            ComponentStatus = Member(health, "components").EnumerateArray().Select(component => Text(component, "status")).ToArray(),
            Calibration = root.TryGetProperty("calibration", out JsonElement calibration)
                ? CalibrationJson.Read(calibration, schema.Columns)
                : null,
        };
        Check(learned);
        if (root.TryGetProperty("detection", out JsonElement detection))
            learned = learned with { Detection = DetectionJson.Read(detection, learned.Space.Dimension, learned.ComponentStatus) };
        _ = new Scorer(learned).CreateDetection();
        return new ModelSnapshot(learned,
            new SnapshotOrigin(Text(model, "id"), Text(model, "run_id"), Text(model, "config_hash"),
                Member(root, "created_at").GetDateTimeOffset())
            {
                Source = Member(root, "source").EnumerateObject()
                .ToDictionary(entry => entry.Name, entry => Count(entry.Value), StringComparer.Ordinal),
            })
        {
            Ancestry = AncestryJson.Read(root, Text(model, "run_id")),
            Candidates = CandidateStandingJson.Read(root),
        };
    });

    /// <summary>Throws unless counts and names are those of the model.</summary>
    private static void Check(LearnedModel learned)
    {
        int components = (learned.Model as ComponentModel)?.Components ?? 0;
        if (learned.ComponentIds.Count != components || learned.ComponentStatus.Count != components
            || (learned.Labels.Count != 0 && learned.Labels.Count != components))
            throw new InvalidDataException(
                $"There are {learned.ComponentIds.Count} component ids, {learned.ComponentStatus.Count} states of components and "
                    + $"{learned.Labels.Count} labels; the model has {components} components.");
        TrainingReport training = learned.Training;
        foreach (double value in (ReadOnlySpan<double>)[
            training.StepSize.Kappa, training.StepSize.T0, training.StepSize.Floor, training.LastStepSize])
            if (!(value >= 0) || double.IsInfinity(value))
                throw new InvalidDataException($"A number of the step size is {value.ToString("R", CultureInfo.InvariantCulture)}.");
    }

    /// <summary>A number of records or updates, or a position.</summary>
    internal static long Count(JsonElement element) => element.GetInt64() is >= 0 and var count
        ? count
        : throw new InvalidDataException($"A count or position is {element.GetRawText()}; expected at least 0.");

    /// <summary>
    /// Reads parameters to start at: a snapshot, which is gone on with, or just <c>{"parameters": {...}}</c> whose blocks are
    /// <c>{"shape", "data"}</c> or nested arrays, which are started at.
    /// </summary>
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
        bool isScaled = root.TryGetProperty("standardization", out JsonElement given);
        bool isSnapshot = root.TryGetProperty("format", out JsonElement format) && format.GetString() == SnapshotJson.Format;
        return new InitialParameters(blocks)
        {
            Location = isScaled ? Numbers(Member(given, "location"), -1) : null,
            Scale = isScaled ? Numbers(Member(given, "scale"), -1) : null,
            Mean = isScaled && given.TryGetProperty("mean", out JsonElement mean) ? Numbers(mean, -1) : null,
            Parent = isSnapshot ? Parent(root) : null,
            Progress = isSnapshot && root.TryGetProperty("training", out JsonElement training) ? TrainingJson.Read(training) : null,
            Calibration = isSnapshot && root.TryGetProperty("calibration", out JsonElement calibration)
                ? CalibrationJson.Read(calibration, Columns(Member(root, "signature")))
                : null,
            ComponentIds = isSnapshot && root.TryGetProperty("component_ids", out JsonElement ids)
                ? [.. Strings(ids).Select(id => id ?? "")]
                : [],
            Labels = isSnapshot && root.TryGetProperty("labels", out JsonElement labels) ? Strings(labels) : [],
            Levels = Levels(root.TryGetProperty("levels", out JsonElement levels)
                || (root.TryGetProperty("signature", out JsonElement signature) && signature.TryGetProperty("levels", out levels))
                ? levels
                : default),
            Vocabulary = Texts(root, "vocabulary")
                ?? (root.TryGetProperty("signature", out JsonElement said) ? Texts(said, "vocabulary") : null) ?? [],
        };
    });

    /// <summary>The snapshot as one that another comes from; null where it does not say what it is.</summary>
    private static SnapshotParent? Parent(JsonElement root)
    {
        string run = Text(Member(root, "model"), "run_id");
        return AncestryJson.Read(root, run) is { } ancestry
            ? new SnapshotParent(run, Count(Member(root, "version")), ancestry.Hash)
            : null;
    }

    private static string[] Columns(JsonElement signature) =>
        [.. Features(signature), .. Optional(signature, "target") is { } target ? [target] : (string[])[]];

    private static string[] Features(JsonElement signature) => [.. Strings(Member(signature, "features")).Select(name => name ?? "")];

    private static RecordSchema Schema(JsonElement signature, LatentModelOptions options) => new()
    {
        Features = Features(signature),
        Derived = signature.TryGetProperty("derived", out JsonElement derived) ? [.. derived.EnumerateArray().Select(Derived)] : [],
        Key = Optional(signature, "key"),
        Timestamp = Optional(signature, "timestamp"),
        Target = Optional(signature, "target"),
        AllowMissing = true,
        MissingValues = Texts(signature, "missing_values") ?? [],
        TimestampUnit = Optional(signature, "timestamp_unit") is not { } unit ? TimestampUnit.Auto
            : new ChoiceKind<TimestampUnit>().TryParse(unit, out TimestampUnit known) ? known
            : throw new InvalidDataException($"'timestamp_unit' is none of {string.Join(", ", new ChoiceKind<TimestampUnit>().Words)}."),
        Csv = signature.TryGetProperty("csv", out JsonElement csv) ? Dialect(csv) : CsvDialect.Found,
    };

    private static DerivedFeature Derived(JsonElement element) =>
        element.ValueKind != JsonValueKind.Object
            ? throw new InvalidDataException("'signature.derived' has an item that is no object.")
            : DerivedFeatureJson.Read(element, out string problem)
                ?? throw new InvalidDataException($"'signature.derived' has an item that {problem}.");

    private static CsvDialect Dialect(JsonElement csv)
    {
        int skipLines = csv.TryGetProperty("skip_lines", out JsonElement lines) ? lines.GetInt32() : 0;
        if (skipLines < 0) throw new InvalidDataException("'csv.skip_lines' is negative.");
        return new CsvDialect
        {
            Separator = Character(csv, "separator"),
            Decimal = Character(csv, "decimal"),
            Comment = Optional(csv, "comment"),
            SkipLines = skipLines,
            Columns = Texts(csv, "columns"),
        };
    }

    private static char? Character(JsonElement element, string name) => Optional(element, name) switch
    {
        null => null,
        { Length: 1 } text when char.IsAscii(text[0]) && !char.IsAsciiLetterOrDigit(text[0]) => text[0],
        _ => throw new InvalidDataException($"'csv.{name}' is no character that could be one."),
    };

    private static string[]? Texts(JsonElement element, string name) =>
        element.TryGetProperty(name, out JsonElement list) ? [.. Strings(list).Select(text => text ?? "")] : null;

    private static FeatureSpace Space(JsonElement root, JsonElement signature, FeatureSpace plan)
    {
        JsonElement standardization = Member(root, "standardization");
        Dictionary<string, IReadOnlyList<string>> levels =
            Levels(signature.TryGetProperty("levels", out JsonElement given) ? given : default);
        string[]? vocabulary = Texts(signature, "vocabulary");
        return (standardization.TryGetProperty("mean", out JsonElement mean) ? plan.WithMeans(Numbers(mean, plan.Dimension)) : plan)
            .WithScales(Numbers(Member(standardization, "location"), plan.Dimension),
                Numbers(Member(standardization, "scale"), plan.Dimension))
            .WithLevels(d => levels.TryGetValue(plan.Features[d].Name, out IReadOnlyList<string>? texts)
                ? texts
                : plan.Features[d].Kind == FeatureKind.Terms && vocabulary is not null ? vocabulary
                : throw new InvalidDataException($"The levels of feature '{plan.Features[d].Name}' are missing."));
    }

    private static Dictionary<string, IReadOnlyList<string>> Levels(JsonElement levels)
    {
        var result = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        if (levels.ValueKind == JsonValueKind.Undefined) return result;
        foreach (JsonProperty feature in levels.EnumerateObject())
            result[feature.Name] = [.. feature.Value.EnumerateArray()
                .Select(level => level.ValueKind == JsonValueKind.String ? level.GetString() ?? "" : level.GetRawText())];
        return result;
    }

    private static string? Optional(JsonElement element, string name) =>
        element.TryGetProperty(name, out JsonElement value) ? value.GetString() : null;

    private static T Parse<T>(ReadOnlyMemory<byte> json, Func<JsonElement, T> read)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 16 });
            return read(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or ArgumentException
            or ArithmeticException or KeyNotFoundException or IndexOutOfRangeException or NullReferenceException)
        {
            throw new InvalidDataException($"Not a valid snapshot: {e.Message}", e);
        }
    }

    private static LatentModelOptions ModelOptions(JsonElement model)
    {
        var settings = Member(model, "options").EnumerateObject()
            .ToDictionary(entry => entry.Name, entry => entry.Value.GetString() ?? "", StringComparer.Ordinal);
        string type = Text(model, "type");
        ModelEntry entry = ModelCatalog.Find(type)
            ?? throw new InvalidDataException(
                $"Model type '{type}' is not known to this version; it knows {string.Join(", ", ModelCatalog.Types)}.");
        return entry.Read(settings);
    }

    private static double[] Parameters(JsonElement blocks, VectorLayout layout)
    {
        double[] parameters = new double[layout.Length];
        foreach (VectorBlock block in layout.Blocks)
        {
            JsonElement element = Member(blocks, block.Name);
            int[] shape = Member(element, "shape").EnumerateArray().Select(extent => extent.GetInt32()).ToArray();
            // One number alone had no shape before it had that of a vector of one.
            bool isOne = shape.Length == 0 && block.Length == 1;
            if (!isOne && !shape.SequenceEqual(block.Shape))
                throw new InvalidDataException(
                    $"Parameter '{block.Name}' has shape [{string.Join(", ", shape)}]; expected [{string.Join(", ", block.Shape)}].");
            Numbers(Member(element, "data"), block.Length).CopyTo(parameters, block.Offset);
        }
        return parameters;
    }

    internal static JsonElement Member(JsonElement element, string name) => element.TryGetProperty(name, out JsonElement member)
        ? member
        : throw new InvalidDataException($"'{name}' is missing.");

    internal static string Text(JsonElement element, string name) => Member(element, name).GetString() ?? "";

    internal static double NumberOrNaN(JsonElement element, string name) =>
        element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : double.NaN;

    internal static string?[] Strings(JsonElement array) => array.EnumerateArray().Select(item => item.GetString()).ToArray();

    internal static double[] Numbers(JsonElement array, int expected)
    {
        var values = new List<double>();
        Flatten(array, values);
        if (expected >= 0 && values.Count != expected)
            throw new InvalidDataException(string.Create(
                CultureInfo.InvariantCulture, $"An array has {values.Count} numbers; expected {expected}."));
        return [.. values];
    }

    private static void Flatten(JsonElement element, List<double> values)
    {
        if (element.ValueKind != JsonValueKind.Array)
        {
            double value = element.GetDouble();
            if (!double.IsFinite(value) || values.Count >= MaxValues)
                throw new InvalidDataException("A parameter is not finite, or there are too many.");
            values.Add(value);
            return;
        }
        foreach (JsonElement item in element.EnumerateArray()) Flatten(item, values);
    }
}
