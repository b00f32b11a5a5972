using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Snapshots;

/// <summary>What format 1.1 adds to 1.0, and that 1.0 is still read.</summary>
public sealed class SnapshotVersionsTests
{
    private static readonly LearningOptions Options =
        new() { MinibatchSize = 100, Recursion = Recursion.Statistics, Initialization = new() { Buffer = 300 } };

    [Fact]
    public void Write_NumbersAlone_AddsNothingToTheSignature()
    {
        JsonNode json = JsonNode.Parse(Json(Gaussian(RecordSchema.OfNumbers(2))))!;
        Assert.Equal("1.1", json["format_version"]!.GetValue<string>());
        Assert.Equal(["features", "outputs"], json["signature"]!.AsObject().Select(member => member.Key));
        Assert.Null(json["training"]!["warning_kinds"]);
    }

    [Fact]
    public void WriteAndRead_KeyAndTimestamp_AreKept()
    {
        string json = Json(Gaussian(RecordSchema.OfNumbers(2) with { Key = "device", Timestamp = "at" }));
        Assert.Equal(["features", "key", "timestamp", "outputs"],
            JsonNode.Parse(json)!["signature"]!.AsObject().Select(member => member.Key));
        ModelSnapshot back = Read(json);
        Assert.Equal(("device", "at", null), (back.Schema.Key, back.Schema.Timestamp, back.Schema.Target));
        Assert.Equal(json, Json(back));
    }

    [Fact]
    public void Write_Target_IsInTheSignatureAndRefusedByAModelWithoutOne()
    {
        LearnedModel learned = Gaussian(RecordSchema.OfNumbers(2));
        string json = Json(learned with { Schema = learned.Schema with { Target = "y" } });
        Assert.Equal("y", JsonNode.Parse(json)!["signature"]!["target"]!.GetValue<string>());
        Assert.Contains("gaussian_mixture does not use a target", Assert.Throws<InvalidDataException>(() => Read(json)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void WriteAndRead_Levels_AreInTheSignatureByFeature()
    {
        LearnedModel learned = Categorical(maxLevels: 256);
        string json = Json(learned);
        JsonNode levels = JsonNode.Parse(json)!["signature"]!["levels"]!;
        Assert.Equal(["colour", "size"], levels.AsObject().Select(member => member.Key));
        Assert.Equal(learned.Space.Features[0].Levels, levels["colour"]!.AsArray().Select(level => level!.GetValue<string>()));
        ModelSnapshot back = Read(json);
        Assert.Equal([FeatureKind.Level, FeatureKind.Level], back.Schema.Kinds);
        Assert.Equal(learned.Space.Features[1].Levels, back.Space.Features[1].Levels);
        Assert.Equal(json, Json(back));

        Minibatch records = LevelRecords.Texts(LevelRecords.Codes(2, 200, 5, 0.1));
        double[] a = new double[200], b = new double[200];
        new Scorer(learned).Score(records, a, new double[400], new double[200]);
        new Scorer(back).Score(records, b, new double[400], new double[200]);
        Assert.Equal(a, b);
    }

    [Theory]
    [InlineData("levels.size", null, "The levels of feature 'size' are missing.")]
    [InlineData("levels", null, "The levels of feature 'colour' are missing.")]
    [InlineData("levels.size", "[\"a\"]", "expected [2, 1]")]
    public void Read_LevelsThatDoNotFit_AreRefused(string path, string? value, string expected)
    {
        JsonNode root = JsonNode.Parse(Json(Categorical(maxLevels: 256)))!, parent = root["signature"]!;
        string[] parts = path.Split('.');
        foreach (string part in parts[..^1]) parent = parent[part]!;
        if (value is null) parent.AsObject().Remove(parts[^1]);
        else parent[parts[^1]] = JsonNode.Parse(value);
        Assert.Contains(expected, Assert.Throws<InvalidDataException>(() => Read(root.ToJsonString())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ReadInitialParameters_Levels_OfASnapshotOrBesideTheParameters()
    {
        LearnedModel learned = Categorical(maxLevels: 256);
        InitialParameters fromSnapshot = SnapshotReader.ReadInitialParameters(Encoding.UTF8.GetBytes(Json(learned)));
        Assert.Equal(learned.Space.Features[0].Levels, fromSnapshot.Levels["colour"]);
        InitialParameters written = SnapshotReader.ReadInitialParameters(
            """{"parameters": {"weights": [1]}, "levels": {"colour": ["red", 7, 1.50, "7"]}}"""u8.ToArray());
        Assert.Equal(["red", "7", "1.50", "7"], written.Levels["colour"]);
        Assert.Empty(SnapshotReader.ReadInitialParameters("""{"parameters": {"weights": [1]}}"""u8.ToArray()).Levels);

        // A learner goes on from a snapshot: the same density of the same texts.
        Minibatch records = LevelRecords.Texts(LevelRecords.Codes(2, 100, 6));
        LearnedModel next = Streams.Snapshot(Streams.Learn(learned.Options, Options, records, from: fromSnapshot, schema: learned.Schema));
        double[] densities = new double[100];
        new Scorer(learned).Score(records, densities, new double[200], new double[100]);
        double mean = Enumerable.Range(0, 100).Sum(row => records.Weight(row) * densities[row]) / records.TotalWeight;
        Assert.Equal(mean, next.Training.MeanLogLikelihood, 1e-10);
    }

    [Fact]
    public void WriteAndRead_Warnings_KeepTheirKinds()
    {
        LearnedModel learned = Categorical(maxLevels: 2);
        Assert.Equal(2, learned.Training.Warnings.Count);
        string json = Json(learned);
        JsonArray kinds = JsonNode.Parse(json)!["training"]!["warning_kinds"]!.AsArray();
        Assert.Equal(["unknown_levels", "unknown_levels"], kinds.Select(kind => kind!.GetValue<string>()));
        ModelSnapshot back = Read(json);
        Assert.Equal(Said(learned), Said(back));
        // Of a later version, or of one before.
        JsonNode root = JsonNode.Parse(json)!;
        root["training"]!["warning_kinds"] = new JsonArray("of_a_later_version");
        Assert.Equal([ModelWarningKind.Other, ModelWarningKind.Other],
            Read(root.ToJsonString()).Training.Warnings.Select(warning => warning.Kind));
    }

    [Fact]
    public void Read_EveryKindOfWarning_IsFoundByItsName()
    {
        LearnedModel learned = Gaussian(RecordSchema.OfNumbers(2));
        ModelWarning[] warnings = [.. Enum.GetValues<ModelWarningKind>().Select(kind => new ModelWarning(kind, $"about {kind}"))];
        ModelSnapshot back =
            Read(Json(learned with { Training = learned.Training with { Warnings = warnings, Status = TrainingReport.Degenerate } }));
        Assert.Equal(warnings, back.Training.Warnings);
        Assert.Equal("degenerate", back.Training.Status);
    }

    [Fact]
    public void Read_DocumentOf010_IsWhatItSays()
    {
        string json = File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Data", "snapshots-0.1.0.ndjson")).Last();
        JsonNode written = JsonNode.Parse(json)!;
        Assert.Equal("1.0", written["format_version"]!.GetValue<string>());
        ModelSnapshot read = Read(json);
        Assert.Equal(("full", "gaussian_mixture", 11L), (read.ModelId, read.Options.Type, read.Version));
        Assert.Equal(["temperature", "pressure", "speed"], read.Features);
        Assert.Equal(["idle", "busy", "hot"], read.Labels);
        Assert.Empty(read.Schema.Kinds);
        Assert.Equal(ModelWarningKind.Other, Assert.Single(read.Training.Warnings).Kind);
        Assert.Equal(TrainingReport.Ok, read.Training.Status);
        Assert.Equal(written["health"]!["min_covariance_eigenvalue"]!.GetValue<double>(), read.Health[CovarianceHealth.SmallestEigenvalue]);
        // Written again it is of this version; all else is as it was, to the byte.
        JsonNode again = JsonNode.Parse(Json(read))!;
        again["format_version"] = "1.0";
        again["training"]!.AsObject().Remove("warning_kinds");
        // Settings that release did not have are at their defaults.
        JsonObject options = again["model"]!["options"]!.AsObject();
        foreach ((string name, string value) in
            new[] { ("prior", "none"), ("label_noise", "none"), ("quantize", "false"), ("fixed", "[]") })
        {
            Assert.Equal(value, options[name]!.GetValue<string>());
            options.Remove(name);
        }
        Assert.Equal(written.ToJsonString(), again.ToJsonString());
    }

    private static LearnedModel Gaussian(RecordSchema schema) =>
        Streams.Snapshot(Streams.Learn(Gaussians.Mixture(2), Options, Gaussians.Three.Draw(500, 1), schema: schema));

    private static LearnedModel Categorical(int maxLevels) => Streams.Snapshot(Streams.Learn(
        ModelCatalog.MixtureOf(new CategoricalOptions { MaxLevels = maxLevels }, 2), Options,
        LevelRecords.Texts(LevelRecords.Codes(2, 600, 4)),
        schema: new RecordSchema { Features = ["colour", "size"] }));

    private static IEnumerable<(ModelWarningKind Kind, string Text)> Said(LearnedModel learned) =>
        learned.Training.Warnings.Select(warning => (warning.Kind, warning.Text));

    private static string Json(LearnedModel learned)
    {
        var buffer = new ArrayBufferWriter<byte>();
        ModelSnapshot snapshot = learned as ModelSnapshot
            ?? new ModelSnapshot(learned, new SnapshotOrigin("m", "r", "sha256:0", DateTimeOffset.UnixEpoch));
        SnapshotJson.Write(snapshot, buffer);
        using (JsonDocument.Parse(buffer.WrittenMemory)) return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static ModelSnapshot Read(string json) => SnapshotReader.Read(Encoding.UTF8.GetBytes(json));
}
