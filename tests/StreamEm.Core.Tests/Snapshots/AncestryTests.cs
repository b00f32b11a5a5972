using System.Buffers;
using System.Text;
using StreamEm.Core.Learning;
using StreamEm.Core.Snapshots;
using StreamEm.Core.Tests.Support;

namespace StreamEm.Core.Tests.Snapshots;

public sealed class AncestryTests
{
    private static readonly SnapshotParent Parent = new("run", 2, "sha256:" + new string('a', 64));

    private static readonly SnapshotParent Other = new("another", 7, "sha256:" + new string('c', 64));

    private static readonly Lazy<ModelSnapshot> Snapshot = new(() =>
    {
        Learner learner = Streams.Learn(
            Gaussians.Mixture(2), new LearningOptions { MinibatchSize = 100, Initialization = new() { Buffer = 200, NInit = 1 } },
            Gaussians.Three.Draw(300, 1));
        return new ModelSnapshot(Streams.Snapshot(learner), new SnapshotOrigin("boiler", "run", "sha256:c", DateTimeOffset.UnixEpoch)
        {
            Source = new Dictionary<string, long>(StringComparer.Ordinal) { ["b.csv"] = 7, ["a.csv"] = 3 },
        });
    });

    [Fact]
    public void Of_WhenAndByWhichRunItWasMade_DoesNotCount()
    {
        SnapshotOrigin origin = Snapshot.Value.Origin with { CreatedAt = DateTimeOffset.MaxValue, RunId = "other" };
        ModelSnapshot later = Snapshot.Value with { Origin = origin };

        Assert.Equal(Ancestry.Of(Snapshot.Value, [Parent]).Hash, Ancestry.Of(later, [Parent]).Hash);
    }

    [Fact]
    public void Of_EverythingElse_Counts()
    {
        ModelSnapshot snapshot = Snapshot.Value;
        double[] moved = [.. snapshot.Parameters];
        moved[^1] = BitConverter.Int64BitsToDouble(BitConverter.DoubleToInt64Bits(moved[^1]) + 1);
        string[] hashes =
        [
            Ancestry.Of(snapshot, [Parent]).Hash,
            Ancestry.Of(snapshot, []).Hash,
            Ancestry.Of(snapshot, [Parent with { Hash = "sha256:" + new string('b', 64) }]).Hash,
            Ancestry.Of(snapshot with { Parameters = moved }, [Parent]).Hash,
            Ancestry.Of(snapshot with { Version = 9 }, [Parent]).Hash,
            Ancestry.Of(snapshot with { Training = snapshot.Training with { Records = 1 } }, [Parent]).Hash,
            Ancestry.Of(snapshot with { Labels = ["a", null] }, [Parent]).Hash,
            Ancestry.Of(snapshot with { Calibration = null }, [Parent]).Hash,
            Ancestry.Of(snapshot with { Origin = snapshot.Origin with { ModelId = "other" } }, [Parent]).Hash,
            Ancestry.Of(snapshot with { Origin = snapshot.Origin with { ConfigHash = "other" } }, [Parent]).Hash,
            Ancestry.Of(snapshot with { ComponentIds = ["c0", "c2"] }, [Parent]).Hash,
            Ancestry.Of(
                snapshot with { Origin = snapshot.Origin with { Source = new Dictionary<string, long> { ["a.csv"] = 3 } } }, [Parent]).Hash,
        ];

        Assert.All(hashes, hash => Assert.True(Ancestry.IsHash(hash), hash));
        Assert.Equal(hashes.Length, hashes.Distinct().Count());
    }

    [Fact]
    public void Json_ReadBack_SaysTheSameAndHashesToTheSame()
    {
        byte[] json = Json(Snapshot.Value with { Ancestry = Ancestry.Of(Snapshot.Value, [Parent, Other]) });

        ModelSnapshot read = SnapshotReader.Read(json);

        Assert.Equal([Parent, Other], read.Ancestry!.Parents);
        Assert.Equal(Ancestry.Of(Snapshot.Value, [Parent, Other]).Hash, read.Ancestry.Hash);
        Assert.Equal(read.Ancestry.Hash, Ancestry.Of(read, read.Ancestry.Parents).Hash);
    }

    [Fact]
    public void Json_WithoutAncestry_SaysNothing()
    {
        byte[] json = Json(Snapshot.Value);

        Assert.Null(SnapshotReader.Read(json).Ancestry);
    }

    [Fact]
    public void Json_AHashThatIsNone_IsRefused()
    {
        byte[] json = Json(Snapshot.Value with { Ancestry = new Ancestry("sha256:x", []) });

        Assert.Throws<InvalidDataException>(() => SnapshotReader.Read(json));
    }

    [Fact]
    public void InitialParameters_OfASnapshot_KnowWhichItIs()
    {
        Ancestry ancestry = Ancestry.Of(Snapshot.Value, []);

        InitialParameters initial = SnapshotReader.ReadInitialParameters(Json(Snapshot.Value with { Ancestry = ancestry }));

        Assert.Equal(new SnapshotParent("run", Snapshot.Value.Version, ancestry.Hash), initial.Parent);
        Assert.Null(SnapshotReader.ReadInitialParameters(Encoding.UTF8.GetBytes("""{"parameters": {"weights": [1]}}""")).Parent);
    }

    private static byte[] Json(ModelSnapshot snapshot)
    {
        var output = new ArrayBufferWriter<byte>();
        SnapshotJson.Write(snapshot, output);
        return output.WrittenSpan.ToArray();
    }
}
