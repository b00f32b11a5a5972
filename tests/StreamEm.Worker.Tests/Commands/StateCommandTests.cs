using System.Text.Json;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Commands;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Storage;
using StreamEm.Worker.Tests.Configuration;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Commands;

public sealed class StateCommandTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    private StateDirectory State => new(_directory["state"]);

    [Fact]
    public async Task List_ShowsEveryModelAndItsVersions()
    {
        Checkpoint newest = await Learn(330);

        CommandRun run = await Run("ls");

        Assert.Equal(ExitCode.Ok, run.ExitCode);
        string line = Assert.Single(run.Output.Split('\n'), line => line.StartsWith("clouds ", StringComparison.Ordinal));
        Assert.Contains($" {newest.Updates} ", line, StringComparison.Ordinal);
        Assert.Contains(" 330 ", line, StringComparison.Ordinal);
        Assert.Contains(newest.RunId, line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Inspect_ShowsParametersRunAndVersions()
    {
        Checkpoint newest = await Learn(330);

        CommandRun run = await Run("inspect", "clouds");

        Assert.Equal(ExitCode.Ok, run.ExitCode);
        string[] shown = ["checkpoint of model clouds", "330 records", $"run {newest.RunId}", "c0", "rolled back to: 11"];
        foreach (string expected in shown)
            Assert.Contains(expected, run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("inspect", "other")]
    [InlineData("reset", "../clouds", "--yes")]
    public async Task Model_ThatIsNotThere_Is66AndNamesThoseThatAre(params string[] arguments)
    {
        await Learn(330);

        CommandRun run = await Run(arguments);

        Assert.Equal(ExitCode.InputMissing, run.ExitCode);
        Assert.Contains("it holds clouds", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("reset", "clouds")]
    [InlineData("rename", "clouds", "rain")]
    [InlineData("rollback", "clouds", "3")]
    public async Task Change_WithoutTerminalOrYes_ChangesNothing(params string[] arguments)
    {
        Checkpoint newest = await Learn(330);

        CommandRun run = await Run(arguments);

        Assert.Equal(ExitCode.Usage, run.ExitCode);
        Assert.Contains("--yes", run.Error, StringComparison.Ordinal);
        Assert.Equal(newest.CreatedAt, State.NewestOf("clouds")!.CreatedAt);
    }

    [Theory]
    [InlineData("reset", "clouds", "--yes")]
    [InlineData("rename", "clouds", "rain", "--yes")]
    [InlineData("rollback", "clouds", "3", "--yes")]
    public async Task Change_WhileAWorkerRuns_Is73(params string[] arguments)
    {
        await Learn(330);
        using StateLock held = StateLock.Acquire(_directory["state"]);

        CommandRun run = await Run(arguments);

        Assert.Equal(ExitCode.CannotCreate, run.ExitCode);
        Assert.Equal(ExitCode.Ok, (await Run("ls")).ExitCode);
    }

    [Fact]
    public async Task Reset_ForgetsAndTheNextRunSaysWhosePlaceItTakes()
    {
        Checkpoint before = await Learn(330);

        CommandRun run = await Run("reset", "clouds", "--yes");

        Assert.Equal(ExitCode.Ok, run.ExitCode);
        Assert.Null(State.NewestOf("clouds"));
        Checkpoint after = await Learn(330);
        Assert.NotEqual(before.RunId, after.RunId);
        Assert.Equal(330, after.Records);
        Assert.Equal([before.RunId], after.Predecessors);
    }

    [Fact]
    public async Task Rename_TheModelGoesOnUnderItsNewId()
    {
        Checkpoint before = await Learn(330);

        CommandRun run = await Run("rename", "clouds", "rain", "--yes");

        Assert.Equal(ExitCode.Ok, run.ExitCode);
        Assert.Equal(["rain"], State.Models);
        Checkpoint renamed = State.NewestOf("rain")!;
        Assert.Equal(("rain", "rain", before.RunId), (renamed.ModelId, renamed.Latest!.Snapshot.ModelId, renamed.RunId));
        Assert.Equal(before.Latest!.Snapshot.Parameters, renamed.Latest.Snapshot.Parameters);
        Checkpoint after = await Learn(660, id: "rain");
        Assert.Equal((before.RunId, 660L, "rain"), (after.RunId, after.Records, after.Latest!.Snapshot.ModelId));
    }

    [Fact]
    public async Task Rename_ToAnIdThatIsThere_Is73()
    {
        await Learn(330);
        await Learn(330, id: "rain");

        CommandRun run = await Run("rename", "clouds", "rain", "--yes");

        Assert.Equal(ExitCode.CannotCreate, run.ExitCode);
        Assert.Equal(["clouds", "rain"], State.Models);
    }

    [Fact]
    public async Task Rollback_ToAKeptVersion_LearnsAgainWhatCameAfterItAsANewRun()
    {
        long version = (await Learn(1000)).Updates;
        Checkpoint before = await Learn(2000);

        CommandRun run = await Run("rollback", "clouds", $"{version}", "--yes");

        Assert.Equal(ExitCode.Ok, run.ExitCode);
        Checkpoint back = State.NewestOf("clouds")!;
        Assert.Equal((version, version), (back.Updates, back.Latest!.Version));
        Assert.Equal(back.RunId, back.Latest.Snapshot.RunId);
        Checkpoint after = await Learn(2000);
        Assert.Equal((before.Updates, before.Records), (after.Updates, after.Records));
        Assert.Equal(before.Latest!.Snapshot.Parameters, after.Latest!.Snapshot.Parameters);
        Assert.Equal([before.RunId], after.Predecessors);
        Assert.NotEqual(before.RunId, after.RunId);
        Assert.Contains(after.History!,
            item => item.Text.StartsWith($"rolled back from version {before.Updates}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Rollback_KeepingThePosition_DoesNotLearnAgain()
    {
        Checkpoint oldest = await Learn(1000), before = await Learn(2000);

        await Run("rollback", "clouds", $"{oldest.Updates}", "--keep-position", "--yes");

        Checkpoint back = State.NewestOf("clouds")!;
        Assert.Equal(JsonSerializer.Serialize(before.Position.Partitions), JsonSerializer.Serialize(back.Position.Partitions));
        Assert.Equal(oldest.Records, back.Records);
    }

    [Fact]
    public async Task Rollback_ToAVersionThatIsNotKept_Is66AndNamesThoseThatAre()
    {
        Checkpoint newest = await Learn(330);

        CommandRun run = await Run("rollback", "clouds", "999", "--yes");

        Assert.Equal(ExitCode.InputMissing, run.ExitCode);
        Assert.Contains($"{newest.Updates}", run.Error, StringComparison.Ordinal);
        Assert.Contains("learning.initialization.from", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Validate_OverAStateOfAnotherModel_SaysIt()
    {
        await using (ModelPipeline pipeline = Pipelines.Create(
            _directory, ConfigFile.ModelWith(), position => new MemorySource(Pipelines.Clouds(2000), position)))
        {
            await pipeline.StartAsync(CancellationToken.None);
            await Eventually.Within(pipeline.Completion);
        }

        using var file = new ConfigFile(ConfigFile.Minimal);
        string[] arguments = ["-c", file.Path, "-s", $"state_directory={_directory["state"]}", "-s", "models.0.model.components=5"];

        CommandRun refused = await CommandRun.Of(ValidateCommand.Create(), arguments);
        CommandRun accepted = await CommandRun.Of(ValidateCommand.Create(), [.. arguments, "--accept-model-change"]);

        Assert.Equal(ExitCode.Configuration, refused.ExitCode);
        Assert.Contains("model.components: 4 -> 5", refused.Output, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Ok, accepted.ExitCode);
    }

    private async Task<Checkpoint> Learn(int records, string id = "clouds")
    {
        ModelOptions options = Pipelines.Model(_directory);
        await Pipelines.Drain(_directory, options with { Id = id, Publish = [], Rejected = options.Rejected with { File = null } },
            Pipelines.Clouds(records));
        return State.NewestOf(id)!;
    }

    private Task<CommandRun> Run(params string[] arguments) =>
        CommandRun.Of(StateCommand.Create(), [.. arguments, "--state-directory", _directory["state"]]);
}
