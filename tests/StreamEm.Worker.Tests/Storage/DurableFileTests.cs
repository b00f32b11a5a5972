using Microsoft.Win32.SafeHandles;
using StreamEm.Worker.Storage;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Storage;

/// <summary>That the steps are taken, and not only told of: the kernel's answers show it.</summary>
public sealed class DurableFileTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Sync_FileThatIsNotOpen_Throws()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Files are numbers where POSIX is.");
        using var file = new SafeFileHandle(1_000_000, ownsHandle: false);

        Assert.Throws<IOException>(() => DurableFile.Sync(file, "nothing"));
    }

    [Fact]
    public void SyncDirectory_FileSystem_IsAskedAndItsAnswerGiven()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "/proc is Linux's.");

        Assert.True(DurableFile.SyncDirectory(_directory.Path));
        Assert.False(DurableFile.SyncDirectory("/proc"));
        Assert.Throws<IOException>(() => DurableFile.SyncDirectory(_directory["nothing"]));
    }

    [Fact]
    public void CreateDirectory_SeveralMissing_MakesTheNameOfEachDurable()
    {
        using var record = new DiskRecord(_directory);

        DurableFile.CreateDirectory(_directory["a/b/c"], mode: null);

        Assert.True(Directory.Exists(_directory["a/b/c"]));
        Assert.Equal(["sync directory .", "sync directory a", "sync directory a/b"], record.Events.Order(StringComparer.Ordinal));
        record.Clear();
        DurableFile.CreateDirectory(_directory["a/b/c"], mode: null);
        Assert.Empty(record.Events);
    }

    [Fact]
    public void Steps_FileWrittenAndRenamed_AreToldInTheirOrderAndDone()
    {
        using var record = new DiskRecord(_directory);
        string temporary = _directory["new.tmp"], final = _directory["new"];

        using (FileStream file = DurableFile.Open(temporary, FileMode.CreateNew, FileShare.None))
        {
            DurableFile.Write(file.SafeFileHandle, temporary, "abc"u8, 0);
            DurableFile.Sync(file.SafeFileHandle, temporary);
        }

        DurableFile.Rename(temporary, final);
        Assert.Equal("abc", File.ReadAllText(final));
        DurableFile.Delete(final);
        Assert.False(File.Exists(final));
        Assert.Equal(["write new.tmp", "sync new.tmp", "rename to new", "delete new"], record.Events);
    }
}
