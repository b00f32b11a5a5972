using System.Text;
using System.Text.Json.Nodes;
using StreamEm.Core;
using StreamEm.Core.Data;
using StreamEm.Core.Learning;
using StreamEm.Core.Snapshots;
using StreamEm.Worker.Display;

namespace StreamEm.Worker.Tests.Hostile;

/// <summary>
/// A snapshot from anywhere: read whole and sound, or refused with a sentence; never a fault, never memory it does not need.
/// </summary>
public sealed class HostileSnapshotTests
{
    private const int Mutations = 300;

    /// <summary>What reading, scoring and showing a snapshot of a few kilobytes may ask for.</summary>
    private const long MaxAllocated = 64L << 20;

    [Fact]
    public void Read_DamagedSnapshots_AreRefusedOrSound()
    {
        byte[][] snapshots = [.. HostileModel.All.Select(Snapshot)];
        int refused = 0;
        for (int mutation = 0; mutation < Mutations; mutation++)
        {
            int kind = mutation % snapshots.Length;
            byte[] damaged = JsonMutation.Of(snapshots[kind], new SplitMix64((ulong)mutation + 1));
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                AssertSound(SnapshotReader.Read(damaged));
            }
            catch (InvalidDataException failure)
            {
                refused++;
                Assert.NotEmpty(failure.Message);
            }
            catch (Exception failure) when (failure is not Xunit.Sdk.XunitException)
            {
                Assert.Fail($"mutation {mutation}: {failure}");
            }

            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(allocated < MaxAllocated, $"mutation {mutation} asked for {allocated} bytes");
        }

        Assert.InRange(refused, Mutations / 3, Mutations);
    }

    public static TheoryData<string, string> Wrong => new()
    {
        { "parameters.weights.data", "[0.5,0.6]" },
        { "parameters.weights.data", "[1.5,-0.5]" },
        { "parameters.weights.data", "[1]" },
        { "parameters.weights.shape", "[3]" },
        { "parameters.covariances.data", "[1,2,2,1,1,0,0,1]" },
        { "parameters.covariances.data", "[1,0.5,0,1,1,0,0,1]" },
        { "parameters.covariances.data", "[1e308,0,0,1e308,1e999,0,0,1]" },
        { "standardization.scale", "[0,1]" },
        { "model.options.components", "\"100000000\"" },
        { "version", "-1" },
        { "version", "99999999999999999999" },
        { "training.updates", "-5" },
        { "source", "{\"a.csv\":-1}" },
        { "component_ids", "[\"c0\"]" },
        { "calibration.quantiles", "[]" },
        { "calibration.quantiles", "[1,2]" },
        { "calibration.tail_scale", "0" },
        { "calibration.scores", "[0.1]" },
        { "calibration.log_densities", "[1,2]" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void Read_ValueOutsideItsDomain_IsRefused(string path, string value)
    {
        JsonNode root = JsonNode.Parse(Snapshot(HostileModel.All[0]))!, parent = root;
        string[] names = path.Split('.');
        foreach (string name in names[..^1]) parent = parent[name]!;
        parent[names[^1]] = JsonNode.Parse(value);

        Assert.Throws<InvalidDataException>(() => SnapshotReader.Read(Encoding.UTF8.GetBytes(root.ToJsonString())));
    }

    /// <summary>Whatever is read can be scored with, shown and written, and what it says can be read again.</summary>
    private static void AssertSound(ModelSnapshot snapshot)
    {
        HostileModel? model = HostileModel.All.FirstOrDefault(model => model.Type == snapshot.Options.Type);
        if (model is null || snapshot.Features.Count != 2) return;
        Minibatch rows = model.Rows(30, 3);
        int width = snapshot.Model.ScoreLayout.Length;
        double[] logDensities = new double[rows.Count], scores = new double[rows.Count * width], anomalies = new double[rows.Count];
        new Scorer(snapshot).Score(rows, logDensities, scores, anomalies);
        Assert.DoesNotContain(logDensities, double.IsNaN);
        Assert.DoesNotContain(scores, double.IsNaN);
        Assert.All(anomalies, score => Assert.True(double.IsNaN(score) || score is >= 0 and <= 1));
        ComponentTable.Write(snapshot, new StringWriter());
        SnapshotReader.Read(HostileModel.Json(snapshot));
    }

    private static byte[] Snapshot(HostileModel model)
    {
        Learner learner = model.Learner();
        model.Feed(learner, 900, 1);
        return HostileModel.Json(learner.CreateSnapshot()!);
    }
}
