using System.Text.Json;
using StreamEm.Worker.Commands;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Tests.Commands;

public sealed class VersionCommandTests
{
    [Fact]
    public async Task Version_PrintsOneLineStartingWithTheName()
    {
        CommandRun run = await CommandRun.Of(VersionCommand.Create());

        Assert.Equal(ExitCode.Ok, run.ExitCode);
        Assert.StartsWith($"streamem {ProgramVersion.Version} (", run.Output, StringComparison.Ordinal);
        Assert.Single(run.Output.TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task VersionJson_HoldsTheSameVersion()
    {
        CommandRun run = await CommandRun.Of(VersionCommand.Create(), "--json");

        using var json = JsonDocument.Parse(run.Output);
        Assert.Equal(ProgramVersion.Version, json.RootElement.GetProperty("version").GetString());
        Assert.Matches("^[0-9]+\\.[0-9]+\\.[0-9]+$", ProgramVersion.Version);
    }
}
