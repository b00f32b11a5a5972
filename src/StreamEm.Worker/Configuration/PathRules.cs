using System.IO.Enumeration;
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
    private static readonly char[] Wildcards = ['*', '?'];
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
        if (model.InitializeFrom is { } from && !File.Exists(from))
            binder.Problems.Warn(binder.OriginOf($"{path}.learning.initialization.from"), $"file '{from}' does not exist{Hint(from)}");
        if (model.Source is not FileSourceOptions { Follow: false } source) return;
        for (int i = 0; i < source.Path.Count; i++)
        {
            string name = source.Path[i];
            int wildcard = name.IndexOfAny(Wildcards);
            string? directory = wildcard < 0 ? null : Path.GetDirectoryName(name[..wildcard]);
            bool exists = wildcard < 0 ? File.Exists(name) : directory is null or "" || Directory.Exists(directory);
            string what = wildcard < 0 ? $"file '{name}'" : $"directory '{directory}'";
            if (!exists) binder.Problems.Warn(binder.OriginOf($"{path}.source.file.path.{i}"), $"{what} does not exist{Hint(name)}");
        }
    }

    private void CheckWritten(string file, Origin origin, string what)
    {
        if (IsReadByAModel(file) is { } reader)
            binder.Problems.Error(origin, $"{what} would be written to '{file}', which is a source of model '{reader}'; write to another file");
        string full = Path.GetFullPath(file);
        if (!_written.TryAdd(full, origin)) binder.Problems.Warn(origin, $"{what} go to '{file}', which is also written at {_written[full]}; give each its own file");
    }

    private string? IsReadByAModel(string file) => options.Models
        .FirstOrDefault(model => model.Source is FileSourceOptions source && source.Path.Any(pattern => Matches(pattern, file)))?.Id;

    /// <summary>Whether a file or glob names the file; <c>**</c> stands for any directories.</summary>
    private static bool Matches(string pattern, string file)
    {
        string full = Path.GetFullPath(pattern);
        string path = Path.GetFullPath(file);
        if (full == path) return true;
        if (full.IndexOfAny(Wildcards) < 0) return false;
        string anyDirectories = $"{Path.DirectorySeparatorChar}**{Path.DirectorySeparatorChar}";
        if (full.Contains(anyDirectories, StringComparison.Ordinal))
            return FileSystemName.MatchesSimpleExpression(full.Replace(anyDirectories, $"{Path.DirectorySeparatorChar}*", StringComparison.Ordinal), path, ignoreCase: false);
        string[] expected = full.Split(Path.DirectorySeparatorChar);
        string[] found = path.Split(Path.DirectorySeparatorChar);
        return expected.Length == found.Length
            && expected.Zip(found).All(pair => pair.First == pair.Second || FileSystemName.MatchesSimpleExpression(pair.First, pair.Second, ignoreCase: false));
    }

    private static string Hint(string path) => Path.IsPathRooted(path) ? "" : $" in the working directory {Environment.CurrentDirectory}";
}
