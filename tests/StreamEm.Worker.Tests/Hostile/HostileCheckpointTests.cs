using System.Buffers.Binary;
using System.Security.Cryptography;
using StreamEm.Core;
using StreamEm.Core.Learning;
using StreamEm.Core.Snapshots;
using StreamEm.Sources;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Rejections;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Hostile;

/// <summary>
/// A checkpoint with a checksum that is right and content that is not: refused with a sentence (65), or learned on from to snapshots that
/// are sound; never a fault of the program, never memory it does not need.
/// </summary>
public sealed class HostileCheckpointTests : IDisposable
{
    private const int Mutations = 300;
    private const long MaxAllocated = 256L << 20;

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Load_DamagedCheckpoints_AreRefusedOrLearnedOnFrom()
    {
        Checkpoint[] checkpoints = [.. HostileModel.All.Select(Of)];
        int refused = 0;
        for (int mutation = 0; mutation < Mutations; mutation++)
        {
            int kind = mutation % checkpoints.Length;
            byte[] damaged = Damaged(CheckpointFile.Encode(checkpoints[kind]), new SplitMix64((ulong)mutation + 1));
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                GoOn(HostileModel.All[kind], CheckpointFile.Decode(damaged));
            }
            catch (InvalidDataException failure)
            {
                refused++;
                Assert.NotEmpty(failure.Message);
            }
            catch (Exception failure) when (failure is not Xunit.Sdk.XunitException)
            {
                Assert.Fail($"mutation {mutation} of {HostileModel.All[kind].Type}: {failure}");
            }

            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(allocated < MaxAllocated, $"mutation {mutation} asked for {allocated} bytes");
        }

        Assert.InRange(refused, Mutations / 3, Mutations);
    }

    [Fact]
    public void Load_TheStateOfAnotherModel_IsRefusedWithASentence()
    {
        foreach (HostileModel model in HostileModel.All)
            foreach (HostileModel other in HostileModel.All.Where(other => other != model))
            {
                using var reader = new BinaryReader(new MemoryStream(Of(model).Learner.ToArray()));
                Assert.NotEmpty(Assert.Throws<InvalidDataException>(() => other.Learner().Load(reader)).Message);
            }
    }

    [Fact]
    public void Open_CheckpointOfAnAbsurdNumber_IsRefusedWith65()
    {
        Directory.CreateDirectory(_directory["state/clouds"]);
        File.WriteAllBytes(_directory["state/clouds/checkpoint-09223372036854775807.sem"], [1]);

        var refused = Assert.Throws<CommandException>(() => new CheckpointDirectory(_directory["state"], "clouds", 3, new ListLogger()));

        Assert.Equal(ExitCode.DataCorrupt, refused.ExitCode);
    }

    /// <summary>What is not yet published would be published as it is.</summary>
    [Fact]
    public async Task Run_UnpublishedSnapshotsThatAreNone_EndsWith65AndPublishesNothing()
    {
        ModelOptions options = Pipelines.Model(_directory);
        await Pipelines.Drain(_directory, options, Pipelines.Clouds(400));
        string file = Directory.GetFiles(_directory["state/clouds"], "*.sem").Max(StringComparer.Ordinal)!;
        Checkpoint checkpoint = CheckpointFile.Decode(File.ReadAllBytes(file));
        File.WriteAllBytes(file, CheckpointFile.Encode(checkpoint with
        {
            Outbox = [new OutboxEntry(checkpoint.Updates, true, "{\"version\":13,\"status\":\"ok\"}"u8.ToArray())],
        }));
        byte[] published = File.ReadAllBytes(_directory["out/snapshots.ndjson"]);

        await using ModelPipeline pipeline =
            Pipelines.Create(_directory, options, position => new MemorySource(Pipelines.Clouds(500), position));
        var refused = await Assert.ThrowsAsync<CommandException>(() => pipeline.StartAsync(CancellationToken.None));

        Assert.Equal(ExitCode.DataCorrupt, refused.ExitCode);
        Assert.Equal(published, File.ReadAllBytes(_directory["out/snapshots.ndjson"]));
    }

    /// <summary>Loads, learns on and publishes: what comes of it can be read, or says itself that it is not well.</summary>
    private static void GoOn(HostileModel model, Checkpoint checkpoint)
    {
        Learner learner = model.Learner();
        using var reader = new BinaryReader(new MemoryStream(checkpoint.Learner.ToArray()));
        learner.Load(reader);
        model.Feed(learner, 200, 7);
        if (learner.CreateSnapshot() is not { } learned) return;
        byte[] json = HostileModel.Json(learned);
        if (learned.Training.Status == TrainingReport.Ok) SnapshotReader.Read(json);
    }

    /// <summary>Damages header, learner's state or snapshot, and makes the lengths and the checksum right again where it can.</summary>
    private static byte[] Damaged(byte[] bytes, SplitMix64 chance)
    {
        const int Preamble = 28;
        int header = (int)BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(12)), body = Preamble + header;
        byte[] content = bytes[..^SHA256.HashSizeInBytes];
        if (chance.NextInt32(5) == 0)
        {
            byte[] other = JsonMutation.Of(content.AsSpan(Preamble, header), chance);
            content = [.. content[..Preamble], .. other, .. content[body..]];
            BinaryPrimitives.WriteInt64LittleEndian(content.AsSpan(12), other.Length);
        }
        else if (chance.NextInt32(10) == 0)
        {
            content = content[..(Preamble + chance.NextInt32(content.Length - Preamble))];
        }
        else
        {
            Overwrite(content.AsSpan(body + chance.NextInt32(content.Length - body - 8)), chance);
        }

        return [.. content, .. SHA256.HashData(content)];
    }

    private static void Overwrite(Span<byte> at, SplitMix64 chance)
    {
        double[] doubles = [double.NaN, double.PositiveInfinity, -1, 1e300, 0, 1e-300, 2, -1e300];
        switch (chance.NextInt32(4))
        {
            case 0:
                at[0] = (byte)chance.NextInt32(256);
                break;
            case 1:
                BinaryPrimitives.WriteInt32LittleEndian(at, chance.NextInt32(2) == 0 ? int.MaxValue : -chance.NextInt32(1 << 30));
                break;
            case 2:
                BinaryPrimitives.WriteUInt64LittleEndian(at, chance.NextUInt64());
                break;
            default:
                BinaryPrimitives.WriteDoubleLittleEndian(at, doubles[chance.NextInt32(doubles.Length)]);
                break;
        }
    }

    private static Checkpoint Of(HostileModel model)
    {
        Learner learner = model.Learner();
        model.Feed(learner, 610, 1);
        var state = new MemoryStream();
        using var writer = new BinaryWriter(state);
        learner.Save(writer);
        var position = new SourcePosition();
        position.Set("a.csv", new PartitionPosition(1000, "abc"));
        return new Checkpoint
        {
            ModelId = "m",
            RunId = "run",
            ConfigHash = "sha256:0",
            CreatedAt = new DateTimeOffset(2026, 11, 20, 8, 0, 0, TimeSpan.Zero),
            Updates = learner.Updates,
            Records = learner.Records,
            Position = position,
            Rejections = new RejectionCounts { Read = 610 },
            Latest = SnapshotDocument.Parse(HostileModel.Json(learner.CreateSnapshot()!)),
            Outbox = [],
            Learner = state.ToArray(),
        };
    }
}
