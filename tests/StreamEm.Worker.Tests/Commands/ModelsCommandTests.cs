using System.Text.Json;
using StreamEm.Core.Catalog;
using StreamEm.Core.Settings;
using StreamEm.Worker.Commands;
using StreamEm.Worker.Failures;

namespace StreamEm.Worker.Tests.Commands;

public sealed class ModelsCommandTests
{
    [Fact]
    public async Task WithoutATerminal_PrintsPlainColumnsOfEveryModelAndSetting()
    {
        CommandRun run = await CommandRun.Of(ModelsCommand.Create());

        Assert.Equal(ExitCode.Ok, run.ExitCode);
        Assert.DoesNotContain('\u001b', run.Output);
        Assert.All(ModelCatalog.Entries,
            entry => Assert.Contains($"{entry.Type}: {entry.Description}\n", run.Output, StringComparison.Ordinal));
        foreach (Setting setting in ModelCatalog.Entries.SelectMany(entry => entry.Settings))
            Assert.Contains(run.Output.Split('\n'),
                line => line.StartsWith(setting.Key, StringComparison.Ordinal)
                    && line.EndsWith(setting.Description, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Json_HoldsDefaultsAndRanges()
    {
        CommandRun run = await CommandRun.Of(ModelsCommand.Create(), "--json");

        using var json = JsonDocument.Parse(run.Output);
        JsonElement mixture = json.RootElement.EnumerateArray()
            .Single(entry => entry.GetProperty("type").GetString() == "gaussian_mixture");
        JsonElement covariance = mixture.GetProperty("settings").EnumerateArray()
            .Single(setting => setting.GetProperty("key").GetString() == "covariance_type");
        Assert.Equal("full", covariance.GetProperty("default").GetString());
        Assert.Equal("one of full, tied, diag, spherical", covariance.GetProperty("expected").GetString());
    }
}
