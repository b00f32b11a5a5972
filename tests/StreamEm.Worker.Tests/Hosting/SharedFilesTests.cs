using Microsoft.Extensions.Logging.Abstractions;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Hosting;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Publishing;
using StreamEm.Worker.Rejections;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Hosting;

/// <summary>Two writers of one file would cut each other's lines.</summary>
public sealed class SharedFilesTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Run_TwoModelsPublishToOneFile_IsRefusedWithBothNames() => await IsRefused(
        [Model("boiler", "out/a.ndjson", "out/b.ndjson"), Model("pump", "out/../out/a.ndjson", "out/c.ndjson")], "'boiler'", "'pump'");

    [Fact]
    public async Task Run_OneModelPublishesToItsRejectedFile_IsRefused() =>
        await IsRefused([Model("boiler", "out/a.ndjson", "out/a.ndjson")], "'boiler'", "twice");

    [Fact]
    public async Task Run_OneModelPublishesTwiceToOneFile_IsRefused()
    {
        ModelOptions model = Model("boiler", "out/a.ndjson", "out/b.ndjson");
        await IsRefused([model with { Publish = [model.Publish[0], model.Publish[0]] }], "'boiler'", "twice");
    }

    [Fact]
    public async Task Run_RejectedRecordsOfTwoModelsInOneFile_IsRefused() => await IsRefused(
        [Model("boiler", "out/a.ndjson", "out/c.ndjson"), Model("pump", "out/b.ndjson", "out/c.ndjson")], "'boiler'", "'pump'");

    private async Task IsRefused(ModelOptions[] models, params string[] words)
    {
        var host = new WorkerHost(
            new WorkerOptions { StateDirectory = _directory["state"], Models = models },
            (_, position) => new MemorySource([], position), TimeProvider.System, NullLoggerProvider.Instance)
        { Once = true };

        CommandException refusal = await Assert.ThrowsAsync<CommandException>(() => host.RunAsync(CancellationToken.None));

        Assert.Equal(ExitCode.Configuration, refusal.ExitCode);
        Assert.All(words, word => Assert.Contains(word, refusal.Message, StringComparison.Ordinal));
        Assert.False(Directory.Exists(_directory["out"]), "Something was written.");
    }

    private ModelOptions Model(string id, string snapshots, string rejected) => Pipelines.Model(_directory) with
    {
        Id = id,
        Publish = [new FilePublisherOptions { Path = _directory[snapshots] }],
        Rejected = new RejectedOptions { File = _directory[rejected] },
    };
}
