using StreamEm.Worker.Commands;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Commands;

/// <summary>Where a command writes to: never into what it reads, and a full disk is not a fault of its own.</summary>
public sealed class OutputTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public OutputTests()
    {
        File.WriteAllLines(_directory["data.csv"], ["x", .. Enumerable.Range(0, 400).Select(i => $"{i * 7919 % 101}")]);
        File.WriteAllText(_directory["c.yaml"], $$"""
            models:
              - id: m
                source: { file: { path: [{{_directory["data.csv"]}}] } }
                features: [x]
                model: { type: gaussian_mixture, components: 1 }
                learning: { minibatch: { size: 50 }, initialization: { buffer: 100 } }
            """);
    }

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("-o")]
    [InlineData("--trace")]
    [InlineData("--scores")]
    public async Task Fit_OutputOnAFullDisk_EndsWith74(string option)
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("Linux has /dev/full.");

        CommandRun run = await Fit(option, "/dev/full");

        Assert.Equal(ExitCode.InputOutput, run.ExitCode);
        Assert.Contains("/dev/full", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("internal", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-o")]
    [InlineData("--trace")]
    [InlineData("--scores")]
    public async Task Fit_OutputOverItsData_IsRefused(string option)
    {
        string before = await File.ReadAllTextAsync(_directory["data.csv"]);

        CommandRun run = await Fit(option, _directory["data.csv"]);

        Assert.Equal(ExitCode.CannotCreate, run.ExitCode);
        Assert.Equal(before, await File.ReadAllTextAsync(_directory["data.csv"]));
    }

    [Fact]
    public async Task Inspect_OutputOverItsSnapshot_IsRefusedUnderWhateverName()
    {
        Assert.Equal(0, (await Fit("-o", _directory["fit.json"])).ExitCode);
        string before = await File.ReadAllTextAsync(_directory["fit.json"]);
        File.CreateSymbolicLink(_directory["link.json"], _directory["fit.json"]);
        foreach (string output in (string[])["fit.json", "link.json"])
        {
            CommandRun run = await CommandRun.Of(InspectCommand.Create(), _directory["fit.json"], "-o", _directory[output]);

            Assert.Equal(ExitCode.CannotCreate, run.ExitCode);
        }

        Assert.Equal(before, await File.ReadAllTextAsync(_directory["fit.json"]));
    }

    [Fact]
    public async Task Score_OutputOverItsSnapshotOrData_IsRefused()
    {
        Assert.Equal(0, (await Fit("-o", _directory["fit.json"])).ExitCode);
        foreach (string input in (string[])["fit.json", "data.csv"])
        {
            string before = await File.ReadAllTextAsync(_directory[input]);
            File.Delete(_directory["link"]);
            File.CreateSymbolicLink(_directory["link"], _directory[input]);

            CommandRun run = await CommandRun.Of(
                ScoreCommand.Create(), _directory["fit.json"], _directory["data.csv"], "-o", _directory["link"]);

            Assert.Equal(ExitCode.CannotCreate, run.ExitCode);
            Assert.Equal(before, await File.ReadAllTextAsync(_directory[input]));
        }
    }

    private Task<CommandRun> Fit(string option, string path) =>
        CommandRun.Of(FitCommand.Create(), _directory["data.csv"], "-c", _directory["c.yaml"], option, path);
}
