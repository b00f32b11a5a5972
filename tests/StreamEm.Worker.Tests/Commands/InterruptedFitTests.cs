using Microsoft.Extensions.Logging.Abstractions;
using StreamEm.Core.Snapshots;
using StreamEm.Worker.Fitting;
using StreamEm.Worker.Tests.Configuration;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Commands;

public sealed class InterruptedFitTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Stopped_InTheMiddle_KeepsWhatItHasLearned()
    {
        using var stop = new CancellationTokenSource();
        string trace = _directory["trace.ndjson"];
        var fit = new StreamFit(Request(trace), TimeProvider.System, TextWriter.Null, NullLogger.Instance);
        Task<ModelSnapshot> running = Task.Run(() => fit.RunAsync(stop.Token));
        await Eventually.True(() => File.Exists(trace) && new FileInfo(trace).Length > 0, "the trace to begin");

        await stop.CancelAsync();

        ModelSnapshot learned = await Eventually.Within(running);
        Assert.True(fit.IsInterrupted);
        Assert.True(learned.Training.Updates > 0, $"{learned.Training.Updates} updates");
        Assert.Equal(learned.Training.Records, fit.Rejections.Read);
    }

    [Fact]
    public async Task Stopped_BeforeThereIsAnything_IsCancelled()
    {
        using var stop = new CancellationTokenSource();
        await stop.CancelAsync();
        var fit = new StreamFit(Request(_directory["trace.ndjson"]), TimeProvider.System, TextWriter.Null, NullLogger.Instance);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => fit.RunAsync(stop.Token));
    }

    private FitRequest Request(string trace)
    {
        string data = _directory["data.csv"];
        File.WriteAllLines(data,
            Pipelines.Clouds(2000).Select(row => FormattableString.Invariant($"{row![0]},{row[1]}")).Prepend("temperature,pressure"));
        return new FitRequest
        {
            Model = ConfigFile.ModelWith("models.0.learning={minibatch: {size: 100}, initialization: {buffer: 300}}"),
            Data = [data],
            Passes = int.MaxValue,
            Trace = trace,
        };
    }
}
