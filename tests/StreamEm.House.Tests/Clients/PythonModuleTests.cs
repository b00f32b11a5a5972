using System.Text.RegularExpressions;
using System.Xml.Linq;
using StreamEm.House.Tests.Code;
using StreamEm.House.Tests.Support;

namespace StreamEm.House.Tests.Clients;

/// <summary>The Python module against a worker, where a Python is installed.</summary>
public sealed partial class PythonModuleTests
{
    private const string Folder = "clients/python", Runs = "import sys; assert sys.version_info >= (3, 9)";

    [Fact]
    public async Task Module_OnAWorker_MakesEveryCall()
    {
        string? python = await Python.FindAsync(Runs);
        Assert.SkipWhen(python is null, "Python 3.9 or newer is not installed.");
        using var folder = new TemporaryFolder();
        await using HouseWorker worker = await HouseWorker.StartAsync($$"""
            http: { address: "127.0.0.1:0", auth_token: secret }
            state_directory: {{folder.Path}}/state
            models:
              - id: sensors
                source: { http: {} }
                features: [temperature, pressure]
                model: { type: gaussian_mixture, components: 2 }
                learning: { minibatch: { size: 100 }, initialization: { buffer: 500 } }
              - id: devices
                source: { http: {} }
                key: device
                per_key: true
                features: [load]
                model: { type: gaussian_mixture, components: { max: 4 } }
                learning: { minibatch: { size: 50 }, initialization: { buffer: 100 } }
                alarms: {}
                scores: [ { file: { path: {{folder.Path}}/scores.ndjson } } ]
                feedback: { memory: 1000 }
            """);

        (int code, string output) = await Python.RunAsync(python, folder.Path,
            new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["PYTHONPATH"] = $"{Repository.PathOf(Folder)}:{Repository.PathOf($"{Folder}/tests")}",
                ["STREAMEM_URL"] = worker.Address,
                ["STREAMEM_TOKEN"] = "secret",
            },
            "-W", "error", "-m", "unittest", "test_client");

        Assert.True(code == 0, output);
        Assert.Matches(RunOfTests(), output);
        // It was asked to drain.
        Assert.Equal(0, await worker.Running.WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Module_Installed_IsImported()
    {
        string? python = await Python.FindAsync($"{Runs}; import setuptools, wheel, pip");
        Assert.SkipWhen(python is null, "Python 3.9 or newer with pip, setuptools and wheel is not installed.");
        using var folder = new TemporaryFolder();
        foreach (string file in Repository.Files(Folder, "*")) folder.Write(file, Repository.Read(file));

        (int code, string output) = await Python.RunAsync(python, folder.Path, [], "-m", "pip", "install", "--quiet", "--no-index",
            "--no-deps", "--no-build-isolation", "--disable-pip-version-check", "--target", "here", $"./{Folder}");
        Assert.True(code == 0, output);
        (code, output) = await Python.RunAsync(python, $"{folder.Path}/here", [], "-c",
            "import streamem, importlib.metadata; print(streamem.Client.list_models.__doc__, importlib.metadata.version('streamem'))");

        Assert.True(code == 0, output);
        Assert.Equal($"Every model and where it stands. {Version()}", output.Trim());
    }

    private static string Version() =>
        XDocument.Parse(Repository.Read("Directory.Build.props")).Descendants("Version").Single().Value;

    [GeneratedRegex("Ran 2 tests[^\n]*\n+OK\n", RegexOptions.None, 1000)]
    private static partial Regex RunOfTests();
}
