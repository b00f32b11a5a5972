using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using StreamEm.Sources;
using StreamEm.Sources.Catalog;
using StreamEm.Sources.Files;
using StreamEm.Worker.Api;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Hosting;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Publishing;
using StreamEm.Worker.Rejections;
using StreamEm.Worker.Scores;
using StreamEm.Worker.Scoring;

namespace StreamEm.Worker.Rehearsals;

/// <summary>What a rehearsal found of one model.</summary>
/// <param name="Id">The model's id.</param>
/// <param name="Records">Records that were learned from.</param>
/// <param name="ToFirstVersion">From the start of the worker to its first version; null when there was none.</param>
/// <param name="ToFirst">Records that the first version takes.</param>
/// <param name="PerSecond">Records a second after the first version.</param>
/// <param name="CheckpointBytes">Bytes of a checkpoint.</param>
/// <param name="VersionBytes">Bytes of a published version.</param>
/// <param name="ScoreBytes">Bytes of scores for each record, over all sinks.</param>
/// <param name="Failure">Why it failed; null when it did not.</param>
internal sealed record RehearsedModel(
    string Id, long Records, TimeSpan? ToFirstVersion, int ToFirst, double PerSecond, long CheckpointBytes, long VersionBytes,
    double ScoreBytes,
    string? Failure);

/// <summary>
/// Runs the worker as it is configured for some seconds on data that are at hand, in a folder of its own that is gone afterwards: what goes
/// to topics and webhooks goes to files there. What it takes is measured, not computed.
/// </summary>
/// <param name="options">The configuration.</param>
/// <param name="data">Files to read instead of every model's source; empty: the models' own files.</param>
/// <param name="startUp">What the process took to begin, as a worker's would.</param>
/// <param name="time">The clock.</param>
internal sealed class Rehearsal(WorkerOptions options, IReadOnlyList<string> data, TimeSpan startUp, TimeProvider time)
{
    /// <summary>How long it goes on after every model has its first version, or, without, at all.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(10), Without = TimeSpan.FromMinutes(2);

    /// <summary>Memory of the process at its most.</summary>
    public long PeakBytes { get; private set; }

    /// <summary>Runs it.</summary>
    /// <exception cref="CommandException">It could not start.</exception>
    public async Task<IReadOnlyList<RehearsedModel>> RunAsync(CancellationToken cancellationToken)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("streamem-rehearsal-");
        try
        {
            return await RunAsync(folder.FullName, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private async Task<IReadOnlyList<RehearsedModel>> RunAsync(string folder, CancellationToken cancellationToken)
    {
        ModelOptions[] models = [.. options.Models.Select(model => Within(model, Path.Combine(folder, model.Id)))];
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        stop.CancelAfter(Without);
        var host = new WorkerHost(
            options with
            {
                Http = new HttpOptions { Address = "127.0.0.1:0" },
                StateDirectory = Path.Combine(folder, "state"),
                Models = models
            },
            (model, position) => SourceCatalog.Create(model.Source, new SourceContext(model.Schema.Read, position, time)
            { Once = true, MinibatchSize = model.Learning.MinibatchSize }),
            time, NullLoggerProvider.Instance)
        { Once = true };
        long start = time.GetTimestamp();
        Task<int> running = Task.Run(() => host.RunAsync(stop.Token), CancellationToken.None);
        var watches = new Dictionary<string, Watch>(StringComparer.Ordinal);
        bool isTimed = false;
        while (!running.IsCompleted)
        {
            Look(host, watches, start);
            if (!isTimed && watches.Count == models.Length && watches.Values.All(watch => watch.First is not null))
            {
                isTimed = true;
                stop.CancelAfter(Longest);
            }

            await Task.WhenAny(running, Task.Delay(TimeSpan.FromMilliseconds(5), time, CancellationToken.None)).ConfigureAwait(false);
        }

        // A run over few records ends before it is looked at.
        Look(host, watches, start);
        using var process = Process.GetCurrentProcess();
        PeakBytes = process.PeakWorkingSet64;
        string? failure = null;
        try
        {
            await running.ConfigureAwait(false);
        }
        catch (CommandException failed)
        {
            failure = failed.Message;
        }

        return [.. models.Select(model => Report(model, folder, watches.GetValueOrDefault(model.Id), failure))];
    }

    private void Look(WorkerHost host, Dictionary<string, Watch> watches, long start)
    {
        foreach (ModelPipeline model in host.Models)
        {
            if (!watches.TryGetValue(model.Options.Id, out Watch? watch)) watches.Add(model.Options.Id, watch = new Watch());
            TimeSpan now = time.GetElapsedTime(start);
            if (model.Feed.Latest is { } latest && watch.First is null)
                (watch.First, watch.RecordsThen) = (now, latest.Snapshot.Training.Records);
            if (model.Feed.Latest is { } newest) (watch.Last, watch.Records) = (now, newest.Snapshot.Training.Records);
            watch.Checkpoint = Math.Max(watch.Checkpoint, model.Metrics.CheckpointSize);
        }
    }

    private RehearsedModel Report(ModelOptions model, string folder, Watch? watch, string? failure)
    {
        string own = Path.Combine(folder, model.Id);
        (long versions, long versionBytes) = Lines(Path.Combine(own, "versions.ndjson"));
        long scoreBytes = Directory.Exists(own) ? Directory.GetFiles(own, "scores-*").Sum(file => new FileInfo(file).Length) : 0;
        double seconds = watch?.First is { } first ? (watch.Last - first).TotalSeconds : 0;
        long records = watch?.Records ?? 0;
        return new RehearsedModel(
            model.Id, records, watch?.First + startUp, model.InitializeFrom is null ? model.Learning.Initialization.Buffer : 0,
            seconds > 0.05 ? (records - watch!.RecordsThen) / seconds : double.NaN, watch?.Checkpoint ?? 0,
            versions > 0 ? versionBytes / versions : 0, records > 0 ? (double)scoreBytes / records : 0, failure);
    }

    private static (long Lines, long Bytes) Lines(string file) =>
        File.Exists(file) ? (File.ReadLines(file).LongCount(), new FileInfo(file).Length) : (0, 0);

    /// <summary>The model with its data, and with files of the folder for what it writes.</summary>
    private ModelOptions Within(ModelOptions model, string folder) => model with
    {
        Source = data.Count > 0
            ? new FileSourceOptions
            {
                Path = data,
                Format = DataFiles.FormatSaidBy(data[0]) ?? DataFiles.FormatOf(model.Source),
                Csv = model.Source.Csv
            }
            : model.Source is FileSourceOptions own ? own with { Follow = false }
            : throw new CommandException(ExitCode.Usage, $"--data: model '{model.Id}' has no files of its own; name some: --data FILE"),
        Publish = [new FilePublisherOptions { Path = Path.Combine(folder, "versions.ndjson"), EveryUpdates = EveryUpdates(model) }],
        Scores = [.. model.Scores
            .Select((sink, at) => new FileScoreOptions { Path = Path.Combine(folder, $"scores-{at}"), Selection = sink.Selection })],
        Rejected = new RejectedOptions { File = Path.Combine(folder, "rejected.ndjson"), StopAboveRatio = model.Rejected.StopAboveRatio },
    };

    private static int EveryUpdates(ModelOptions model) => model.Publish.Count == 0 ? 1 : model.Publish.Min(publisher => publisher switch
    {
        FilePublisherOptions file => file.EveryUpdates,
        KafkaPublisherOptions kafka => kafka.EveryUpdates,
        _ => 1,
    });

    private sealed class Watch
    {
        public TimeSpan? First { get; set; }

        public TimeSpan Last { get; set; }

        public long RecordsThen { get; set; }

        public long Records { get; set; }

        public long Checkpoint { get; set; }
    }
}
