using System.Text.Json;
using StreamEm.Sources;
using StreamEm.Worker.Failures;
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
        Write(mark: null, new RejectedRecord(RejectionReason.JsonSyntax, "found '}'", "a.ndjson", 17, "{\"x\": 1}}\n\"ä\"", 0));

        JsonElement line = JsonDocument.Parse(Assert.Single(File.ReadAllLines(Path))).RootElement;
        Assert.Equal(
            ("json_syntax", "found '}'", "a.ndjson", 17L, "{\"x\": 1}}\n\"ä\""),
            (line.GetProperty("reason").GetString(), line.GetProperty("detail").GetString(), line.GetProperty("partition").GetString(),
                line.GetProperty("offset").GetInt64(), line.GetProperty("text").GetString()));
    }

    [Fact]
    public void Open_LinkToAFileThatIsNotThereYet_MakesThatFile()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Links need rights on Windows.");
        Directory.CreateDirectory(_directory["out"]);
        File.CreateSymbolicLink(Path, _directory["out/today.ndjson"]);

        Write(mark: null, Record(1));

        Assert.Single(File.ReadAllLines(_directory["out/today.ndjson"]));
    }

    [Fact]
    public void Open_WhileAnotherWritesIt_IsRefusedWith73AndReadersAreNot()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux has locks of open files.");
        using (RejectedFile.Open(Path, mark: null, _log))
        {
            CommandException refusal = Assert.Throws<CommandException>(() => RejectedFile.Open(Path, mark: null, _log));
            Assert.Equal(ExitCode.CannotCreate, refusal.ExitCode);
            Assert.Contains("is written by another streamem", refusal.Message, StringComparison.Ordinal);
            using FileStream reader = File.OpenRead(Path);
        }

        RejectedFile.Open(Path, mark: null, _log).Dispose();
    }

    [Fact]
    public void Open_AtACheckpointsLength_CutsWhatCameAfterIt()
    {
        RejectedFileMark mark = Write(mark: null, Record(1));
        Write(mark, Record(2), Record(3));

        Write(mark, Record(2));

        Assert.Equal([1L, 2L], Offsets());
    }

    [Fact]
    public void Open_WithoutACheckpoint_Appends()
    {
        Write(mark: null, Record(1));
        Write(mark: null, Record(2));

        Assert.Equal([1L, 2L], Offsets());
    }

    [Fact]
    public void Open_FileShorterThanTheCheckpointSays_GoesOnAndSaysSo()
    {
        Write(new RejectedFileMark(1000, "1:2/3"), Record(1));

        Assert.Equal([1L], Offsets());
        Assert.Contains("rejected_file_short", _log.Events);
    }

    [Fact]
    public void MakeDurable_AfterFlush_LeavesEveryLineAndItsFilesNameOnDisk()
    {
        using var record = new DiskRecord(_directory);
        var disk = new FragileDisk(_directory.Path);
        record.Before = disk.Take;
        using RejectedFile file = RejectedFile.Open(Path, mark: null, _log);

        for (int lines = 1; lines <= 3; lines++)
        {
            file.Write(Record(lines));
            file.Flush();
            file.MakeDurable();
            Assert.Equal(file.Mark!.Length, disk.Remains()["out/rejected.ndjson"].Length);
        }
    }

    [Fact]
    public void Open_AtTheLengthOfAnotherFile_CutsNothing()
    {
        RejectedFileMark other = WriteTo(_directory["other.ndjson"], mark: null, Record(1), Record(2));
        RejectedFileMark none = WriteTo(_directory["none.ndjson"], mark: null);
        Write(mark: null, Record(7), Record(8), Record(9));

        Write(other, Record(3));
        Assert.Equal([7L, 8L, 9L, 3L], Offsets());
        Assert.Contains("rejected_file_other", _log.Events);

        Write(none, Record(4));
        Assert.Equal([7L, 8L, 9L, 3L, 4L], Offsets());
    }

    [Fact]
    public void Open_BeforeTheFirstRecord_CutsTheVeryFileToNothing()
    {
        RejectedFileMark mark = Write(mark: null);
        Write(mark, Record(1));

        Write(mark, Record(2));

        Assert.Equal([2L], Offsets());
    }

    [Fact]
    public void Open_CopyOfTheFile_IsCutWhereTheCheckpointSays()
    {
        RejectedFileMark mark = Write(mark: null, Record(1));
        Write(mark, Record(2));
        File.Copy(Path, _directory["copy.ndjson"]);
        File.Move(_directory["copy.ndjson"], Path, overwrite: true);

        Write(mark, Record(3));

        Assert.Equal([1L, 3L], Offsets());
    }

    [Fact]
    public void Open_LengthOfAnOldState_IsTakenWhereALineEnds()
    {
        long length = Write(mark: null, Record(1)).Length;
        Write(mark: null, Record(2));

        Write(new RejectedFileMark(length - 1, null), Record(3));
        Assert.Equal([1L, 2L, 3L], Offsets());

        Write(new RejectedFileMark(length, null), Record(4));
        Assert.Equal([1L, 4L], Offsets());

        Write(new RejectedFileMark(0, null), Record(5));
        Assert.Equal([1L, 4L, 5L], Offsets());
    }

    [Theory]
    [InlineData("{\"x\": 1}\n{\"x\": 2}")]
    [InlineData("x\n1\n")]
    [InlineData("{\"reason\":\"json_syntax\"}\nx")]
    public void Open_FileOfAnotherKind_IsRefusedAndLeftAsItIs(string text)
    {
        Directory.CreateDirectory(_directory["out"]);
        File.WriteAllText(Path, text);

        foreach (RejectedFileMark? mark in (RejectedFileMark?[])[null, new RejectedFileMark(0, null), new RejectedFileMark(0, "1:2/3")])
            Assert.Equal(ExitCode.CannotCreate, Assert.Throws<CommandException>(() => Write(mark, Record(1))).ExitCode);
        Assert.Equal(text, File.ReadAllText(Path));
    }

    [Fact]
    public void Open_HalfALineOfOurs_IsMended()
    {
        RejectedFileMark mark = Write(mark: null, Record(1));
        File.AppendAllText(Path, "{\"reason\":\"json_sy");

        Write(mark: null, Record(2));
        Assert.Equal([1L, 2L], Offsets());

        File.AppendAllText(Path, "{\"rea");
        Write(mark, Record(3));
        Assert.Equal([1L, 3L], Offsets());
    }

    private RejectedFileMark Write(RejectedFileMark? mark, params RejectedRecord[] records) => WriteTo(Path, mark, records);

    private RejectedFileMark WriteTo(string path, RejectedFileMark? mark, params RejectedRecord[] records)
    {
        using RejectedFile file = RejectedFile.Open(path, mark, _log);
        foreach (RejectedRecord record in records) file.Write(record);
        return file.Mark!;
    }

    private IEnumerable<long> Offsets() =>
        File.ReadAllLines(Path).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("offset").GetInt64());

    private static RejectedRecord Record(long offset) =>
        new(RejectionReason.CsvColumns, "3 columns, expected 2", "a.csv", offset, "1,2,3", 0);
}
