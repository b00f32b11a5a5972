using System.Buffers;
using StreamEm.Core;
using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Initialization;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;

namespace StreamEm.Worker.Tests.Hostile;

/// <summary>Small models of several kinds, whose snapshots and states are then damaged.</summary>
/// <param name="Type">In the catalogue.</param>
/// <param name="Settings">Its options.</param>
internal sealed record HostileModel(string Type, Dictionary<string, string> Settings)
{
    public static readonly HostileModel[] All =
    [
        new("gaussian_mixture", new() { ["components"] = "2" }),
        new("gaussian_mixture", new() { ["components"] = "2", ["covariance_type"] = "diag" }),
        new("categorical_mixture", new() { ["components"] = "2" }),
        new("hidden_markov", new() { ["states"] = "2", ["max_keys"] = "100" }),
    ];

    private static readonly LearningOptions Learning = new()
    {
        MinibatchSize = 40,
        Initialization = new InitializationOptions { Buffer = 100, NInit = 1 },
    };

    private LatentModelOptions Options => ModelCatalog.Find(Type)!.Read(Settings);

    private RecordSchema Schema => new()
    {
        Features = ["x", "y"],
        Key = Type == "hidden_markov" ? "device" : null,
        Kinds = Type == "categorical_mixture" ? [FeatureKind.Level, FeatureKind.Level] : [],
    };

    /// <summary>A learner of this model without state.</summary>
    public Learner Learner() => new(Options, Schema, Learning);

    /// <summary>Learns from so many rows to their end.</summary>
    public void Feed(Learner learner, int count, ulong seed)
    {
        Minibatch rows = Rows(count, seed);
        for (int row = 0; row < count; row++)
        {
            learner.Add(rows, row, 1);
            while (learner.TryUpdate()) { }
        }
    }

    /// <summary>Rows in two clouds, some values missing, as a source delivers them.</summary>
    public Minibatch Rows(int count, ulong seed)
    {
        var chance = new SplitMix64(seed);
        var texts = new TextTable();
        bool isLevel = Type == "categorical_mixture";
        var rows = new Minibatch(2, count, texts, isLevel ? [0, 1] : []);
        for (int row = 0; row < count; row++)
        {
            double centre = chance.NextDouble() < 0.5 ? 0 : 5;
            double[] values = new double[2];
            for (int d = 0; d < 2; d++)
            {
                double value = centre + chance.NextDouble() + chance.NextDouble();
                values[d] = chance.NextDouble() < 0.1 ? double.NaN
                    : isLevel ? texts.Number($"level {Math.Floor(value)}") : value;
            }
            rows.Add(values, weight: 0.5 + chance.NextDouble(), key: Type == "hidden_markov" ? texts.Number($"k{row % 3}") : -1);
        }
        return rows;
    }

    /// <summary>A snapshot as it is written.</summary>
    public static byte[] Json(LearnedModel learned)
    {
        var output = new ArrayBufferWriter<byte>();
        SnapshotJson.Write(new ModelSnapshot(learned,
            new SnapshotOrigin("m", "run", "sha256:0", new DateTimeOffset(2026, 11, 20, 8, 0, 0, TimeSpan.Zero))), output);
        return output.WrittenSpan.ToArray();
    }
}
