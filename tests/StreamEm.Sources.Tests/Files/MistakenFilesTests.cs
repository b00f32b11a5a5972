namespace StreamEm.Sources.Tests.Files;

/// <summary>Files that could be taken for others: by a number given again, by equal bytes, by a text that begins alike.</summary>
public sealed class MistakenFilesTests : IAsyncDisposable
{
    private readonly FollowedFolder _folder = new();

    public ValueTask DisposeAsync() => _folder.DisposeAsync();

    /// <summary>
    /// A file that was seen and not yet read is gone, and the system gives its number to the compressed form of another that was read: that
    /// is no file grown or renamed, but a copy.
    /// </summary>
    [Theory]
    [InlineData("a\n")]
    [InlineData("a\n7\n")]
    public async Task Compressed_IntoTheNumberOfAFileThatWasNotReadYet_IsReadOnce(string unread)
    {
        _folder.Write("log.1", "a\n1\n2\n");
        _folder.Open("log*");
        Assert.Equal("1 2", await _folder.ReadAsync());
        await _folder.CloseAsync();
        _folder.Write("log", "a\n3\n");
        _folder.Write("log.2", unread);
        _folder.Open("log*");
        Assert.True(await _folder.ReadBatchAsync());
        // The same number by writing over it, as the system's choice cannot be made.
        using (FileStream reused = File.Open(_folder.File("log.2"), FileMode.Truncate)) reused.Write(FollowedFolder.Gzip("a\n1\n2\n"));
        _folder.Move("log.2", "log.1.gz");
        File.Delete(_folder.File("log.1"));
        await _folder.ReadAsync(polls: 60);
        Assert.Equal([1, 2, 3], _folder.Learned);
    }

    /// <summary>Truncated and grown again between two reads, beyond where reading was, with the same bytes round that place.</summary>
    [Fact]
    public async Task CopiedTruncatedAndGrownBeyond_WithEqualBytesWhereReadingWas_IsReadOnce()
    {
        string wide = new('7', 3000);
        string Rows(int first, int last) => string.Concat(Enumerable.Range(first, last - first + 1).Select(row => $"{wide},{row}\n"));
        _folder.Write("log", "x,a\n" + Rows(11, 20));
        _folder.Open("log*");
        Assert.True(await _folder.ReadBatchAsync());
        Assert.InRange(_folder.Learned.Count, 1, 5);
        _folder.Copy("log", "log.1");
        File.WriteAllText(_folder.File("log"), "x,a\n" + Rows(21, 32));
        await _folder.ReadAsync(polls: 60);
        Assert.Equal(Enumerable.Range(11, 22).Select(row => (double)row), _folder.Learned.Order());
    }

    /// <summary>A file that is gone and had the same header, or the same first record, is not what a compressed one is a copy of.</summary>
    [Theory]
    [InlineData("a\n")]
    [InlineData("a\n1\n")]
    public async Task Compressed_AfterOneThatBeganAlikeHasGone_IsReadOnce(string gone)
    {
        _folder.Write("log.1", "a\n1\n2\n3\n");
        _folder.AppendBytes("log.2.gz", FollowedFolder.Gzip(gone));
        _folder.Open("log*");
        await _folder.ReadAsync(polls: 60);
        await _folder.ReadAsync(() => File.Delete(_folder.File("log.2.gz")), polls: 60);
        int learned = _folder.Learned.Count;
        Assert.Equal("", await _folder.ReadAsync(() => _folder.Compress("log.1", "log.1.gz"), polls: 60));
        Assert.Equal(learned, _folder.Learned.Count);
        Assert.Equal([1, 2, 3], _folder.Learned.Distinct().Order());
    }
}
