using System.Globalization;
using System.Text;
using StreamEm.Core.Features;
using StreamEm.Sources.Decoding;
using StreamEm.Sources.Files;
using StreamEm.Sources.Tests.Contracts;

namespace StreamEm.Sources.Tests.Files;

public sealed class FileSourceTests : IDisposable
{
    private static readonly RecordSchema Schema = new() { Features = ["a"] };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private FileSource Open(SourcePosition? start = null, RecordFormat format = RecordFormat.Csv, int buffer = 4096,
        params string[] names) =>
        new(new FileSourceOptions { Path = [.. names.Select(_folder.File)], Format = format, BufferBytes = buffer },
            new SourceContext(Schema, start ?? new SourcePosition(), TimeProvider.System));

    private async Task<string> ValuesAsync(SourcePosition? start, params string[] names)
    {
        await using FileSource source = Open(start, names: names);
        var values = new StringBuilder();
        var batch = new RecordBatch(1, 3);
        while (await source.ReadAsync(batch, TestContext.Current.CancellationToken))
        {
            if (batch.Count == 0) continue;
            values.Append(Path.GetFileName(batch.PartitionName)).Append(':').AppendJoin(',', batch.Records.Values.ToArray()).Append(' ');
        }
        return values.ToString().TrimEnd();
    }

    [Fact]
    public async Task ReadAsync_SeveralFiles_OneAfterTheOtherAndNeverMixed()
    {
        _folder.Write("b.csv", "a\n1\n2\n");
        _folder.Write("a.csv", "x,a\n0,3\n0,4\n0,5\n0,6");
        _folder.Write("empty.csv", "");
        _folder.WriteGzip("c.csv.gz", "a\n7\n");
        Assert.Equal("b.csv:1,2 a.csv:3,4,5 a.csv:6 c.csv.gz:7", await ValuesAsync(null, "b.csv", "*.csv*"));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(1000)]
    public async Task Offset_OfEveryRecord_IsWhereItsLineBegins(int capacity)
    {
        string[] lines = ["a", .. Enumerable.Range(0, 500).Select(at => at % 7 == 3 ? "bad" : $"{at}"), ""];
        string text = string.Join('\n', lines);
        _folder.Write("a.csv", text);
        await using FileSource source = Open(buffer: 64, names: "a.csv");
        var batch = new RecordBatch(1, capacity);
        int seen = 0;
        while (await source.ReadAsync(batch, TestContext.Current.CancellationToken))
            for (int row = 0; row < batch.Count; row++, seen++)
                Assert.Equal($"{batch.Row(row)[0]}", text[(int)batch.Offset(row)..].Split('\n')[0]);
        Assert.Equal(lines.Count(line => int.TryParse(line, CultureInfo.InvariantCulture, out _)), seen);
        Assert.Equal(text.Length, source.Bytes);
    }

    [Fact]
    public async Task ReadAsync_SmallBuffer_GrowsForALongRecord()
    {
        string record = "\"" + new string(' ', 60_000) + "7\"";
        _folder.Write("long.csv", $"a\n1\n{record}\n2\n");
        await using FileSource source = Open(buffer: 64, names: "long.csv");
        List<ReadRecord> all = await ReadRecord.AllAsync(source, dimension: 1);
        Assert.Equal(["[1] ", "[7] ", "[2] "], all.Select(read => read.Text[..4]));
    }

    [Fact]
    public async Task ReadAsync_GrownFile_GoesOnWhereItWas()
    {
        string path = _folder.Write("a.csv", "a\n1\n2\n");
        SourcePosition position = await PositionAfterAllAsync("a.csv");
        Assert.Equal(6, position.Partitions[path].Next);
        _folder.Append("a.csv", "3\n");
        Assert.Equal("a.csv:3", await ValuesAsync(position, "a.csv"));
        Assert.Equal("", await ValuesAsync(await PositionAfterAllAsync("a.csv"), "a.csv"));
    }

    [Theory]
    [InlineData("a\n9\n2\n3\n", "no longer holds the 6 bytes that were read of it before")]
    [InlineData("a\n1\n", "no longer holds the 6 bytes")]
    public async Task ReadAsync_OtherFileUnderThePosition_IsAFailure(string text, string message)
    {
        _folder.Write("a.csv", "a\n1\n2\n");
        SourcePosition position = await PositionAfterAllAsync("a.csv");
        _folder.Write("a.csv", text);
        var failure = await Assert.ThrowsAsync<SourceException>(() => ValuesAsync(position, "a.csv"));
        Assert.Equal(SourceFailure.Changed, failure.Failure);
        Assert.Contains(message, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a.csv")]
    [InlineData("a.csv.gz")]
    public async Task ReadAsync_FileShorterThanAPositionOfAnOldState_IsAFailure(string name)
    {
        string row = new string('1', 9) + "\n", start = "a\n" + string.Concat(Enumerable.Repeat(row, 200)) + "22\n\n";
        string path = name.EndsWith(".gz", StringComparison.Ordinal) ? _folder.WriteGzip(name, start) : _folder.Write(name, start);
        using var file = new OpenFile(path);
        var position = new SourcePosition();
        position.Set(path, new PartitionPosition(3002, file.OldFingerprint()));
        var failure = await Assert.ThrowsAsync<SourceException>(() => ValuesAsync(position, name));
        Assert.Equal(SourceFailure.Changed, failure.Failure);
        Assert.Contains("no longer holds the 3002 bytes", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ReadAsync_PositionOfAnOldState_IsGoneOnFromAndSaidAnew()
    {
        string path = _folder.Write("a.csv", "a\n1\n2\n3\n");
        using var file = new OpenFile(path);
        var position = new SourcePosition();
        position.Set(path, new PartitionPosition(6, file.OldFingerprint()));
        await using FileSource source = Open(position, names: "a.csv");
        var batch = new RecordBatch(1);
        Assert.True(await source.ReadAsync(batch, TestContext.Current.CancellationToken));
        Assert.Equal([3.0], batch.Records.Values.ToArray());
        Assert.Equal(8, FileIdentity.Parse(batch.EndPosition.Identity!)!.Value.Text.Length);
    }

    [Theory]
    [InlineData("none.csv", "There is no file '")]
    [InlineData("none*.csv", "No file matches '")]
    [InlineData("", "is a folder; name its files, for example '")]
    public async Task ReadAsync_NothingThere_IsAFailure(string name, string message)
    {
        var failure = await Assert.ThrowsAsync<SourceException>(() => ValuesAsync(null, name));
        Assert.Equal(SourceFailure.Missing, failure.Failure);
        Assert.Contains(message, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ReadAsync_HeaderWithoutTheColumn_NamesFileAndColumns()
    {
        string path = _folder.Write("a.csv", "b,A\n1,2\n");
        var failure = await Assert.ThrowsAsync<SourceException>(() => ValuesAsync(null, "a.csv"));
        Assert.Equal($"'{path}' has no column 'a'. Did you mean 'A'? Its columns are: b, A.", failure.Message);
    }

    [Theory]
    [InlineData("a.csv.gz", 1)]
    [InlineData("a.csv.gz", 9)]
    [InlineData("a.csv.gz", 500)]
    [InlineData("a.csv.zst", 1)]
    [InlineData("a.csv.zst", 9)]
    [InlineData("a.csv.zst", 500)]
    public async Task ReadAsync_CompressedFileCutOff_IsAFailureNotAnEnd(string name, int missing)
    {
        string text = "a\n" + string.Concat(Enumerable.Range(0, 5000).Select(i => $"{i * 7919 % 5003}\n"));
        File.WriteAllBytes(_folder.File(name), FollowedFolder.Compressed(text, name)[..^missing]);
        var failure = await Assert.ThrowsAsync<SourceException>(() => ValuesAsync(null, name));
        Assert.Equal(SourceFailure.Changed, failure.Failure);
        Assert.Contains($"{name}' cannot be read at byte ", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ReadAsync_GzipFollowedBySomethingElse_IsAFailure()
    {
        string path = _folder.WriteGzip("a.csv.gz", "a\n1\n");
        File.WriteAllBytes(path, [.. File.ReadAllBytes(path), 0, 0, 0, 0]);
        var failure = await Assert.ThrowsAsync<SourceException>(() => ValuesAsync(null, "a.csv.gz"));
        Assert.Equal($"'{path}' cannot be read at byte 0: the compressed data is cut off or followed by something else", failure.Message);
    }

    [Fact]
    public async Task ReadAsync_GzipOfSeveralMembers_IsReadToTheEnd()
    {
        string first = _folder.WriteGzip("1.gz", "a\n1\n2"), second = _folder.WriteGzip("2.gz", "3\n4\n");
        File.WriteAllBytes(_folder.File("a.csv.gz"), [.. File.ReadAllBytes(first), .. File.ReadAllBytes(second)]);
        Assert.Equal("a.csv.gz:1,23,4", await ValuesAsync(null, "a.csv.gz"));
    }

    [Fact]
    public async Task ReadAsync_ZstdOfSeveralFrames_IsReadToTheEnd()
    {
        byte[] first = FollowedFolder.Compressed("a\n1\n2", "1.zst"), second = FollowedFolder.Compressed("3\n4\n", "2.zst");
        // Between them a frame that is to be passed over (RFC 8878, section 3.1.2).
        File.WriteAllBytes(_folder.File("a.csv.zst"), [.. first, 0x50, 0x2A, 0x4D, 0x18, 2, 0, 0, 0, 9, 9, .. second]);
        Assert.Equal("a.csv.zst:1 a.csv.zst:23,4", await ValuesAsync(null, "a.csv.zst"));
    }

    [Fact]
    public async Task ReadAsync_ZstdFollowedBySomethingElse_IsAFailure()
    {
        File.WriteAllBytes(_folder.File("a.csv.zst"), [.. FollowedFolder.Compressed("a\n1\n", "a.zst"), 7, 7, 7, 7, 7, 7]);
        var failure = await Assert.ThrowsAsync<SourceException>(() => ValuesAsync(null, "a.csv.zst"));
        Assert.Equal(SourceFailure.Changed, failure.Failure);
        Assert.Contains("damaged or followed by something else", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ReadAsync_LargeFile_AllocatesByTheBatchNotByTheRecord()
    {
        const int Records = 200_000;
        var text = new StringBuilder("a\n");
        for (int i = 0; i < Records; i++) text.Append(i).Append(".25\n");
        _folder.Write("a.csv", text.ToString());
        await using FileSource source = Open(buffer: 65_536, names: "a.csv");
        var batch = new RecordBatch(1, 1024);
        int batches = 0;
        long records = 0, before = 0;
        while (await source.ReadAsync(batch, TestContext.Current.CancellationToken))
        {
            records += batch.Count;
            if (++batches == 50) before = GC.GetAllocatedBytesForCurrentThread();
        }
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Equal(Records, records);
        // A position object a batch, and in a build without optimisation the state of ReadAsync: far less than a byte a record.
        Assert.InRange(allocated, 0, Records / 2);
    }

    private async Task<SourcePosition> PositionAfterAllAsync(params string[] names)
    {
        await using FileSource source = Open(names: names);
        var position = new SourcePosition();
        var batch = new RecordBatch(1);
        while (await source.ReadAsync(batch, TestContext.Current.CancellationToken))
            position.Set(batch.PartitionName, new PartitionPosition(batch.EndOffset, batch.Identity));
        return position;
    }
}
