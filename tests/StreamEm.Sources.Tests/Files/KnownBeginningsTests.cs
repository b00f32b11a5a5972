namespace StreamEm.Sources.Tests.Files;

/// <summary>What was found at the beginning of a file holds when reading goes on in the middle of it.</summary>
public sealed class KnownBeginningsTests : IAsyncDisposable
{
    private readonly FollowedFolder _folder = new() { BufferBytes = 64 };

    public ValueTask DisposeAsync() => _folder.DisposeAsync();

    [Theory]
    [InlineData(0)]
    [InlineData(20)]
    [InlineData(400)]
    public async Task DecimalComma_FoundInALaterRow_IsFoundAgain(int rowsBefore)
    {
        _folder.Write("log.csv", "t;a\n" + string.Concat(Enumerable.Range(1, rowsBefore).Select(row => $"x;{row}\n")));
        _folder.Open("log.csv");
        await _folder.ReadAsync();
        await _folder.CloseAsync();
        _folder.Append("log.csv", "y;1,5\n");
        _folder.Open("log.csv");
        Assert.Equal("1.5", await _folder.ReadAsync());
        await _folder.CloseAsync();
        _folder.Append("log.csv", "y;2,25\nz;7\n");
        _folder.Open("log.csv");
        Assert.Equal("2.25 7", await _folder.ReadAsync());
        Assert.Equal(0, _folder.Rejected);
        Assert.Contains("'log.csv' has columns apart by semicolons (';'), numbers with a decimal comma.",
            _folder.Told.Select(text => text.Replace(_folder.Path + "/", "", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Columns_OfMoreFilesThanAreKeptApart_AreKnownAfterARestart()
    {
        const int files = 90;
        for (int number = 0; number < files; number++) _folder.Write($"log{number}.csv", $"a,b\n{number},7\n");
        _folder.Open("log*.csv");
        await _folder.ReadAsync();
        await _folder.CloseAsync();
        Assert.All(_folder.Position.Partitions.Values, position => Assert.Equal(["a", "b"], position.File!.Columns!));
        // The writers go on in files that were truncated, without a header.
        for (int number = 0; number < files; number++) _folder.Write($"log{number}.csv", $"{100 + number},8\n");
        _folder.Open("log*.csv");
        string[] read = (await _folder.ReadAsync()).Split(' ');
        Assert.Equal(Enumerable.Range(100, files).Select(value => $"{value}").Order(StringComparer.Ordinal), read.Order(StringComparer.Ordinal));
    }
}
