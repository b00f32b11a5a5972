using System.Diagnostics;
using System.Globalization;
using System.Text;
using StreamEm.Worker.Commands;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Commands;

/// <summary><c>score</c> of what comes slowly and can be read once.</summary>
public sealed class PipedScoreTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("{\"x\":1,\"y\":2}\n", "{\"x\":2,\"y\":4}\n")]
    [InlineData("\nx,y\n1,2\n", "2,4\n")]
    public async Task Score_AFifo_WritesEachLineWhenItHasCome(string first, string second)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs FIFOs");
        await Fit();
        string fifo = _directory["fifo"], scores = _directory["scores.ndjson"];
        using (Process make = Process.Start("mkfifo", fifo)) await make.WaitForExitAsync(TestContext.Current.CancellationToken);
        Task<CommandRun> scoring =
            Task.Run(() => CommandRun.Of(ScoreCommand.Create(), _directory["snapshot.json"], fifo, "-o", scores));
        await using (FileStream writer = new(fifo, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0))
        {
            await writer.WriteAsync(Encoding.UTF8.GetBytes(first), TestContext.Current.CancellationToken);
            await Eventually.True(() => Lines(scores) == 1, "the first line");
            await writer.WriteAsync(Encoding.UTF8.GetBytes(second), TestContext.Current.CancellationToken);
            await Eventually.True(() => Lines(scores) == 2, "the second line");
        }

        Assert.Equal(0, (await Eventually.Within(scoring)).ExitCode);
    }

    [Fact]
    public async Task Score_ToStandardOutputByName_IsNoFile()
    {
        await Fit();

        CommandRun run = await CommandRun.Of(ScoreCommand.Create(), _directory["snapshot.json"], _directory["data.csv"], "-o", "-");

        Assert.Equal(200, run.Output.TrimEnd('\n').Split('\n').Length);
        Assert.False(File.Exists("-"));
    }

    private async Task Fit()
    {
        var text = new StringBuilder("x,y\n");
        foreach (double[]? row in Pipelines.Clouds(200)) text.Append(CultureInfo.InvariantCulture, $"{row![0]:R},{row[1]:R}\n");
        await File.WriteAllTextAsync(_directory["data.csv"], text.ToString());
        await File.WriteAllTextAsync(_directory["streamem.yaml"], $$"""
            models:
              - id: clouds
                source: { file: { path: [{{_directory["data.csv"]}}] } }
                features: [x, y]
                model: { type: gaussian_mixture, components: 2 }
                learning: { minibatch: { size: 100 }, initialization: { buffer: 100 } }
            """);
        CommandRun run = await CommandRun.Of(
            FitCommand.Create(), _directory["data.csv"], "-c", _directory["streamem.yaml"], "-o", _directory["snapshot.json"]);
        Assert.True(run.ExitCode == 0, run.Error);
    }

    private static int Lines(string path)
    {
        if (!File.Exists(path)) return 0;
        using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd().Count(c => c == '\n');
    }
}
