using StreamEm.Core.Catalog;
using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.Initialization;
using StreamEm.Core.Learning;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Snapshots;
using StreamEm.Worker.Api;
using StreamEm.Worker.Candidates;
using StreamEm.Worker.Configuration.Kinds;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Candidates;

/// <summary>Models with other numbers of components learn the same stream and are ranked.</summary>
public sealed class CandidateRaceTests : IDisposable
{
    private static readonly RecordSchema Schema = new() { Features = ["x", "y"] };

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void Standings_OfThreeClusters_RankThreeFirst(int every)
    {
        CandidateRace race = Race(every);
        Minibatch rows = Clusters(20_000);
        for (int row = 0; row < rows.Count; row += 37) race.Take(rows, row, Math.Min(37, rows.Count - row));
        race.Flush();
        IReadOnlyList<CandidateStanding> standings = race.Standings();
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8], standings.Select(standing => standing.Components));
        Assert.Equal(3, Assert.Single(standings, standing => standing.Rank == 1).Components);
        Assert.Equal(8, standings.Select(standing => standing.Rank).Distinct().Count());
        // All from the same records: after the buffer one minibatch in so many.
        long expected = (20_000 - 1000) / every;
        Assert.All(standings, standing => Assert.InRange(standing.Records, expected - 200, expected + 200));
        Assert.Single(standings.Select(standing => standing.Records).Distinct());
    }

    [Fact]
    public void Save_AtAnyRecord_GoesOnToTheSameBytes()
    {
        Minibatch rows = Clusters(5000);
        CandidateRace whole = Race(4);
        whole.Take(rows, 0, rows.Count);
        foreach (int stop in (int[])[0, 500, 1000, 1001, 2345, 4999])
        {
            CandidateRace first = Race(4), second = Race(4);
            first.Take(rows, 0, stop);
            Assert.True(second.TryRestore(first.Save()));
            second.Take(rows, stop, rows.Count - stop);
            Assert.Equal(whole.Save(), second.Save());
        }
    }

    [Fact]
    public void TryRestore_OfOtherCandidates_BeginsAnew()
    {
        CandidateRace race = Race(4);
        race.Take(Clusters(2000), 0, 2000);
        byte[] state = race.Save();
        Assert.False(Race(2).TryRestore(state));
        Assert.False(Race(4, "sha256:other").TryRestore(state));
        Assert.False(Race(4, components: [1, 2]).TryRestore(state));
        Assert.Throws<InvalidDataException>(() => Race(4).TryRestore(state.AsMemory(0, state.Length / 2)));
    }

    [Fact]
    public async Task Pipeline_WithCandidates_PublishesTheirRanksAndGoesOnAfterAStop()
    {
        ModelOptions model = Pipelines.Model(_directory) with { Candidates = new CandidateOptions { Components = [1, 2, 3], Every = 2 } };
        IReadOnlyList<double[]?> items = Pipelines.Clouds(2000);
        using var other = new TemporaryDirectory();
        ModelOptions whole = Pipelines.Model(other) with { Candidates = model.Candidates };
        await Pipelines.Drain(other, whole, items);

        MemorySource? source = null;
        await using (ModelPipeline first = Pipelines.Create(
            _directory, model, position => source = new MemorySource([.. items.Take(1111)], position, endless: true)))
        {
            await first.StartAsync(CancellationToken.None);
            await Eventually.Within(source!.Drained);
            await Eventually.True(() => first.Metrics.Records == 1111, "all records are taken");
            first.RequestStop();
            Assert.Null((await Eventually.Within(first.Completion)).Failure);
        }

        await Pipelines.Drain(_directory, model, items);

        await using (ModelPipeline again = Pipelines.Create(_directory, model, position => new MemorySource(items, position)))
        {
            await again.StartAsync(CancellationToken.None);
            await Eventually.Within(again.Completion);
            Assert.Equal([1, 2, 3], ModelSummary.Of(again).Candidates!.Select(candidate => candidate.Rank));
            Assert.Equal(2, ModelSummary.Of(again).Candidates![0].Components);
        }

        ModelSnapshot expected = Last(other), found = Last(_directory);
        Assert.Equal(expected.Version, found.Version);
        Assert.Equal(expected.Candidates, found.Candidates);
        Assert.Equal(2, Assert.Single(found.Candidates, candidate => candidate.Rank == 1).Components);
    }

    [Theory]
    [InlineData("1..8", "1..8")]
    [InlineData("3,2, 5", "2,3,5")]
    [InlineData("2", "2")]
    [InlineData("[2,3,5]", "2,3,5")]
    [InlineData("[\"1..3\",8]", "1,2,3,8")]
    [InlineData("1..2,4", "1,2,4")]
    public void Numbers_AreReadAndWritten(string text, string canonical)
    {
        var kind = new ComponentNumbersKind();
        Assert.True(kind.TryParse(text, out IReadOnlyList<int>? numbers));
        Assert.Equal(canonical, kind.Format(numbers!));
    }

    [Theory]
    [InlineData("1..3", 1, 2, 3)]
    [InlineData("'2,3,5'", 2, 3, 5)]
    [InlineData("[5, 2, 3]", 2, 3, 5)]
    [InlineData("7", 7)]
    public void Numbers_InAConfiguration_MayBeAList(string yaml, params int[] numbers) => Assert.Equal(numbers,
        Configuration.ConfigFile.ModelWith($"models.0.candidates={{components: {yaml}}}").Candidates!.Components);

    [Theory]
    [InlineData("")]
    [InlineData("8..1")]
    [InlineData("0..3")]
    [InlineData("1...3")]
    [InlineData("2,x")]
    [InlineData("[]")]
    [InlineData("[2,3")]
    [InlineData("[2.5]")]
    [InlineData("[[2],3]")]
    public void Numbers_ThatAreNone_AreRefused(string text) => Assert.False(new ComponentNumbersKind().TryParse(text, out _));

    private static ModelSnapshot Last(TemporaryDirectory directory) => SnapshotReader.Read(
        System.Text.Encoding.UTF8.GetBytes(File.ReadLines(directory["out/snapshots.ndjson"]).Last()));

    private static CandidateRace Race(int every, string configHash = "sha256:test", IReadOnlyList<int>? components = null) => new(
        new CandidateOptions { Components = components ?? [1, 2, 3, 4, 5, 6, 7, 8], Every = every },
        ModelCatalog.MixtureOf(new GaussianOptions(), components: 4), Schema,
        new LearningOptions { MinibatchSize = 100, Initialization = new InitializationOptions { Buffer = 1000 } }, configHash);

    /// <summary>Three round clouds, ten standard deviations apart.</summary>
    private static Minibatch Clusters(int count)
    {
        var chance = new Random(3);
        double Normal() => Math.Sqrt(-2 * Math.Log(1 - chance.NextDouble())) * Math.Cos(2 * Math.PI * chance.NextDouble());
        var rows = new Minibatch(2, count);
        for (int row = 0; row < count; row++)
        {
            int k = chance.Next(3);
            rows.Add([(k == 1 ? 10 : 0) + Normal(), (k == 2 ? 10 : 0) + Normal()]);
        }

        return rows;
    }
}
