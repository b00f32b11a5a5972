namespace StreamEm.Sources.Tests.Files;

/// <summary>Every record of files that are renamed, copied, truncated, compressed and replaced, once.</summary>
public sealed class RotationTests : IAsyncDisposable
{
    private readonly FollowedFolder _folder = new();

    public ValueTask DisposeAsync() => _folder.DisposeAsync();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task NumericRotation_IsReadOnce(bool isClosed)
    {
        _folder.Write("log.csv.1", "a\n1\n2\n");
        _folder.Write("log.csv", "a\n3\n");
        _folder.Open("log.csv*");
        Assert.Equal("3 1 2", await _folder.ReadAsync());
        if (isClosed) await _folder.CloseAsync();
        _folder.Append("log.csv", "4\n");
        _folder.Move("log.csv.1", "log.csv.2");
        _folder.Move("log.csv", "log.csv.1");
        _folder.Write("log.csv", "a\n5\n");
        if (isClosed) _folder.Open("log.csv*");
        Assert.Equal("4 5", await _folder.ReadAsync());
        Assert.Equal(["log.csv", "log.csv.1", "log.csv.2"], _folder.Partitions);
        Assert.Equal([4, 6, 6], _folder.Offsets);
        Assert.Equal("6 7", await _folder.ReadAsync(() =>
        {
            _folder.Append("log.csv", "6\n");
            _folder.Append("log.csv.1", "7\n");
        }));
    }

    [Theory]
    [InlineData("log.csv", "a\n", false, "1 2")]
    [InlineData("log.csv", "a\n", true, "1 2")]
    [InlineData("log.csv", "a\n1\n", true, "1 2 1")]
    [InlineData("log-2.csv", "a\n", true, "1 2")]
    public async Task CompressedBetweenTwoLooks_IsReadOnceThoughTheNextFileBeginsAlike(
        string next, string text, bool isLate, string learned)
    {
        _folder.Write("log.csv", "a\n");
        _folder.Open("log*");
        Assert.Equal("", await _folder.ReadAsync());
        byte[] compressed = FollowedFolder.Gzip("a\n1\n2\n");
        string read = await _folder.ReadAsync(polls: 60, change: () =>
        {
            _folder.Append("log.csv", "1\n2\n");
            if (!isLate) _folder.AppendBytes("log.csv.1.gz", compressed);
            File.Delete(_folder.File("log.csv"));
            _folder.Write(next, text);
        });
        if (isLate) Assert.Equal("", await _folder.ReadAsync(() => _folder.AppendBytes("log.csv.1.gz", compressed), polls: 60));
        Assert.Equal(learned, read);
    }

    [Fact]
    public async Task CarriedOffAndReturnedCompressed_ReadFurtherThanTheLastStartKnew_IsNotReadAgain()
    {
        _folder.Write("log.csv", "a\n1\n2\n");
        _folder.Open("log*");
        Assert.Equal("1 2", await _folder.ReadAsync());
        await _folder.CloseAsync();
        _folder.Open("log*");
        Assert.Equal("3", await _folder.ReadAsync(() => _folder.Append("log.csv", "3\n")));
        Assert.Equal("4", await _folder.ReadAsync(polls: 60, change: () =>
        {
            _folder.Move("log.csv", "elsewhere");
            _folder.Write("log.csv", "a\n4\n");
        }));
        Assert.Equal("5", await _folder.ReadAsync(polls: 60, change: () =>
        {
            _folder.Append("elsewhere", "5\n");
            _folder.Compress("elsewhere", "log.csv.1.gz");
        }));
    }

    [Fact]
    public async Task LongCommonHeader_RotatedWhileClosed_IsAnotherFile()
    {
        string header = string.Join(',', Enumerable.Range(0, 4000).Select(i => $"column_{i}").Append("a")) + "\n";
        string row = new string(',', 4000);
        _folder.Write("log.csv", $"{header}{row}1\n");
        _folder.Open("log.csv");
        Assert.Equal("1", await _folder.ReadAsync());
        await _folder.CloseAsync();
        _folder.Move("log.csv", "log.csv.1");
        _folder.Write("log.csv", $"{header}{row}2\n{row}3\n");
        _folder.Open("log.csv");
        Assert.Equal("2 3", await _folder.ReadAsync());
    }

    [Theory]
    [InlineData(true, ".gz")]
    [InlineData(false, ".gz")]
    [InlineData(true, ".zst")]
    [InlineData(false, ".zst")]
    public async Task ReadFile_CompressedLater_IsNotReadAgain(bool isClosed, string ending)
    {
        string text = "a\n" + string.Concat(Enumerable.Range(0, 40_000).Select(i => $"{i}\n"));
        _folder.Write("log.csv", text);
        _folder.Open("log.csv*");
        await _folder.ReadAsync();
        _folder.Move("log.csv", "log.csv.1");
        _folder.Write("log.csv", "a\n-1\n");
        Assert.Equal("-1", await _folder.ReadAsync());
        if (isClosed) await _folder.CloseAsync();
        _folder.Compress("log.csv.1", "log.csv.1" + ending);
        if (isClosed) _folder.Open("log.csv*");
        Assert.Equal("-2", await _folder.ReadAsync(() => _folder.Append("log.csv", "-2\n"), polls: 60));
        Assert.Equal(["log.csv", "log.csv.1" + ending], _folder.Partitions);
        await _folder.CloseAsync();
        _folder.Open("log.csv*");
        Assert.Equal("", await _folder.ReadAsync(polls: 60));
    }

    [Theory]
    [InlineData(".gz")]
    [InlineData(".zst")]
    public async Task CompressedWhileClosed_TheRestIsReadFromTheCompressedFile(string ending)
    {
        _folder.Write("log.csv", "a\n1\n2\n");
        _folder.Open("log.csv*");
        Assert.Equal("1 2", await _folder.ReadAsync());
        await _folder.CloseAsync();
        _folder.Append("log.csv", "3\n4\n");
        _folder.Compress("log.csv", "log.csv.1" + ending);
        _folder.Write("log.csv", "a\n5\n");
        _folder.Open("log.csv*");
        Assert.Equal("3 4 5", await _folder.ReadAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task CopiedAndTruncated_IsReadOnce(bool isClosed)
    {
        _folder.Write("log.csv", "a\n1\n2\n");
        _folder.Open("log.csv*");
        Assert.Equal("1 2", await _folder.ReadAsync());
        if (isClosed) await _folder.CloseAsync();
        _folder.Append("log.csv", "3\n");
        _folder.Copy("log.csv", "log.csv.1");
        if (!isClosed) Assert.Equal("3", await _folder.ReadAsync());
        _folder.Write("log.csv", "a\n4\n5\n6\n7\n");
        if (isClosed) _folder.Open("log.csv*");
        Assert.Equal(isClosed ? "3 4 5 6 7" : "4 5 6 7", await _folder.ReadAsync(polls: 60));
    }

    [Fact]
    public async Task CopiedGrownAndTruncated_TheShorterCopyIsNotReadAgain()
    {
        _folder.Write("log.csv", "a\n1\n2\n");
        _folder.Open("log.csv*");
        Assert.Equal("1 2", await _folder.ReadAsync());
        Assert.Equal("3", await _folder.ReadAsync(() =>
        {
            _folder.Copy("log.csv", "log.csv.1");
            _folder.Append("log.csv", "3\n");
        }));
        Assert.Equal("9", await _folder.ReadAsync(() => _folder.Write("log.csv", "a\n9\n"), polls: 60));
    }

    [Fact]
    public async Task ReplacedByALongerFile_IsGoneOnWith()
    {
        _folder.Write("a.csv", "a\n1\n2\n");
        _folder.Open("*.csv");
        Assert.Equal("1 2", await _folder.ReadAsync());
        Assert.Equal("3", await _folder.ReadAsync(() =>
        {
            _folder.Write("tmp", "a\n1\n2\n3\n");
            _folder.Move("tmp", "a.csv");
        }, polls: 3));
    }

    [Fact]
    public async Task FilesThatLookAlike_AreAllRead()
    {
        _folder.Write("a.csv", "a\n5\n5\n5\n");
        _folder.Write("b.csv", "a\n5\n5\n");
        _folder.Open("*.csv");
        Assert.Equal("5 5 5 5 5", await _folder.ReadAsync());
        Assert.Equal("", await _folder.ReadAsync(() => _folder.Write("c.csv", "a\n5\n5\n5\n"), polls: 3));
        Assert.Equal("5 5 5", await _folder.ReadAsync(polls: 60));
        Assert.Equal("5 6", await _folder.ReadAsync(() => _folder.Write("d.csv", "a\n5\n6\n"), polls: 3));
    }

    [Fact]
    public async Task TwoNamesOfOneFile_AreReadOnce()
    {
        _folder.Write("a.csv", "a\n1\n");
        File.CreateSymbolicLink(_folder.File("latest.csv"), "a.csv");
        _folder.Open("*.csv");
        Assert.Equal("1", await _folder.ReadAsync(polls: 60));
        Assert.Equal("2", await _folder.ReadAsync(() => _folder.Append("a.csv", "2\n")));
        Assert.Equal(["a.csv"], _folder.Partitions);
    }

    [Theory]
    [InlineData("a.csv.gz")]
    [InlineData("a.csv.zst")]
    public async Task CompressedFile_WrittenInPieces_WaitsForTheRest(string name)
    {
        string text = "a\n" + string.Concat(Enumerable.Range(0, 5000).Select(i => $"{i * 7919 % 5003}\n"));
        byte[] whole = FollowedFolder.Compressed(text, name);
        _folder.Open("*.csv.*");
        Assert.Equal("", await _folder.ReadAsync());
        for (int piece = 0; piece < 3; piece++)
        {
            int from = whole.Length * piece / 4, to = whole.Length * (piece + 1) / 4;
            Assert.Equal("", await _folder.ReadAsync(() => _folder.AppendBytes(name, whole[from..to]), polls: 4));
        }
        Assert.Empty(_folder.SetAside);
        Assert.Equal("", await _folder.ReadAsync(polls: 60));
        Assert.Contains($"'{name}' cannot be read at byte", _folder.SetAside, StringComparison.Ordinal);
        string rest = await _folder.ReadAsync(() => _folder.AppendBytes(name, whole[(whole.Length * 3 / 4)..]), polls: 4);
        Assert.Equal(5000, rest.Split(' ').Length);
        Assert.Empty(_folder.SetAside);
    }

    [Theory]
    [InlineData("a.csv.gz")]
    [InlineData("a.csv.zst")]
    public async Task CompressedFile_ThatGetsAnotherMember_IsReadOn(string name)
    {
        _folder.AppendBytes(name, FollowedFolder.Compressed("a\n1\n2\n", name));
        _folder.Open("*.csv.*");
        Assert.Equal("1 2", await _folder.ReadAsync());
        Assert.Equal("3", await _folder.ReadAsync(() => _folder.AppendBytes(name, FollowedFolder.Compressed("3\n", name)), polls: 3));
    }

    [Fact]
    public async Task ManyFiles_MoreThanAreHeldOpen_AreAllFollowed()
    {
        for (int i = 0; i < 450; i++) _folder.Write($"{i:D3}.csv", $"a\n{i}\n");
        _folder.Open("*.csv");
        Assert.Equal(450, (await _folder.ReadAsync()).Split(' ').Length);
        Assert.Equal("-7 -8", await _folder.ReadAsync(() =>
        {
            _folder.Append("007.csv", "-7\n");
            _folder.Append("444.csv", "-8\n");
        }));
    }
}
