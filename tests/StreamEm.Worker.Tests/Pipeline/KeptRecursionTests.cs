using StreamEm.Core.Estimation;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Tests.Configuration;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Pipeline;

/// <summary>A state goes on with the recursion it was learned with.</summary>
public sealed class KeptRecursionTests : IDisposable
{
    private const string Named = "models.0.learning.recursion=";
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task State_LearnedWithTheFormerDefault_GoesOnWithItWhereNoneIsNamed()
    {
        Checkpoint before = await Run(330, $"{Named}parameters");

        Checkpoint after = await Run(660);

        Assert.Equal((before.RunId, 660L), (after.RunId, after.Records));
        Assert.Equal(Recursion.Parameters, after.Latest!.Snapshot.Training.Recursion);
        Assert.Equal((before.ConfigHash, "parameters"), (after.ConfigHash, after.Configuration!["learning.recursion"]));
        Assert.Null(after.History);
        // To the same bytes as one that names it.
        Assert.Equal((await Run(990)).Learner.ToArray(), (await RunAnew(990, $"{Named}parameters")).Learner.ToArray());
    }

    [Fact]
    public async Task State_OfAnyRecursion_TakesTheOneThatIsNamed()
    {
        await Run(330, $"{Named}parameters");

        Checkpoint after = await Run(660, $"{Named}statistics");

        Assert.Equal(Recursion.Statistics, after.Latest!.Snapshot.Training.Recursion);
        Assert.Equal("learning.recursion: parameters -> statistics", Assert.Single(after.History!).Text);
    }

    [Fact]
    public async Task State_LearnedWithTheDefault_GoesOnWithIt()
    {
        await Run(330);

        Assert.Equal(Recursion.Statistics, (await Run(660)).Latest!.Snapshot.Training.Recursion);
    }

    private Task<Checkpoint> Run(int records, params string[] overrides) => RunIn(_directory, records, overrides);

    private static async Task<Checkpoint> RunAnew(int records, params string[] overrides)
    {
        using var directory = new TemporaryDirectory();
        for (int read = 330; read < records; read += 330) await RunIn(directory, read, overrides);
        return await RunIn(directory, records, overrides);
    }

    private static async Task<Checkpoint> RunIn(TemporaryDirectory directory, int records, string[] overrides)
    {
        ModelOptions options = ConfigFile.ModelWith([
            "models.0.model.components=2",
            "models.0.learning={minibatch: {size: 32, max_wait: null}, initialization: {buffer: 96, n_init: 1, max_wait: null}}",
            .. overrides]);
        await using ModelPipeline pipeline = Pipelines.Create(directory, options,
            position => new MemorySource(Pipelines.Clouds(records), position));
        await pipeline.StartAsync(CancellationToken.None);
        Assert.Null((await Eventually.Within(pipeline.Completion)).Failure);
        return new StateDirectory(directory["state"]).NewestOf("boiler")!;
    }
}
