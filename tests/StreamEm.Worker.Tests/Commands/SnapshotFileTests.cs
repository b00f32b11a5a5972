using System.Text;
using StreamEm.Worker.Commands;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Commands;

public sealed class SnapshotFileTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(3L << 30, "{\"version\":2}")]
    [InlineData(65 << 20, "{\"version\":2}\n")]
    [InlineData(10, "{\"version\":2}\n\n")]
    public void ReadBytes_LogOfAnyLength_EndsWithItsLastLine(long before, string last)
    {
        string log = _directory["log.ndjson"];
        using (FileStream file = File.Create(log))
        {
            file.SetLength(before);
            file.Seek(0, SeekOrigin.End);
            file.Write(Encoding.UTF8.GetBytes($"\n{last}"));
        }

        byte[] bytes = SnapshotFile.ReadBytes(log);

        Assert.Equal("{\"version\":2}", Encoding.UTF8.GetString(SnapshotFile.LastOfLog(bytes).Span));
    }

    [Fact]
    public void ReadBytes_LineLongerThanTheFirstLook_IsWhole()
    {
        string log = _directory["log.ndjson"];
        string line = $"{{\"text\":\"{new string('x', 70 << 20)}\"}}";
        File.WriteAllText(log, $"{{\"version\":1}}\n{line}\n");

        Assert.Equal(line.Length, SnapshotFile.LastOfLog(SnapshotFile.ReadBytes(log)).Length);
    }
}
