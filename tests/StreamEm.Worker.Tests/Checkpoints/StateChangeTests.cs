using System.Text;
using Microsoft.Extensions.Time.Testing;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Storage;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Checkpoints;

/// <summary>What a change of a state that nobody uses moves, keeps and makes durable; which steps a power cut would show.</summary>
public sealed class StateChangeTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));

    private StateDirectory State => new(_directory["state"]);

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Reset_RemovesKeysAndNotesEveryRunBefore()
    {
        string first = (await Learn()).RunId;
        StateChange.Reset(State, "clouds");
        string second = (await Learn()).RunId;
        PutKeys("clouds");
        using var disk = new DiskRecord(_directory);

        StateChange.Reset(State, "clouds");

        Assert.Empty(State.CheckpointsOf("clouds"));
        Assert.False(Directory.Exists(KeysOf("clouds")));
        Assert.Equal([first, second], StateDirectory.PredecessorsIn(State.FolderOf("clouds")));
        // The note is durable before anything goes, and what is gone stays gone.
        Assert.Equal(
            ["rename to state/clouds/predecessors.json", "sync directory state/clouds", "sync directory state/clouds"],
            disk.Events.SkipWhile(step => !step.StartsWith("rename", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Rename_TakesKeysAndRejectedRecordsAlongDurably()
    {
        await Learn();
        PutKeys("clouds");
        File.WriteAllText(Path.Combine(State.FolderOf("clouds"), "rejected.ndjson"), "{}\n");
        // What a rename left that was interrupted.
        Directory.CreateDirectory(State.FolderOf(".rain.new"));
        File.WriteAllText(Path.Combine(State.FolderOf(".rain.new"), "stray"), "");
        using var disk = new DiskRecord(_directory);

        StateChange.Rename(State, "clouds", "rain", _time);

        Assert.Equal(["rain"], State.Models);
        Assert.Equal("one", File.ReadAllText(Path.Combine(KeysOf("rain"), "keys-1.log")));
        Assert.Equal("{}\n", File.ReadAllText(Path.Combine(State.FolderOf("rain"), "rejected.ndjson")));
        Assert.False(File.Exists(Path.Combine(State.FolderOf("rain"), "stray")));
        Assert.False(Directory.Exists(State.FolderOf("clouds")));
        RunEvent told = State.NewestOf("rain")!.History![^1];
        Assert.Equal(("id: clouds -> rain", _time.GetUtcNow()), (told.Text, told.At));
        Assert.Equal(
            ["sync state/.rain.new/keys/keys-1.log", "sync directory state/.rain.new/keys", "sync directory state/.rain.new",
                "sync directory state", "sync directory state"],
            disk.Events.SkipWhile(step => !step.StartsWith("sync state/.rain.new/keys/", StringComparison.Ordinal)));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(DurableFile.PrivateDirectory, File.GetUnixFileMode(KeysOf("rain")));
    }

    [Fact]
    public async Task Rename_ToAnIdThatIsThere_NamesTheFolder()
    {
        await Learn();
        Directory.CreateDirectory(State.FolderOf("rain"));

        CommandException refusal = Assert.Throws<CommandException>(() => StateChange.Rename(State, "clouds", "rain", _time));

        Assert.Equal(ExitCode.CannotCreate, refusal.ExitCode);
        Assert.Equal($"There is '{State.FolderOf("rain")}' already. Reset that model and remove its folder, or choose another id.",
            refusal.Message);
    }

    [Fact]
    public async Task Rename_WhenNoCheckpointCanBeUsed_Is65AndSaysWhatIsWrong()
    {
        await Learn();
        foreach (KeptCheckpoint kept in State.CheckpointsOf("clouds")) File.WriteAllBytes(kept.File, [1, 2, 3]);

        CommandException refusal = Assert.Throws<CommandException>(() => StateChange.Rename(State, "clouds", "rain", _time));

        Assert.Equal(ExitCode.DataCorrupt, refusal.ExitCode);
        Assert.StartsWith($"None of the {State.CheckpointsOf("clouds").Count} checkpoints of model 'clouds' can be used: ", refusal.Message,
            StringComparison.Ordinal);
        Assert.EndsWith(State.CheckpointsOf("clouds")[0].Damage!, refusal.Message, StringComparison.Ordinal);
        Assert.Equal(["clouds"], State.Models);
    }

    [Fact]
    public async Task Rename_OnADiskThatFails_Is74AndTheModelIsWhereItWas()
    {
        Checkpoint before = await Learn();
        using var disk = new DiskRecord(_directory);
        disk.Before = step =>
        {
            if (step.Act == DurableAct.Rename) throw new IOException("the disk is gone");
        };

        CommandException failure = Assert.Throws<CommandException>(() => StateChange.Rename(State, "clouds", "rain", _time));

        Assert.Equal(ExitCode.InputOutput, failure.ExitCode);
        Assert.Equal($"The state directory '{State.Path}' could not be changed: the disk is gone", failure.Message);
        Assert.Equal(before.CreatedAt, State.NewestOf("clouds")!.CreatedAt);
        Assert.Equal(["clouds"], State.Models);
    }

    [Fact]
    public async Task Look_AtWhatIsNoState_FindsNothing()
    {
        Assert.Empty(State.Models);
        Assert.Empty(State.CheckpointsOf("clouds"));
        await Learn();
        Directory.CreateDirectory(State.FolderOf("empty"));
        Assert.Equal(["clouds"], State.Models);

        string note = Path.Combine(State.FolderOf("clouds"), "predecessors.json");
        Assert.Null(StateDirectory.PredecessorsIn(State.FolderOf("clouds")));
        File.WriteAllText(note, "[\"a\"");
        Assert.Null(StateDirectory.PredecessorsIn(State.FolderOf("clouds")));
        File.Delete(note);
        Directory.CreateDirectory(note);
        Assert.Null(StateDirectory.PredecessorsIn(State.FolderOf("clouds")));
    }

    private string KeysOf(string id) => Path.Combine(State.FolderOf(id), CheckpointDirectory.KeysFolder);

    private void PutKeys(string id)
    {
        Directory.CreateDirectory(KeysOf(id));
        File.WriteAllBytes(Path.Combine(KeysOf(id), "keys-1.log"), Encoding.UTF8.GetBytes("one"));
    }

    private async Task<Checkpoint> Learn()
    {
        ModelOptions options = Pipelines.Model(_directory);
        await Pipelines.Drain(
            _directory, options with { Publish = [], Rejected = options.Rejected with { File = null } }, Pipelines.Clouds(330));
        return State.NewestOf("clouds")!;
    }
}
