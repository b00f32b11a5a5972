using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using StreamEm.Worker.Commands;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Commands;

/// <summary><c>fit</c>, <c>select</c> and <c>plot</c> of what can be read once, and into a pipe.</summary>
public sealed class PipedFitTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public PipedFitTests()
    {
        var text = new StringBuilder("x,y\n");
        foreach (double[]? row in Pipelines.Clouds(2000)) text.Append(CultureInfo.InvariantCulture, $"{row![0]:R},{row[1]:R}\n");
        File.WriteAllText(_directory["data.csv"], text.ToString());
    }

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Fit_OfAFifoTwice_LearnsWhatItLearnsOfTheFile()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs FIFOs");
        string[] options = ["--components", "2", "--passes", "2", "-o"];
        CommandRun ofFile = await CommandRun.Of(FitCommand.Create(), [_directory["data.csv"], .. options, _directory["file.json"]]);

        CommandRun ofFifo = await CommandRun.Of(FitCommand.Create(), [await FifoAsync(), .. options, _directory["fifo.json"]]);

        Assert.True(ofFile.ExitCode == 0 && ofFifo.ExitCode == 0, ofFile.Error + ofFifo.Error);
        Assert.Equal(ParametersOf(File.ReadAllText(_directory["file.json"])), ParametersOf(File.ReadAllText(_directory["fifo.json"])));
    }

    [Fact]
    public async Task Fit_ToStandardOutput_WritesTheSnapshotAlone()
    {
        CommandRun run = await CommandRun.Of(FitCommand.Create(), _directory["data.csv"], "--components", "2", "-o", "-");

        Assert.True(run.ExitCode == 0, run.Error);
        Assert.NotEmpty(ParametersOf(run.Output));
        Assert.Contains("c0", run.Error, StringComparison.Ordinal);
        Assert.False(File.Exists("-"));
    }

    [Fact]
    public async Task Select_OfAFifo_ComparesWhatCame()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs FIFOs");

        CommandRun run = await CommandRun.Of(SelectCommand.Create(), await FifoAsync(), "--components", "1..2", "--folds", "0");

        Assert.True(run.ExitCode == 0, run.Error);
        Assert.Contains("2000 records", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plot_OfAFifoToStandardOutput_IsThePictureOfTheFile()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs FIFOs");
        string snapshot = _directory["snapshot.json"];
        await CommandRun.Of(FitCommand.Create(), _directory["data.csv"], "--components", "2", "-o", snapshot);
        await CommandRun.Of(PlotCommand.Create(), snapshot, _directory["data.csv"], "-o", _directory["file.svg"]);

        CommandRun run = await CommandRun.Of(PlotCommand.Create(), snapshot, await FifoAsync(), "-o", "-");

        Assert.True(run.ExitCode == 0, run.Error);
        Assert.Equal(File.ReadAllText(_directory["file.svg"]).TrimEnd(), run.Output.TrimEnd());
    }

    /// <summary>A FIFO through which the data come once.</summary>
    private async Task<string> FifoAsync()
    {
        string fifo = _directory["fifo"];
        using (Process make = Process.Start("mkfifo", fifo)) await make.WaitForExitAsync(TestContext.Current.CancellationToken);
        byte[] data = await File.ReadAllBytesAsync(_directory["data.csv"], TestContext.Current.CancellationToken);
        _ = Task.Run(() =>
        {
            using FileStream writer = new(fifo, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
            writer.Write(data);
        }, TestContext.Current.CancellationToken);
        return fifo;
    }

    private static string ParametersOf(string snapshot)
    {
        using var document = JsonDocument.Parse(snapshot);
        return document.RootElement.GetProperty("parameters").GetRawText();
    }
}
