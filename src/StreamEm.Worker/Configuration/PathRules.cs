using StreamEm.Sources.Files;
using StreamEm.Sources.Paths;
using StreamEm.Worker.Configuration.Binding;
using StreamEm.Worker.Configuration.Text;
using StreamEm.Worker.Hosting;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Publishing;
using StreamEm.Worker.Scores;

namespace StreamEm.Worker.Configuration;

/// <summary>Rules about files: what is read must exist, and nothing is written over something else that is read or written.</summary>
internal sealed class PathRules(WorkerOptions options, Binder binder)
{
    private readonly Dictionary<string, Origin> _written = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _whatIsWritten = new(StringComparer.Ordinal);

    /// <summary>Reports what is broken or probably not meant.</summary>
    public void Check()
    {
        for (int i = 0; i < options.Models.Count; i++)
        {
            ModelOptions model = options.Models[i];
            string path = ConfigPath.Join("models", i);
            CheckExists(model, path);
            for (int item = 0; item < model.Publish.Count; item++)
            {
                if (model.Publish[item] is FilePublisherOptions { Path.Length: > 0 } file)
                    CheckWritten(file.Path, binder.OriginOf($"{path}.publish.{item}.file.path"), "snapshots");
            }

            for (int item = 0; item < model.Scores.Count; item++)
            {
                if (model.Scores[item] is FileScoreOptions { Path.Length: > 0 } file)
                    CheckWritten(file.Path, binder.OriginOf($"{path}.scores.{item}.file.path"), "scores");
            }

            if (model.Rejected.File is { } rejected) CheckWritten(rejected, binder.OriginOf($"{path}.rejected.file"), "rejected records");
        }

        CheckRead();
    }

    /// <summary>Reports sources that lead to what the worker writes: its outputs, under whatever name, and its state.</summary>
    private void CheckRead()
    {
        OwnFiles outputs = new(_whatIsWritten.Keys, []), state = WrittenFiles.StateOf(options);
        for (int i = 0; i < options.Models.Count; i++)
        {
            if (options.Models[i].Source is not FileSourceOptions source) continue;
            for (int item = 0; item < source.Path.Count; item++)
            {
                string pattern = source.Path[item];
                Origin origin = binder.OriginOf($"{ConfigPath.Join("models", i)}.source.file.path.{item}");
                if (outputs.ReadBy(pattern) is { } output)
                    binder.Problems.Error(_written.TryGetValue(Path.GetFullPath(output), out Origin written) ? written : origin,
                        $"{_whatIsWritten.GetValueOrDefault(output, "output")} would be written to '{output}', which is a source of model "
                            + $"'{options.Models[i].Id}'; write to another file");
                else if (state.ReadBy(pattern) is { } own)
                    binder.Problems.Error(origin,
                        $"'{pattern}' leads to '{own}', which the worker itself writes; name the files to read more closely, or set "
                            + "state_directory to another place");
            }
        }
    }

    private void CheckExists(ModelOptions model, string path)
    {
        if (model.InitializeFrom is { } from && !RemoteSnapshot.IsAddress(from) && !File.Exists(from))
            binder.Problems.Warn(binder.OriginOf($"{path}.learning.initialization.from"), $"file '{from}' does not exist{Hint(from)}");
        if (model.Source is not FileSourceOptions { Follow: false } source) return;
        for (int i = 0; i < source.Path.Count; i++)
        {
            string name = source.Path[i];
            bool isGlob = PathPattern.IsGlob(name);
            string directory = PathPattern.FolderOf(name);
            bool exists = isGlob ? directory.Length == 0 || Directory.Exists(directory) : File.Exists(name);
            string what = isGlob ? $"directory '{directory}'" : $"file '{name}'";
            if (!exists) binder.Problems.Warn(binder.OriginOf($"{path}.source.file.path.{i}"), $"{what} does not exist{Hint(name)}");
        }
    }

    private void CheckWritten(string file, Origin origin, string what)
    {
        _whatIsWritten.TryAdd(file, what);
        string full = Path.GetFullPath(file);
        if (!_written.TryAdd(full, origin))
            binder.Problems.Warn(origin, $"{what} go to '{file}', which is also written at {_written[full]}; give each its own file");
    }

    private static string Hint(string path) => Path.IsPathRooted(path) ? "" : $" in the working directory {Environment.CurrentDirectory}";
}
