using StreamEm.Core.Features;
using StreamEm.Sources.Files;
using StreamEm.Sources.Tests.Contracts;

namespace StreamEm.Sources.Tests.Files;

public sealed class FollowTests : IAsyncDisposable
{
    private static readonly RecordSchema Schema = new() { Features = ["a"] };

    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(200);

    private readonly TemporaryFolder _folder = new();
    private readonly AwaitedTime _time = new();
    private readonly RecordBatch _batch = new(1);
    private readonly SourcePosition _position = new();
    private FileSource? _source;

    public async ValueTask DisposeAsync()
    {
        if (_source is not null) await _source.DisposeAsync();
        _folder.Dispose();
    }

    private FileSource Source => _source!;

    private void Open(params string[] names) =>
        _source = new FileSource(
            new FileSourceOptions { Path = [.. names.Select(_folder.File)], Follow = true, BufferBytes = 64, PollInterval = PollInterval },
            new SourceContext(Schema, _position.Copy(), _time));

    /// <summary>The values read until the source has to wait, after <paramref name="change"/>, which happens while it waits.</summary>
    private async Task<string> ReadAsync(Action? change = null)
    {
        var values = new List<string>();
        using var stop = new CancellationTokenSource();
        while (true)
        {
            Task<bool> reading = Source.ReadAsync(_batch, stop.Token).AsTask();
            if (!reading.IsCompleted)
            {
                await _time.WaitedForAsync();
                if (change is not null)
                {
                    change();
                    change = null;
                    _time.Elapse(PollInterval);
                    await Task.WhenAny(reading, _time.WaitedForAsync());
                }
                if (!reading.IsCompleted)
                {
                    await stop.CancelAsync();
                    await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
                    return string.Join(' ', values);
                }
            }
            Assert.True(await reading);
            if (_batch.Count + _batch.Rejected.Count > 0)
                values.Add(
                    $"{Path.GetFileName(_batch.PartitionName)}:{string.Join(',', _batch.Records.Values.ToArray())}"
                        + $"{string.Concat(_batch.Rejected.Select(rejected => "!" + rejected.Text))}");
            foreach (MovedPartition moved in _batch.Moved) _position.Take(moved);
            _position.Set(_batch.PartitionName, _batch.EndPosition);
        }
    }

    private async Task ReopenAsync(Action whileClosed, params string[] names)
    {
        await Source.DisposeAsync();
        whileClosed();
        Open(names);
    }

    [Fact]
    public async Task Growth_IsRead_AndAPartialLineWaits()
    {
        _folder.Write("a.csv", "a\n1\n2");
        Open("a.csv");
        Assert.Equal("a.csv:1", await ReadAsync());
        Assert.Equal("", await ReadAsync(() => _folder.Append("a.csv", "3")));
        Assert.Equal("a.csv:234,5", await ReadAsync(() => _folder.Append("a.csv", "4\n5\n6")));
        Assert.Equal("a.csv:67", await ReadAsync(() => _folder.Append("a.csv", "7\n")));
    }

    [Fact]
    public async Task Growth_IsPartOfTheIdentity()
    {
        string path = _folder.Write("a.csv", "a\n1\n");
        Open("a.csv");
        Assert.Equal("a.csv:1", await ReadAsync());
        Assert.Equal(4, FileIdentity.Parse(_position.Partitions[path].Identity!)!.Value.Text.Length);
        Assert.Equal("a.csv:2", await ReadAsync(() => _folder.Append("a.csv", "2\n")));
        Assert.Equal(6, FileIdentity.Parse(_position.Partitions[path].Identity!)!.Value.Text.Length);
        Assert.Equal("a.csv:1,3", await ReadAsync(() => _folder.Write("a.csv", "a\n1\n3\n")));
    }

    [Fact]
    public async Task FileThatIsNotThereYet_IsAwaited()
    {
        Open("a.csv");
        Assert.Equal("", await ReadAsync());
        Assert.Equal("", await ReadAsync(() => _folder.Write("a.csv", "")));
        Assert.Equal("", await ReadAsync(() => _folder.Append("a.csv", "a")));
        Assert.Equal("a.csv:1", await ReadAsync(() => _folder.Append("a.csv", "\n1\n")));
    }

    [Fact]
    public async Task NewFilesOfAGlob_AreAdded_AndOldOnesStillGrow()
    {
        _folder.Write("a.csv", "a\n1\n");
        Open("*.csv", "*.csv.gz");
        Assert.Equal("a.csv:1", await ReadAsync());
        Assert.Equal("b.csv:2", await ReadAsync(() => _folder.Write("b.csv", "x,a\n0,2\n0,")));
        Assert.Equal("a.csv:3 b.csv:4", await ReadAsync(() =>
        {
            _folder.Append("a.csv", "3\n");
            _folder.Append("b.csv", "4\n");
        }));
        Assert.Equal("c.csv.gz:5", await ReadAsync(() => _folder.WriteGzip("c.csv.gz", "a\n5")));
    }

    [Fact]
    public async Task Rotation_FinishesTheOldFileThenReadsTheNew()
    {
        _folder.Write("a.csv", "a\n1\n");
        Open("a.csv*");
        Assert.Equal("a.csv:1", await ReadAsync());
        Assert.Equal("a.csv.1:2 a.csv:4", await ReadAsync(() =>
        {
            _folder.Append("a.csv", "2\n3");
            File.Move(_folder.File("a.csv"), _folder.File("a.csv.1"));
            _folder.Write("a.csv", "a\n4\n");
        }));
        Assert.Equal(0, Source.Truncations);
        // Its writer may go on with the old file until it is told to open the new one.
        Assert.Equal("a.csv:5 a.csv.1:30", await ReadAsync(() =>
        {
            _folder.Append("a.csv", "5\n");
            _folder.Append("a.csv.1", "0\n");
        }));
    }

    [Fact]
    public async Task Rotation_OutOfSight_TheOldFileIsReadUntilItIsStill()
    {
        _folder.Write("a.csv", "a\n1\n");
        Open("a.csv");
        Assert.Equal("a.csv:1", await ReadAsync());
        Assert.Equal("a.csv#1:2 a.csv:4", await ReadAsync(() =>
        {
            _folder.Append("a.csv", "2\n");
            File.Move(_folder.File("a.csv"), _folder.File("old"));
            _folder.Write("a.csv", "a\n4\n");
        }));
        Assert.Equal((1, 0), (Source.Rotations, Source.Truncations));
        Assert.Equal("a.csv#1:3", await ReadAsync(() => _folder.Append("old", "3\n7")));
        Assert.Equal("a.csv#1:7", await ReadAsync(() => _time.Advance(LostFiles.Patience)));
        Assert.Equal("a.csv:5", await ReadAsync(() => _folder.Append("a.csv", "5\n")));
        await ReopenAsync(() => _folder.Append("a.csv", "6\n"), "a.csv");
        Assert.Equal("a.csv:6", await ReadAsync());
    }

    [Fact]
    public async Task RenamedFileWithoutASuccessor_IsStillFollowed()
    {
        _folder.Write("a.csv", "a\n1\n");
        Open("a.csv");
        Assert.Equal("a.csv:1", await ReadAsync());
        Assert.Equal("", await ReadAsync(() => File.Move(_folder.File("a.csv"), _folder.File("old"))));
        Assert.Equal("a.csv:2", await ReadAsync(() => _folder.Append("old", "2\n")));
        Assert.Equal("a.csv:3", await ReadAsync(() => _folder.Write("a.csv", "a\n3\n")));
        Assert.Equal(1, Source.Rotations);
    }

    [Fact]
    public async Task DeletedFile_IsFinishedAndItsNameMayComeBack()
    {
        _folder.Write("a.csv", "a\n1\n2");
        Open("a.csv");
        Assert.Equal("a.csv:1", await ReadAsync());
        Assert.Equal("a.csv:2", await ReadAsync(() => File.Delete(_folder.File("a.csv"))));
        Assert.Equal("a.csv:3", await ReadAsync(() => _folder.Write("a.csv", "a\n3\n")));
    }

    [Theory]
    [InlineData("a\n9\n")]
    [InlineData("a\n9\n8\n7\n6\n5\n")]
    public async Task Truncation_StartsOver(string text)
    {
        _folder.Write("a.csv", "a\n1\n2\n3\n");
        Open("a.csv");
        Assert.Equal("a.csv:1,2,3", await ReadAsync());
        string expected = "a.csv:" + string.Join(',', text.Split('\n')[1..^1]);
        Assert.Equal(expected, await ReadAsync(() => _folder.Write("a.csv", text)));
        Assert.Equal((0, 1), (Source.Rotations, Source.Truncations));
    }

    [Fact]
    public async Task Reopened_GoesOnWhereItWas()
    {
        _folder.Write("a.csv", "a\n1\n2");
        Open("a.csv");
        Assert.Equal("a.csv:1", await ReadAsync());
        await ReopenAsync(() => _folder.Append("a.csv", "0\n3\n"), "a.csv");
        Assert.Equal("a.csv:20,3", await ReadAsync());
    }

    [Fact]
    public async Task RotatedWhileClosed_TheRestOfTheOldFileIsRead()
    {
        _folder.Write("a.csv", "a\n1\n");
        Open("a.csv*");
        Assert.Equal("a.csv:1", await ReadAsync());
        await ReopenAsync(() =>
        {
            _folder.Append("a.csv", "2\n");
            File.Move(_folder.File("a.csv"), _folder.File("a.csv.1"));
            _folder.Write("a.csv", "a\n3\n");
        }, "a.csv*");
        Assert.Equal("a.csv.1:2 a.csv:3", await ReadAsync());
    }

    [Fact]
    public async Task TruncatedWhileClosed_StartsOver()
    {
        _folder.Write("a.csv", "a\n1\n2\n");
        Open("a.csv");
        Assert.Equal("a.csv:1,2", await ReadAsync());
        await ReopenAsync(() => _folder.Write("a.csv", "a\n3\n"), "a.csv");
        Assert.Equal("a.csv:3", await ReadAsync());
        Assert.Equal(1, Source.Truncations);
    }

    [Fact]
    public async Task FolderThatIsNotThere_IsAFailure()
    {
        Open("nowhere/a.csv");
        var failure =
            await Assert.ThrowsAsync<SourceException>(async () => await Source.ReadAsync(_batch, TestContext.Current.CancellationToken));
        Assert.Equal(SourceFailure.Missing, failure.Failure);
    }
}
