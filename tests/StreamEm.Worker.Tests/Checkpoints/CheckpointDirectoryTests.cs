using System.Buffers.Binary;
using System.Text;
using StreamEm.Sources;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Keys;
using StreamEm.Worker.Rejections;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Checkpoints;

public sealed class CheckpointDirectoryTests : IDisposable
{
    private readonly TemporaryDirectory _state = new();
    private readonly ListLogger _log = new();

    public void Dispose() => _state.Dispose();

    [Fact]
    public void Load_AfterWrite_GivesTheSameValue()
    {
        Checkpoint written = Sample(7);
        Open().Write(written);

        Checkpoint read = Open().LoadNewest()!;

        Assert.Equal((written.ModelId, written.RunId, written.ConfigHash, written.CreatedAt),
            (read.ModelId, read.RunId, read.ConfigHash, read.CreatedAt));
        Assert.Equal((7, 700, 42), (read.Updates, read.Records, read.RejectedFileLength));
        Assert.Equal(written.Position.Partitions, read.Position.Partitions);
        Assert.Equal((written.Rejections.Read, written.Rejections.RecentRead, written.Rejections.RecentRejected),
            (read.Rejections.Read, read.Rejections.RecentRead, read.Rejections.RecentRejected));
        Assert.Equal(written.Rejections.ByReason, read.Rejections.ByReason);
        Assert.Equal(written.Learner.ToArray(), read.Learner.ToArray());
        Assert.Equal(
            written.Outbox.Select(entry => (entry.Version, entry.IsLast, entry.IsAcknowledged, Convert.ToHexString(entry.Json.Span))),
            read.Outbox.Select(entry => (entry.Version, entry.IsLast, entry.IsAcknowledged, Convert.ToHexString(entry.Json.Span))));
    }

    [Fact]
    public void Encode_Header_NamesEveryFieldInTheFormatsOrder()
    {
        byte[] bytes = CheckpointFile.Encode(Sample(7));

        int length = (int)BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(12));
        Assert.Equal(
            """
            {"format":"streamem.checkpoint","model_id":"boiler","run_id":"run","config_hash":"sha256:1","created_at":"2026-11-20T08:00:00+00:00","updates":7,"records":700,
            "position":{"data/a.csv":{"next":1007,"identity":"abc"},"data/b.csv":{"next":5}},
            "rejections":{"read":12,"by_reason":[0,1,2],"unread_keys":0,"unread_timestamps":0,"recent_read":11.5,"recent_rejected":0.25},"rejected_file_length":42,
            "learner_length":4,"latest_length":0,"outbox":[{"version":7,"is_last":false,"length":3,"is_acknowledged":false},{"version":8,"is_last":true,"length":1,"is_acknowledged":true}]}
            """.ReplaceLineEndings(""),
            Encoding.UTF8.GetString(bytes, 28, length));
    }

    [Fact]
    public void Load_WithoutARejectedFile_HasNoLength()
    {
        Open().Write(Sample(7) with { RejectedFileLength = null });

        Assert.Null(Open().LoadNewest()!.RejectedFileLength);
    }

    [Fact]
    public void Load_NothingWritten_IsNull() => Assert.Null(Open().LoadNewest());

    [Fact]
    public void Write_MoreThanKept_DeletesTheOldest()
    {
        CheckpointDirectory directory = Open();
        for (int updates = 1; updates <= 5; updates++) directory.Write(Sample(updates));
        Assert.Equal(
            ["checkpoint-00000000000000000003.sem", "checkpoint-00000000000000000004.sem", "checkpoint-00000000000000000005.sem"],
            Files().Select(Path.GetFileName));
    }

    [Fact]
    public void Write_Files_AreTheOwnersAlone()
    {
        if (OperatingSystem.IsWindows()) return;
        Open().Write(Sample(1));

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Files()[0]));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(_state["boiler"]));
    }

    [Fact]
    public void Load_NewestTruncatedAnywhere_FallsBackToTheOneBefore()
    {
        Open().Write(Sample(1));
        Open().Write(Sample(2));
        byte[] whole = File.ReadAllBytes(Files()[1]);

        for (int length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(Files()[1], whole[..length]);
            Assert.Equal(1, Open().LoadNewest()!.Updates);
        }
    }

    [Fact]
    public void Load_NewestWithAnyBitFlipped_FallsBackToTheOneBefore()
    {
        Open().Write(Sample(1));
        Open().Write(Sample(2));
        byte[] whole = File.ReadAllBytes(Files()[1]);

        for (int at = 0; at < whole.Length; at++)
        {
            byte[] damaged = (byte[])whole.Clone();
            damaged[at] ^= (byte)(1 << (at % 8));
            File.WriteAllBytes(Files()[1], damaged);
            Assert.Equal(1, Open().LoadNewest()!.Updates);
        }

        Assert.Contains("checkpoint_damaged", _log.Events);
    }

    [Fact]
    public void Load_AllDamaged_StopsWith65AndNamesThem()
    {
        Open().Write(Sample(1));
        Open().Write(Sample(2));
        foreach (string file in Files()) File.WriteAllBytes(file, [1, 2, 3]);

        CommandException refusal = Assert.Throws<CommandException>(() => Open().LoadNewest());

        Assert.Equal(ExitCode.DataCorrupt, refusal.ExitCode);
        Assert.Contains("None of the 2 checkpoints", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("checkpoint-00000000000000000002.sem", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_AfterADamagedNewest_TakesTheNextNumber()
    {
        Open().Write(Sample(1));
        Open().Write(Sample(2));
        File.WriteAllBytes(Files()[1], [1, 2, 3]);

        Open().Write(Sample(3));

        Assert.Equal(3, Open().LoadNewest()!.Updates);
    }

    /// <summary>
    /// Every state a crash can leave between the steps create - write - flush - rename - flush directory - delete old. Before the rename
    /// the temporary file holds any prefix; the rename may or may not have reached the disk; so may each deletion.
    /// </summary>
    [Fact]
    public void Load_EveryCrashStateOfTheProtocol_GivesTheOldOrTheNewCheckpoint()
    {
        byte[] old = CheckpointFile.Encode(Sample(1)), next = CheckpointFile.Encode(Sample(2));
        string oldFile = _state["boiler/checkpoint-00000000000000000001.sem"],
            newFile = _state["boiler/checkpoint-00000000000000000002.sem"];
        string temporary = newFile + ".tmp";
        Directory.CreateDirectory(_state["boiler"]);

        for (int length = 0; length <= next.Length; length++)
        {
            File.WriteAllBytes(oldFile, old);
            File.WriteAllBytes(temporary, next[..length]);
            Assert.Equal(1, Open().LoadNewest()!.Updates);
            Assert.False(File.Exists(temporary), "The unfinished file stayed.");
        }

        File.WriteAllBytes(newFile, next);
        Assert.Equal(2, Open().LoadNewest()!.Updates);
        File.Delete(oldFile);
        Assert.Equal(2, Open().LoadNewest()!.Updates);
        // And on goes the next one from each of them.
        Open().Write(Sample(3));
        Assert.Equal(3, Open().LoadNewest()!.Updates);
    }

    [Fact]
    public void Open_DirectoryThatCannotBeCreated_IsRefusedWith73()
    {
        File.WriteAllText(_state["boiler"], "a file");

        CommandException refusal = Assert.Throws<CommandException>(Open);
        Assert.Equal(ExitCode.CannotCreate, refusal.ExitCode);
        Assert.StartsWith($"The checkpoints of model 'boiler' cannot be kept in '{_state["boiler"]}': ", refusal.Message,
            StringComparison.Ordinal);
        Assert.EndsWith("Set state_directory to a directory this user may write.", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_FolderThatAnyoneMayWrite_IsRefusedWith73()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no such modes.");
        Open();
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(_state["boiler"], (UnixFileMode)0b111_111_111);

        Assert.Equal(ExitCode.CannotCreate, Assert.Throws<CommandException>(Open).ExitCode);
    }

    [Theory]
    [InlineData(1_000_000_000_000_000, true)]
    [InlineData(1_000_000_000_000_001, false)]
    public void Open_NumberThatNoRunReaches_IsRefusedWith65(long sequence, bool isFine)
    {
        Directory.CreateDirectory(_state["boiler"]);
        File.WriteAllBytes(_state[$"boiler/checkpoint-{sequence:D20}.sem"], CheckpointFile.Encode(Sample(1)));

        if (isFine)
        {
            Assert.Equal(1, Open().LoadNewest()!.Updates);
            return;
        }

        CommandException refusal = Assert.Throws<CommandException>(Open);
        Assert.Equal(ExitCode.DataCorrupt, refusal.ExitCode);
        Assert.EndsWith("checkpoint-00001000000000000001.sem' has a number no run of checkpoints reaches (expected at most "
            + "1000000000000000): it is none of this worker's. Move it away.", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_FilesThatAreNamedAlmostAlike_AreLeftAlone()
    {
        Open().Write(Sample(1));
        foreach (string name in (string[])["7", "0000000000000000000x", "000000000000000000002"])
            File.WriteAllBytes(_state[$"boiler/checkpoint-{name}.sem"], [1]);

        Assert.Equal(1, Open().LoadNewest()!.Updates);
        Assert.Contains("checkpoint_loaded", _log.Events);
        Assert.Equal(4, Files().Length);
    }

    [Fact]
    public void Load_FileThatCannotBeRead_StopsWith74()
    {
        Directory.CreateDirectory(_state["boiler"]);
        File.CreateSymbolicLink(_state["boiler/checkpoint-00000000000000000001.sem"], _state["boiler/nowhere"]);

        CommandException refusal = Assert.Throws<CommandException>(() => Open().LoadNewest());

        Assert.Equal(ExitCode.InputOutput, refusal.ExitCode);
        Assert.StartsWith($"The checkpoint '{_state["boiler/checkpoint-00000000000000000001.sem"]}' cannot be read: ", refusal.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void SegmentsNamed_OfEveryCheckpointKept_AreThoseItsFilesName()
    {
        CheckpointDirectory directory = Open();
        for (int updates = 1; updates <= 4; updates++)
            directory.Write(Sample(updates) with { Keys = new KeyLogMark(5, [new KeySegmentMark(updates, 9)]) });

        Assert.Equal([2L, 3L, 4L], directory.SegmentsNamed().Order());
        Assert.Equal([2L, 3L, 4L], Open().SegmentsNamed().Order());
        directory.Write(Sample(5));
        Assert.Equal([3L, 4L], directory.SegmentsNamed().Order());
        File.WriteAllBytes(Files()[0], [1, 2, 3]);
        Assert.Equal([4L], Open().SegmentsNamed().Order());
    }

    [Fact]
    public void Write_SameVersionAgainAndAgain_LeavesTheVersionsBefore()
    {
        CheckpointDirectory directory = Open();
        foreach (int version in (int[])[1, 2, 3]) directory.Write(Sample(version));
        for (int start = 0; start < 4; start++)
        {
            directory = Open();
            Checkpoint loaded = directory.LoadNewest()!;
            directory.Write(loaded);
            directory.Write(loaded);
        }

        Assert.Equal([1, 2, 3, 3], Files().Select(file => CheckpointFile.Decode(File.ReadAllBytes(file)).Updates));
    }

    private CheckpointDirectory Open() => new(_state.Path, "boiler", keep: 3, _log);

    private string[] Files() => [.. Directory.GetFiles(_state["boiler"], "*.sem").Order(StringComparer.Ordinal)];

    private static Checkpoint Sample(int updates)
    {
        var position = new SourcePosition();
        position.Set("data/a.csv", new PartitionPosition(1000 + updates, "abc"));
        position.Set("data/b.csv", new PartitionPosition(5));
        return new Checkpoint
        {
            ModelId = "boiler",
            RunId = "run",
            ConfigHash = "sha256:1",
            CreatedAt = new DateTimeOffset(2026, 11, 20, 8, 0, 0, TimeSpan.Zero),
            Updates = updates,
            Records = updates * 100,
            Position = position,
            Rejections = new RejectionCounts { Read = 12, ByReason = [0, 1, 2], RecentRead = 11.5, RecentRejected = 0.25 },
            RejectedFileLength = 42,
            Latest = null,
            Outbox = [new OutboxEntry(updates, false, new byte[] { 1, 2, 3 }),
                new OutboxEntry(updates + 1, true, new byte[] { 4 }, isAcknowledged: true)],
            Learner = new byte[] { 9, 8, 7, 6 },
        };
    }
}
