using System.Text;
using Microsoft.Win32.SafeHandles;
using StreamEm.Sources.Files;
using StreamEm.Sources.Paths;
using StreamEm.Sources.Tests.Contracts;

namespace StreamEm.Sources.Tests.Files;

public sealed class TextMatchTests : IDisposable
{
    private const int Block = TextHash.BlockBytes;

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<int> Lengths => [0, 1, 1000, Block - 1, Block, Block + 1, 3 * Block, 3 * Block + 7];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Evidence_DependsOnTheBytesNotOnTheCalls(int length)
    {
        byte[] bytes = Bytes(length);
        var whole = new TextHash();
        whole.Append(bytes, 0);
        var pieces = new TextHash();
        for (int at = 0; at < length; at += 999) pieces.Append(bytes.AsSpan(at, Math.Min(999, length - at)), at);
        pieces.Append(bytes, 0);
        Assert.Equal(whole.Evidence, pieces.Evidence);
        Assert.Equal(length, whole.Length);
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Resume_GoesOnAsIfNeverStopped(int length)
    {
        byte[] bytes = Bytes(length + 100);
        var whole = new TextHash();
        whole.Append(bytes.AsSpan(0, length), 0);
        TextEvidence then = whole.Evidence;
        whole.Append(bytes, 0);
        TextHash? resumed = WithText(bytes, text => TextMatch.Resume(text, then));
        Assert.NotNull(resumed);
        resumed.Append(bytes, 0);
        Assert.Equal(whole.Evidence, resumed.Evidence);
    }

    [Theory]
    [InlineData(10, 5)]
    [InlineData(10, 9)]
    [InlineData(Block + 10, 0)]
    [InlineData(Block + 10, Block)]
    public void Resume_OtherText_IsNone(int length, int at)
    {
        byte[] bytes = Bytes(length);
        var hash = new TextHash();
        hash.Append(bytes, 0);
        TextEvidence then = hash.Evidence;
        bytes[at] ^= 1;
        Assert.Null(WithText(bytes, text => TextMatch.Resume(text, then)));
        Assert.Null(WithText(bytes[..^1], text => TextMatch.Resume(text, then)));
    }

    [Fact]
    public void Longest_ComparesEverythingThatWasRead()
    {
        byte[] bytes = Bytes(5 * Block), other = Bytes(5 * Block);
        other[2 * Block + 3] ^= 1;
        TextEvidence[] evidences = [Of(bytes, 2 * Block), Of(other, 4 * Block), Of(bytes, 10), Of(bytes, 3 * Block), Of(bytes, 5 * Block)];
        Assert.Equal(4, WithText(bytes, text => TextMatch.Longest(text, evidences)));
        Assert.Equal(3, WithText(bytes[..(4 * Block)], text => TextMatch.Longest(text, evidences)));
        Assert.Equal(0, WithText(other[..(3 * Block)], text => TextMatch.Longest(text, evidences)));
        Assert.Equal(-1, WithText([1, 2, 3], text => TextMatch.Longest(text, evidences)));
    }

    [Fact]
    public void Identity_IsReadAsItWasWritten()
    {
        var identity = new FileIdentity(new FileNumber(0x1F2, ulong.MaxValue), -1, Of(Bytes(Block + 5), Block + 5));
        Assert.Equal(identity, FileIdentity.Parse(identity.ToString()));
        Assert.Null(FileIdentity.Parse("1024:9f86d081884c7d659a2feaa0c55ad015"));
        Assert.Null(FileIdentity.Parse("file:1:2:3:4:5:6"));
        Assert.Null(FileIdentity.Parse("file:1:2:3:-4:5:6:7"));
    }

    private static TextEvidence Of(byte[] bytes, int length)
    {
        var hash = new TextHash();
        hash.Append(bytes.AsSpan(0, length), 0);
        return hash.Evidence;
    }

    private T WithText<T>(byte[] bytes, Func<FileText, T> use)
    {
        string path = _folder.File("text");
        File.WriteAllBytes(path, bytes);
        using SafeFileHandle handle = File.OpenHandle(path);
        using FileText text = FileText.Of(path, handle);
        return use(text);
    }

    private static byte[] Bytes(int length) =>
        Encoding.ASCII.GetBytes(string.Create(length, 0, (text, _) =>
        {
            for (int i = 0; i < text.Length; i++) text[i] = (char)('a' + i * 7919 % 5003 % 26);
        }));
}
