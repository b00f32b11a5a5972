using System.Text;
using StreamEm.Core.Catalog;
using StreamEm.Core.Features;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Online;
using StreamEm.Core.Snapshots;

namespace StreamEm.Core.Tests.Online;

/// <summary>The library as its page shows it, and what it refuses.</summary>
public sealed class OnlineModelTests
{
    [Fact]
    public void Sample_OfTheDocumentation_DoesWhatItSays()
    {
        var random = new Random(7);
        IEnumerable<double[]> rows = Enumerable.Range(0, 4000).Select(row =>
            row % 2 == 0 ? new[] { Normal(random), Normal(random), 5 } : [10 + Normal(random), 4 + Normal(random), double.NaN]);

        // The sample: docs/library.md.
        var model = OnlineModel.GaussianMixture(features: 3, components: 2);
        model.Learn(rows);
        RowScore score = model.Score([0.1, -0.2, 5]);
        double[] means = model.Means;
        using var file = new MemoryStream();
        model.Save(file);

        Assert.True(model.IsReady);
        Assert.Equal(4000, model.Records + model.Pending);
        int near = score.Component, far = 1 - near;
        Assert.InRange(means[3 * near], -0.2, 0.2);
        Assert.InRange(means[3 * far], 9.8, 10.2);
        Assert.InRange(score.Responsibilities[near], 0.999, 1);
        Assert.InRange(score.AnomalyScore, 0, 0.9);
        Assert.InRange(model.Score([100, -100, 5]).AnomalyScore, 0.99, 1);
        Assert.Equal([2, 3], model.ShapeOf("means"));
        Assert.Equal(1, model.Weights.Sum(), 1e-12);
    }

    [Fact]
    public void Load_OfASavedModel_GoesOnToTheSameBytes()
    {
        var options = new OnlineModelOptions { MinibatchSize = 50, Buffer = 200 };
        var never = OnlineModel.GaussianMixture(2, 3, CovarianceType.Diag, options);
        var stopped = OnlineModel.GaussianMixture(2, 3, CovarianceType.Diag, options);
        double[] data = Data(1500, 2);
        never.Learn(data);
        for (int at = 0; at < data.Length; at += 2 * 137)
        {
            stopped.Learn(data.AsSpan(at, Math.Min(2 * 137, data.Length - at)));
            stopped = Again(stopped);
        }

        Assert.Equal(Bytes(never), Bytes(stopped));
        Assert.Equal(never.Score([1, 2]).LogDensity, stopped.Score([1, 2]).LogDensity);
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Create_AnyModelOfTheCatalogue_IsSavedAndLoaded(string type)
    {
        OnlineModel model = OnlineModel.Create(type, ["a", "b", "c", "d"]);
        Assert.False(model.IsReady);
        Assert.Throws<InvalidOperationException>(() => model.Score([1, 0, 1, 0]));
        Assert.Equal(Bytes(model), Bytes(Again(model)));
    }

    /// <summary>The models that take any four features as they are; others need to be told what is what.</summary>
    public static TheoryData<string> Types => [.. ModelCatalog.Entries
        .Where(entry => !entry.CreateOptions().ProblemsWith(new RecordSchema { Features = ["a", "b", "c", "d"] }).Any())
        .Select(entry => entry.Type)];

    [Fact]
    public void SaveSnapshot_IsWhatTheWorkerPublishes()
    {
        var model = OnlineModel.GaussianMixture(2, 2, options: new OnlineModelOptions { Buffer = 100, MinibatchSize = 50 });
        model.Learn(Data(400, 2));
        using var json = new MemoryStream();
        model.SaveSnapshot(json, "boiler");

        ModelSnapshot snapshot = SnapshotReader.Read(json.ToArray());
        Assert.Equal(("boiler", model.Updates), (snapshot.ModelId, snapshot.Version));
        Assert.Equal(model.Means, snapshot.Layout["means"].Of(snapshot.Parameters.AsSpan()).ToArray());
    }

    [Fact]
    public void Flush_FewerRowsThanAMinibatch_AreLearned()
    {
        var model = OnlineModel.GaussianMixture(1, 1, options: new OnlineModelOptions { Buffer = 1000, MinibatchSize = 500 });
        model.Learn(Data(120, 1));
        Assert.False(model.IsReady);
        Assert.True(model.Flush());
        while (model.Flush()) { }
        Assert.True(model.IsReady);
        Assert.Equal(120, model.Records);
    }

    [Theory]
    [InlineData("gausian_mixture", "components", "2", "did you mean 'gaussian_mixture'")]
    [InlineData("gaussian_mixture", "component", "2", "did you mean 'components'")]
    [InlineData("gaussian_mixture", "components", "0", "components is '0'; expected")]
    public void Create_WhatCannotBe_IsNamed(string type, string key, string value, string message)
    {
        var settings = new Dictionary<string, string> { [key] = value };
        ArgumentException refusal = Assert.ThrowsAny<ArgumentException>(() => OnlineModel.Create(type, ["a"], settings));
        Assert.Contains(message, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Arguments_ThatDoNotFit_AreRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => OnlineModel.GaussianMixture(0, 1));
        Assert.Throws<ArgumentException>(() => OnlineModel.GaussianMixture(1, 1, options: new OnlineModelOptions { Kappa = 0.5 }));
        Assert.Throws<ArgumentException>(() => OnlineModel.Create("gaussian_mixture", ["a", "a"]));
        var model = OnlineModel.GaussianMixture(2, 1);
        Assert.Throws<ArgumentException>(() => model.Learn([1, 2, 3]));
        Assert.Throws<ArgumentException>(() => model.Learn([[1.0]]));
        Assert.Throws<InvalidOperationException>(() => model.Parameter("means"));
    }

    [Fact]
    public void Load_AnythingElse_IsRefused()
    {
        byte[] good = Bytes(OnlineModel.GaussianMixture(1, 1));
        Assert.Throws<InvalidDataException>(() => OnlineModel.Load(new MemoryStream("hello"u8.ToArray())));
        for (int length = 0; length < good.Length; length++)
            Assert.Throws<InvalidDataException>(() => OnlineModel.Load(new MemoryStream(good, 0, length)));
        string text = Encoding.UTF8.GetString(good, 0, 100).Replace("gaussian", "gaussiam", StringComparison.Ordinal);
        Assert.Throws<InvalidDataException>(
            () => OnlineModel.Load(new MemoryStream([.. Encoding.UTF8.GetBytes(text), .. good[100..]])));
    }

    private static double[] Data(int rows, int features)
    {
        var random = new Random(rows);
        return [.. Enumerable.Range(0, rows * features).Select(at => Normal(random) + (at / features % 3) * 4)];
    }

    private static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    private static byte[] Bytes(OnlineModel model)
    {
        using var stream = new MemoryStream();
        model.Save(stream);
        return stream.ToArray();
    }

    private static OnlineModel Again(OnlineModel model) => OnlineModel.Load(new MemoryStream(Bytes(model)));
}
