using System.Text;
using System.Text.Json;
using StreamEm.Sources;
using StreamEm.Worker.Checkpoints;

namespace StreamEm.Worker.Tests.Checkpoints;

public sealed class SavedPositionTests
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull,
        Converters = { new SavedPositionConverter() },
    };

    [Fact]
    public void Write_FilesWithTheSameColumns_WritesThemOnceAndReadsThemBack()
    {
        string[] one = ["time", "temperature"], other = ["a"];
        var position = new SourcePosition();
        for (int file = 0; file < 100; file++)
            position.Set($"f{file}", new PartitionPosition(file, $"id{file}") { File = new PartitionFile(file == 50 ? other : [.. one]) });
        position.Set("sensors/0", new PartitionPosition(9) { End = 10, Skipped = 2, Turn = new PartitionTurn(3, 4, true) });
        position.Set("gone", new PartitionPosition(1) { File = new PartitionFile(null, true, 7) });

        string text = JsonSerializer.Serialize(position, Json);
        SourcePosition read = JsonSerializer.Deserialize<SourcePosition>(text, Json)!;

        Assert.Equal(2, text.Split("temperature").Length);
        Assert.Equal(position.Partitions.Keys, read.Partitions.Keys);
        foreach ((string name, PartitionPosition expected) in position.Partitions)
        {
            PartitionPosition found = read.Partitions[name];
            Assert.Equal(expected with { File = null }, found with { File = null });
            Assert.Equal(expected.File?.Columns, found.File?.Columns);
            Assert.Equal((expected.File?.HasNoHeader, expected.File?.Gone), (found.File?.HasNoHeader, found.File?.Gone));
        }

        Assert.Same(read.Partitions["f1"].File!.Columns, read.Partitions["f99"].File!.Columns);
    }

    /// <summary>As releases before wrote it.</summary>
    [Fact]
    public void Read_ColumnsOfEveryFile_AreTheirs()
    {
        SourcePosition read = JsonSerializer.Deserialize<SourcePosition>(
            """{"a":{"next":5,"file":{"columns":["x"]}},"b":{"next":6,"file":{"columns":["x"]}}}""", Json)!;
        Assert.All(read.Partitions.Values, position => Assert.Equal(["x"], position.File!.Columns!));
    }

    [Fact]
    public void Read_ColumnsOfAFileThatHasNone_AreDamage() => Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<SourcePosition>(
        Encoding.UTF8.GetBytes("""{"a":{"next":5,"file":{"columns_of":"b"}}}"""), Json));
}
