using System.Text.Json;
using StreamEm.Sources;
using StreamEm.Worker.Rejections;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Rejections;

public sealed class RejectedFileTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly ListLogger _log = new();

    private string Path => _directory["out/rejected.ndjson"];

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Write_Record_IsOneLineWithEverythingToFindIt()
    {
        Write(length: null, new RejectedRecord(RejectionReason.JsonSyntax, "found '}'", "a.ndjson", 17, "{\"x\": 1}}\n\"ä\"", 0));

        JsonElement line = JsonDocument.Parse(Assert.Single(File.ReadAllLines(Path))).RootElement;
        Assert.Equal(
            ("json_syntax", "found '}'", "a.ndjson", 17L, "{\"x\": 1}}\n\"ä\""),
            (line.GetProperty("reason").GetString(), line.GetProperty("detail").GetString(), line.GetProperty("partition").GetString(),
                line.GetProperty("offset").GetInt64(), line.GetProperty("text").GetString()));
    }

    [Fact]
    public void Open_AtACheckpointsLength_CutsWhatCameAfterIt()
    {
        long length = Write(length: null, Record(1));
        Write(length, Record(2), Record(3));

        Write(length, Record(2));

        Assert.Equal([1L, 2L], Offsets());
    }

    [Fact]
    public void Open_WithoutACheckpoint_Appends()
    {
        Write(length: null, Record(1));
        Write(length: null, Record(2));

        Assert.Equal([1L, 2L], Offsets());
    }

    [Fact]
    public void Open_FileShorterThanTheCheckpointSays_GoesOnAndSaysSo()
    {
        Write(length: 1000, Record(1));

        Assert.Equal([1L], Offsets());
        Assert.Contains("rejected_file_short", _log.Events);
    }

    [Fact]
    public void MakeDurable_AfterFlush_LeavesEveryLineAndItsFilesNameOnDisk()
    {
        using var record = new DiskRecord(_directory);
        var disk = new FragileDisk(_directory.Path);
        record.Before = disk.Take;
        using RejectedFile file = RejectedFile.Open(Path, length: null, _log);

        for (int lines = 1; lines <= 3; lines++)
        {
            file.Write(Record(lines));
            file.Flush();
            file.MakeDurable();
            Assert.Equal(file.Length, disk.Remains()["out/rejected.ndjson"].Length);
        }
    }

    private long Write(long? length, params RejectedRecord[] records)
    {
        using RejectedFile file = RejectedFile.Open(Path, length, _log);
        foreach (RejectedRecord record in records) file.Write(record);
        return file.Length;
    }

    private IEnumerable<long> Offsets() =>
        File.ReadAllLines(Path).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("offset").GetInt64());

    private static RejectedRecord Record(long offset) =>
        new(RejectionReason.CsvColumns, "3 columns, expected 2", "a.csv", offset, "1,2,3", 0);
}
