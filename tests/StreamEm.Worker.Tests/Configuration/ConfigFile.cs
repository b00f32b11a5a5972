using StreamEm.Worker.Configuration;
using StreamEm.Worker.Configuration.Text;
using StreamEm.Worker.Hosting;
using StreamEm.Worker.Pipeline;

namespace StreamEm.Worker.Tests.Configuration;

/// <summary>A configuration written to a file of its own; problems name it <c>streamem.yaml</c>.</summary>
internal sealed class ConfigFile : IDisposable
{
    /// <summary>A whole configuration without problems; what is left out has its default.</summary>
    public const string Minimal = """
        models:
          - id: boiler
            source: { stdin: {} }
            features: [temperature, pressure]
            model: { type: gaussian_mixture }
        """;

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("streamem-config-");

    public ConfigFile(string yaml)
    {
        Path = Write("streamem.yaml", yaml);
    }

    public string Path { get; }

    /// <summary>The directory it is in.</summary>
    public string Folder => _directory.FullName;

    /// <summary>Writes another file beside it.</summary>
    public string Write(string name, string text)
    {
        string path = System.IO.Path.Combine(_directory.FullName, name);
        File.WriteAllText(path, text);
        return path;
    }

    public LoadedConfiguration Load(string[]? overrides = null, Func<string, string?>? variable = null) =>
        ConfigurationLoader.Load([Path], overrides ?? [], variable ?? (_ => null));

    /// <summary>All problems of a text as they are shown.</summary>
    public static string[] ProblemsOf(string yaml, string[]? overrides = null, Func<string, string?>? variable = null)
    {
        using var file = new ConfigFile(yaml);
        return file.Shown(file.Load(overrides, variable).Problems);
    }

    /// <summary>The options of a text that has no errors.</summary>
    public static WorkerOptions OptionsOf(string yaml, string[]? overrides = null, Func<string, string?>? variable = null)
    {
        using var file = new ConfigFile(yaml);
        LoadedConfiguration loaded = file.Load(overrides, variable);
        Assert.Equal([], file.Shown(loaded.Problems.Where(problem => problem.Severity == Severity.Error)));
        return loaded.Options!;
    }

    /// <summary>The one model of <see cref="Minimal"/> with overrides.</summary>
    public static ModelOptions ModelWith(params string[] overrides) => Assert.Single(OptionsOf(Minimal, overrides).Models);

    public void Dispose() => _directory.Delete(recursive: true);

    private string[] Shown(IEnumerable<Problem> problems) =>
        [.. problems.Select(problem => problem.ToString().Replace($"{_directory.FullName}/", "", StringComparison.Ordinal))];
}
