using StreamEm.Sources.Paths;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Publishing;
using StreamEm.Worker.Scores;

namespace StreamEm.Worker.Hosting;

/// <summary>Everything a worker of a configuration writes, which no source may read.</summary>
internal static class WrittenFiles
{
    /// <summary>Its outputs, and its state directory with all that is in it.</summary>
    public static OwnFiles Of(WorkerOptions options) => new(
        [.. options.Models.SelectMany(Outputs), .. options.Models.SelectMany(model => State(options, model))],
        [options.StateDirectory]);

    /// <summary>The files in the state directory whose names are known beforehand.</summary>
    public static OwnFiles StateOf(WorkerOptions options) => new(options.Models.SelectMany(model => State(options, model)), []);

    /// <summary>The files that a model's configuration names to be written.</summary>
    private static IEnumerable<string> Outputs(ModelOptions model) =>
        model.Publish.OfType<FilePublisherOptions>().Select(file => file.Path)
            .Concat(model.Scores.OfType<FileScoreOptions>().Select(file => file.Path)).Append(model.Rejected.File ?? "")
            .Where(path => path.Length > 0);

    private static IEnumerable<string> State(WorkerOptions options, ModelOptions model)
    {
        string folder = Path.Combine(options.StateDirectory, model.Id);
        yield return Path.Combine(options.StateDirectory, "LOCK");
        yield return Path.Combine(folder, "checkpoint-00000000000000000001.sem");
        if (model.Rejected is { File: null, Kafka: null }) yield return Path.Combine(folder, "rejected.ndjson");
    }
}
