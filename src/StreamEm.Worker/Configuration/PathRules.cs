using StreamEm.Sources.Files;
using StreamEm.Worker.Configuration.Binding;
using StreamEm.Worker.Configuration.Text;
using StreamEm.Worker.Hosting;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Publishing;

namespace StreamEm.Worker.Configuration;

/// <summary>Rules about files: what is read must exist, and nothing is written over something else that is read or written.</summary>
internal sealed class PathRules(WorkerOptions options, Binder binder)
{
    private readonly Dictionary<string, Origin> _written = new(StringComparer.Ordinal);

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

            if (model.Rejected.File is { } rejected) CheckWritten(rejected, binder.OriginOf($"{path}.rejected.file"), "rejected records");
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
        if (IsReadByAModel(file) is { } reader)
            binder.Problems
                .Error(origin, $"{what} would be written to '{file}', which is a source of model '{reader}'; write to another file");
        string full = Path.GetFullPath(file);
        if (!_written.TryAdd(full, origin))
            binder.Problems.Warn(origin, $"{what} go to '{file}', which is also written at {_written[full]}; give each its own file");
    }

    private string? IsReadByAModel(string file) => options.Models
        .FirstOrDefault(
            model => model.Source is FileSourceOptions source && source.Path.Any(pattern => PathPattern.Matches(pattern, file)))?.Id;

    private static string Hint(string path) => Path.IsPathRooted(path) ? "" : $" in the working directory {Environment.CurrentDirectory}";
}
