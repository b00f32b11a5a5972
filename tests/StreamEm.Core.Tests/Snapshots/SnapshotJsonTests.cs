using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Learning;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Snapshots;

public sealed class SnapshotJsonTests
{
    [Theory]
    [InlineData(CovarianceType.Full, "3,2,2")]
    [InlineData(CovarianceType.Tied, "2,2")]
    [InlineData(CovarianceType.Diag, "3,2")]
    [InlineData(CovarianceType.Spherical, "3")]
    public void WriteAndRead_EveryCovarianceType_KeepsEveryBit(CovarianceType type, string shape)
    {
        ModelSnapshot snapshot = Snapshot(type);
        string json = Json(snapshot);
        ModelSnapshot back = SnapshotReader.Read(Encoding.UTF8.GetBytes(json));
        Assert.Equal(snapshot.Parameters, back.Parameters);
        Assert.Equal(snapshot.Space.Scale, back.Space.Scale);
        Assert.Equal(snapshot.Calibration!.Quantiles, back.Calibration!.Quantiles);
        Assert.Equal(json, Json(back));
        JsonNode covariances = JsonNode.Parse(json)!["parameters"]!["covariances"]!;
        Assert.Equal(shape, string.Join(',', covariances["shape"]!.AsArray().Select(extent => extent!.GetValue<int>())));
    }

    [Fact]
    public void Scorer_SnapshotReadBack_ScoresToTheSameBits()
    {
        ModelSnapshot snapshot = Snapshot(CovarianceType.Full), back = SnapshotReader.Read(Encoding.UTF8.GetBytes(Json(snapshot)));
        Minibatch rows = Gaussians.Three.Draw(300, 2, 0.2);
        double[] a = new double[300], b = new double[300], scoresA = new double[300], scoresB = new double[300];
        new Scorer(snapshot).Score(rows, a, new double[900], scoresA);
        new Scorer(back).Score(rows, b, new double[900], scoresB);
        Assert.Equal(a, b);
        Assert.Equal(scoresA, scoresB);
    }

    /// <summary>The calibration of records with values missing is in the snapshot too.</summary>
    [Fact]
    public void Scorer_SnapshotOfAStreamWithValuesMissing_ScoresToTheSameBits()
    {
        var options = new LearningOptions { MinibatchSize = 500, Initialization = new() { Buffer = 500 } };
        Learner learner = Streams.Learn(Gaussians.Mixture(3), options, Gaussians.Three.Draw(10_000, 1, 0.2));
        var snapshot = new ModelSnapshot(Streams.Snapshot(learner), new SnapshotOrigin("m", "r", "sha256:0", DateTimeOffset.UnixEpoch));
        ModelSnapshot back = SnapshotReader.Read(Encoding.UTF8.GetBytes(Json(snapshot)));
        Assert.Equal(Json(snapshot), Json(back));
        Assert.Equal(3, back.Calibration!.Patterns.Count);
        Minibatch rows = Gaussians.Three.Draw(300, 2, 0.3);
        double[] scores = new double[300], again = new double[300];
        new Scorer(snapshot).Score(rows, new double[300], new double[900], scores);
        new Scorer(back).Score(rows, new double[300], new double[900], again);
        Assert.Equal(scores, again);
    }

    [Theory]
    [InlineData("format", "\"other\"", "'format' is 'other'; expected 'streamem.snapshot'")]
    [InlineData("format_version", "\"2.0\"", "'format_version' is '2.0'; this program reads 1.x")]
    [InlineData("version", "\"x\"", "Not a valid snapshot")]
    [InlineData("parameters", "{}", "'weights' is missing")]
    [InlineData("parameters", "{\"weights\":{\"shape\":[2],\"data\":[0.5,0.5]}}", "'weights' has shape [2]; expected [3]")]
    [InlineData("parameters.weights.data", "[0.5,0.6,0.7]", "The numbers of the weights sum to 1.8; expected 1")]
    [InlineData("parameters.weights.data", "[0.5,0.5]", "An array has 2 numbers; expected 3")]
    [InlineData("parameters.covariances.data", "[1,2,2,1,1,0,0,1,1,0,0,1]", "Covariance of component 0 is not positive definite")]
    [InlineData("standardization.scale", "[0,1]", "scale 0; expected a finite location and a positive scale")]
    public void Read_InvalidSnapshot_SaysWhatIsWrong(string path, string value, string expected)
    {
        JsonNode root = JsonNode.Parse(Json(Snapshot(CovarianceType.Full)))!;
        string[] parts = path.Split('.');
        JsonNode parent = root;
        foreach (string part in parts[..^1]) parent = parent[part]!;
        parent[parts[^1]] = JsonNode.Parse(value);
        var error = Assert.Throws<InvalidDataException>(() => SnapshotReader.Read(Encoding.UTF8.GetBytes(root.ToJsonString())));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WriteAndRead_HowRecordsAreWritten_IsKept()
    {
        ModelSnapshot plain = Snapshot(CovarianceType.Diag);
        Assert.DoesNotContain("missing_values", Json(plain), StringComparison.Ordinal);
        Assert.DoesNotContain("\"csv\":", Json(plain), StringComparison.Ordinal);
        var csv = new CsvDialect { Separator = '\t', Decimal = ',', Comment = "#", SkipLines = 2, Columns = ["t", "a", "b"] };
        ModelSnapshot said = plain with
        {
            Schema = plain.Schema with { MissingValues = ["-999", "?!"], TimestampUnit = TimestampUnit.Ns, Csv = csv },
        };
        RecordSchema back = SnapshotReader.Read(Encoding.UTF8.GetBytes(Json(said))).Schema;
        Assert.Equal(["-999", "?!"], back.MissingValues);
        Assert.Equal(TimestampUnit.Ns, back.TimestampUnit);
        Assert.Equal(csv with { Columns = null }, back.Csv with { Columns = null });
        Assert.Equal(csv.Columns, back.Csv.Columns);
        Assert.True(SnapshotReader.Read(Encoding.UTF8.GetBytes(Json(plain))).Schema.Csv.IsFound);
    }

    [Theory]
    [InlineData("timestamp_unit", "\"fortnight\"", "'timestamp_unit' is none of auto, s, ms, us, ns")]
    [InlineData("csv", "{\"separator\":\"ab\"}", "'csv.separator' is no character that could be one")]
    [InlineData("csv", "{\"decimal\":\"7\"}", "'csv.decimal' is no character that could be one")]
    [InlineData("csv", "{\"skip_lines\":-1}", "'csv.skip_lines' is negative")]
    [InlineData("csv", "7", "Not a valid snapshot")]
    public void Read_SpellingThatCannotBe_IsRefused(string name, string value, string expected)
    {
        JsonNode root = JsonNode.Parse(Json(Snapshot(CovarianceType.Full)))!;
        root["signature"]![name] = JsonNode.Parse(value);
        var error = Assert.Throws<InvalidDataException>(() => SnapshotReader.Read(Encoding.UTF8.GetBytes(root.ToJsonString())));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_CutAnywhere_IsRefused()
    {
        byte[] json = Encoding.UTF8.GetBytes(Json(Snapshot(CovarianceType.Diag)));
        for (int length = 0; length < json.Length; length += 13)
            Assert.Throws<InvalidDataException>(() => SnapshotReader.Read(json.AsMemory(0, length)));
    }

    [Fact]
    public void ReadInitialParameters_NestedArraysOrShapes_AreTheSame()
    {
        byte[] nested = """{"parameters":{"weights":[0.4,0.6],"means":[[0,1],[2,3]]}}"""u8.ToArray();
        byte[] shaped = """{"parameters":{"weights":{"shape":[2],"data":[0.4,0.6]},"means":{"shape":[2,2],"data":[0,1,2,3]}}}"""u8
            .ToArray();
        Assert.Equal(SnapshotReader.ReadInitialParameters(nested).Blocks["means"],
            SnapshotReader.ReadInitialParameters(shaped).Blocks["means"]);
    }

    private static ModelSnapshot Snapshot(CovarianceType type)
    {
        Minibatch rows = Gaussians.Three.Draw(1200, 1), scaled = new(2);
        for (int row = 0; row < rows.Count; row++) scaled.Add([rows.Row(row)[0] * 3, rows.Row(row)[1] - 7]);
        var options = new LearningOptions { MinibatchSize = 200, Initialization = new() { Buffer = 400 } };
        Learner learner = Streams.Learn(Gaussians.Mixture(3, type), options, scaled);
        return new ModelSnapshot(Streams.Snapshot(learner), new SnapshotOrigin("m", "r", "sha256:0", DateTimeOffset.UnixEpoch)
        {
            Source = new Dictionary<string, long>(StringComparer.Ordinal) { ["a.csv"] = 12 },
        });
    }

    private static string Json(ModelSnapshot snapshot)
    {
        var buffer = new ArrayBufferWriter<byte>();
        SnapshotJson.Write(snapshot, buffer);
        using (JsonDocument.Parse(buffer.WrittenMemory)) return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
