using System.Text.Json;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Models;

/// <summary>A directory with data and a configuration of one model, <c>m</c>, for the real executable.</summary>
internal sealed class ModelFolder : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    /// <param name="model">The model's own lines of YAML: features, key, <c>model</c>.</param>
    /// <param name="source">Where its records come from.</param>
    /// <param name="initialization">How it begins.</param>
    public ModelFolder(string model, string source = "{ file: { path: [data.csv] } }", string initialization = "{ buffer: 600 }") =>
        File.WriteAllText(_directory["streamem.yaml"], $$"""
        http: { address: 127.0.0.1:0 }
        state_directory: state
        models:
          - id: m
            source: {{source}}
        {{string.Join('\n', model.Split('\n').Select(line => "    " + line))}}
            learning: { minibatch: { size: 200 }, initialization: {{initialization}} }
            publish: [ file: { path: out.ndjson } ]
            rejected: { file: rejected.ndjson, stop_above_ratio: 0.9 }
        """);

    public string Path => _directory.Path;

    public string this[string name] => _directory[name];

    /// <summary>The newest published version.</summary>
    public JsonElement Published => PublishedLog.Read(_directory["out.ndjson"])[^1];

    public void Write(string name, IEnumerable<string> lines) => File.WriteAllLines(_directory[name], lines);

    /// <summary>Runs the executable to its end and returns what it printed.</summary>
    public async Task<string> Succeed(params string[] arguments)
    {
        (int code, string output, string errors) = await WorkerProcess.Run(Path, arguments);
        Assert.True(code == 0, $"exit code {code}\n{output}\n{errors}");
        return output;
    }

    /// <summary>Runs the worker to the end of its data.</summary>
    public Task<string> Run() => Succeed("run", "-c", "streamem.yaml", "--once");

    /// <summary>Scores records as lines of JSON.</summary>
    public async Task<JsonElement[]> Score(string data, string snapshot = "out.ndjson") => Lines(await Succeed("score", snapshot, data));

    /// <summary>A file that is one JSON document.</summary>
    public JsonElement Document(string name) => JsonDocument.Parse(File.ReadAllText(_directory[name])).RootElement;

    public JsonElement[] LinesOf(string name) => Lines(File.ReadAllText(_directory[name]));

    public void Dispose() => _directory.Dispose();

    private static JsonElement[] Lines(string text) =>
        [.. text.TrimEnd('\n').Split('\n').Select(line => JsonDocument.Parse(line).RootElement)];
}
