using System.Net.Sockets;
using System.Runtime.InteropServices;
using StreamEm.Sources.Decoding;
using StreamEm.Sources.Paths;

namespace StreamEm.Sources.Tests.Files;

/// <summary>One bad file, folder or link takes nothing from the others.</summary>
public sealed class SetAsideTests : IAsyncDisposable
{
    private readonly FollowedFolder _folder = new();

    public ValueTask DisposeAsync() => _folder.DisposeAsync();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task FileOfAnotherKind_InAGlob_IsToldOnceAndReadWhenItIsMended(bool follow)
    {
        _folder.Write("a.csv", "a\n1\n");
        _folder.Write("b.csv", "temp;hum\n1;2\n");
        _folder.Write("c.csv", "a\n3\n");
        _folder.Open(follow, "*.csv");
        Assert.Equal("1 3", await _folder.ReadAsync(polls: 5));
        Assert.Contains("'b.csv' has no column 'a'", _folder.SetAside, StringComparison.Ordinal);
        Assert.Single(_folder.Told);
        Assert.Null(_folder.Source.Problem);
        if (!follow)
        {
            await _folder.CloseAsync();
            _folder.Write("b.csv", "a\n2\n");
            _folder.Open(follow, "*.csv");
            Assert.Equal("2", await _folder.ReadAsync());
            return;
        }
        Assert.Equal("", await _folder.ReadAsync(() => _folder.Append("b.csv", "3;4\n"), polls: 5));
        Assert.Single(_folder.Told);
        Assert.Equal("2", await _folder.ReadAsync(() => _folder.Write("b.csv", "a\n2\n"), polls: 2));
        Assert.Empty(_folder.SetAside);
    }

    [Fact]
    public async Task FileWithoutARecord_InAGlobOfNdjson_IsSetAside()
    {
        await using var folder = new FollowedFolder { Format = RecordFormat.Ndjson, BufferBytes = 4096 };
        folder.Write("a.log", string.Concat(Enumerable.Range(0, 30).Select(i => $"{{\"a\":{i}}}\n")));
        folder.Write("b.log", string.Concat(Enumerable.Range(0, 30).Select(i => $"temperature {i}\n")));
        folder.Open("*.log");
        Assert.Equal(30, (await folder.ReadAsync(polls: 2)).Split(' ').Length);
        Assert.Equal(0, folder.Rejected);
        Assert.Contains("'b.log' is of another kind", folder.SetAside, StringComparison.Ordinal);
        Assert.Equal("1", await folder.ReadAsync(() => folder.Write("b.log", "{\"a\":1}\n" + "temperature\n"), polls: 3));
        Assert.Equal(1, folder.Rejected);
        Assert.Single(folder.Told);
    }

    [Fact]
    public async Task FilesThatAreAllOfAnotherKind_AreAFailureAtTheEndAndAProblemWithoutOne()
    {
        _folder.Write("b.csv", "temp;hum\n1;2\n");
        _folder.Open(follow: false, "*.csv");
        SourceException failure = await Assert.ThrowsAsync<SourceException>(() => _folder.ReadAsync());
        Assert.Equal(SourceFailure.Missing, failure.Failure);
        await _folder.CloseAsync();
        _folder.Open("*.csv");
        Assert.Equal("", await _folder.ReadAsync(polls: 2));
        Assert.StartsWith("none of the files", _folder.Source.Problem, StringComparison.Ordinal);
        Assert.Equal("1", await _folder.ReadAsync(() => _folder.Write("a.csv", "a\n1\n"), polls: 2));
        Assert.Null(_folder.Source.Problem);
    }

    [Fact]
    public async Task NamedFileOfAnotherKind_AtTheStart_IsAFailure()
    {
        _folder.Write("b.csv", "temp;hum\n1;2\n");
        _folder.Open("b.csv");
        await Assert.ThrowsAsync<SourceException>(() => _folder.ReadAsync());
    }

    [Fact]
    public async Task WhatIsNoRegularFile_IsNotOpened()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("FIFOs and sockets of Linux.");
        _folder.Write("a.csv", "a\n1\n");
        Assert.Equal(0, MakeFifo(_folder.File("b.csv"), 0x180));
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(_folder.File("c.csv")));
        File.CreateSymbolicLink(_folder.File("d.csv"), "/dev/zero");
        _folder.Open("*.csv");
        Assert.Equal("1", await _folder.ReadAsync(polls: 3));
        Assert.Contains("'b.csv' is a FIFO", _folder.SetAside, StringComparison.Ordinal);
        Assert.Contains("'c.csv' is a socket", _folder.SetAside, StringComparison.Ordinal);
        Assert.Contains("'d.csv' is a device", _folder.SetAside, StringComparison.Ordinal);
        Assert.Equal(3, _folder.Told.Count);
        await _folder.CloseAsync();
        _folder.Open("b.csv");
        Assert.Equal(SourceFailure.Configuration, (await Assert.ThrowsAsync<SourceException>(() => _folder.ReadAsync())).Failure);
    }

    [Fact]
    public async Task LinkOutOfTheFolder_IsRefused_NamedByItselfItIsRead()
    {
        _folder.Write("out/secret.csv", "a\n7\n");
        _folder.Write("in/a.csv", "a\n1\n");
        File.CreateSymbolicLink(_folder.File("in/b.csv"), "../out/secret.csv");
        _folder.Open("in/*.csv");
        Assert.Equal("1", await _folder.ReadAsync(polls: 3));
        Assert.Contains("'in/b.csv' is a link that leads out of", _folder.SetAside, StringComparison.Ordinal);
        await _folder.CloseAsync();
        _folder.Open("in/b.csv");
        Assert.Equal("7", await _folder.ReadAsync());
    }

    [Fact]
    public async Task WhatTheWorkerWrites_IsPassedOver()
    {
        _folder.Write("a.csv", "a\n1\n");
        _folder.Write("out.csv", "a\n2\n");
        File.CreateSymbolicLink(_folder.File("link.csv"), "out.csv");
        _folder.Write("state/m/x.csv", "a\n3\n");
        _folder.Own = new OwnFiles([_folder.File("out.csv"), _folder.File("later.csv")], [_folder.File("state")]);
        _folder.Open("**/*.csv");
        Assert.Equal("1", await _folder.ReadAsync());
        Assert.Equal("", await _folder.ReadAsync(() => _folder.Write("later.csv", "a\n4\n"), polls: 3));
        Assert.Empty(_folder.Told);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task HeaderThatDoesNotComeAgain_TheColumnsAreKnown(bool isClosed)
    {
        _folder.Write("log.csv", "time,a\n1,10\n2,20\n");
        _folder.Open("log.csv");
        Assert.Equal("10 20", await _folder.ReadAsync());
        if (isClosed) await _folder.CloseAsync();
        _folder.Write("log.csv", "3,30\n");
        if (isClosed) _folder.Open("log.csv");
        Assert.Equal("30", await _folder.ReadAsync(polls: 2));
        await _folder.CloseAsync();
        _folder.Append("log.csv", "4,40\n");
        _folder.Open("log.csv");
        Assert.Equal("40", await _folder.ReadAsync());
        Assert.Equal(0, _folder.Rejected);
    }

    [Fact]
    public async Task OtherHeaderAfterATruncation_IsSetAside()
    {
        _folder.Write("log.csv", "time,a\n1,10\n2,20\n");
        _folder.Open("log.csv");
        Assert.Equal("10 20", await _folder.ReadAsync());
        Assert.Equal("", await _folder.ReadAsync(() => _folder.Write("log.csv", "temp;hum\n"), polls: 3));
        Assert.Contains("has no column 'a'", _folder.SetAside, StringComparison.Ordinal);
        Assert.Equal("30", await _folder.ReadAsync(() => _folder.Write("log.csv", "time,a\n3,30\n"), polls: 3));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(100)]
    [InlineData(5000)]
    [InlineData(3_000_000)]
    public async Task HoleOfZeros_IsPassedOver(int zeros)
    {
        string hole = new('\0', zeros);
        _folder.Write("log.csv", "a\n1\n2\n");
        _folder.Open("log.csv");
        Assert.Equal("1 2", await _folder.ReadAsync());
        Assert.Equal("3 4", await _folder.ReadAsync(() => _folder.Write("log.csv", hole + "3\n4\n"), polls: 2));
        Assert.Equal("5 6", await _folder.ReadAsync(() => _folder.Append("log.csv", "5\n" + hole + "6\n")));
        await _folder.CloseAsync();
        _folder.Append("log.csv", hole + "7\n");
        _folder.Open("log.csv");
        Assert.Equal("7", await _folder.ReadAsync());
        Assert.Equal(0, _folder.Rejected);
    }

    [Fact]
    public async Task HoleInALine_CostsThatLineAlone()
    {
        await using var folder = new FollowedFolder { Format = RecordFormat.Ndjson };
        string hole = new('\0', 50);
        folder.Write("log", hole + "{\"a\":1}\n" + hole + "{\"a\":2}\n{\"a\":" + hole + "3}\n{\"a\":4}\n");
        folder.Open("log");
        Assert.Equal("1 2 4", await folder.ReadAsync());
        Assert.Equal(1, folder.Rejected);
    }

    [Fact]
    public async Task FolderThatMayNotBeLookedInto_IsToldAndTheOthersAreRead()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Modes of Unix.");
            return;
        }
        _folder.Write("in/open/a.csv", "a\n1\n");
        _folder.Write("in/shut/a.csv", "a\n2\n");
        File.SetUnixFileMode(_folder.File("in/shut"), UnixFileMode.None);
        try
        {
            if (CanList(_folder.File("in/shut"))) Assert.Skip("This user may look into every folder.");
            _folder.Open("in/*/*.csv");
            Assert.Equal("1", await _folder.ReadAsync(polls: 3));
            Assert.Contains("the folder 'in/shut' cannot be looked into", _folder.SetAside, StringComparison.Ordinal);
        }
        finally
        {
            File.SetUnixFileMode(_folder.File("in/shut"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    private static bool CanList(string folder)
    {
        try
        {
            return Directory.GetFiles(folder) is not null;
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
    }

    [DllImport("libc", EntryPoint = "mkfifo")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int MakeFifo([MarshalAs(UnmanagedType.LPUTF8Str)] string path, uint mode);
}
