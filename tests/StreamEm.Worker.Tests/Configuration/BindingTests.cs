using StreamEm.Core.Catalog;
namespace StreamEm.Worker.Tests.Configuration;

/// <summary>Everything wrong is reported at once, each where it is written.</summary>
public sealed class BindingTests
{
    private static readonly string Models = string.Join(", ", ModelCatalog.Types);

    [Fact]
    public void ManyMistakes_AreAllReportedWithLineColumnAndNearestKey()
    {
        const string Yaml = """
            htp: {}
            models:
              - id: Boiler
                source:
                  fil: { path: x }
                features: [a, a, "", [b]]
                missing: alow
                modell: 1
                model:
                  type: gausian_mixture
                learning:
                  recursion: statistic
                  step_size:
                    kapa: 0.7
                    kappa: 0.5
                    t0: -1
                    floor: 1
                  minibatch: { size: 0, max_wait: 5 }
                  initialization: { method: kmeans, n_init: 0, seed: -1, buffer: 1.5 }
                  standardize: yes
                checkpoint: { every: 0s, keep: null }
                rejected: { stop_above_ratio: 1.5 }
              - id: ok
                source: { stdin: {}, http: {} }
                features: []
                model: { type: gaussian_mixture, components: 0, reg_covar: .nan, covariance_type: "ful" }
                publish:
                  - file: {}
                  - nothing
                  - { file: { path: a }, kafka: { brokers: [b], topic: t } }
            """;

        Assert.Equal(
            [
                "streamem.yaml:1:1: error: unknown key 'htp'; did you mean 'http'?",
                "streamem.yaml:3:9: error: id is 'Boiler'; expected an id of a-z, 0-9, '.', '_' and '-', at most 64, starting with a "
                    + "letter or digit",
                "streamem.yaml:5:7: error: unknown key 'fil' in source; did you mean 'file'?",
                "streamem.yaml:6:19: error: 'a' is in features twice; the first is at streamem.yaml:6:16",
                "streamem.yaml:6:22: error: features.2 is ''; expected a field's name, or a mapping such as {name: dx, difference: x}",
                "streamem.yaml:6:26: error: features.3 is a list; expected a field's name, or a mapping such as {name: dx, difference: x}",
                "streamem.yaml:7:14: error: missing is 'alow'; expected allow or reject; did you mean 'allow'?",
                "streamem.yaml:8:5: error: unknown key 'modell' in models.0; did you mean 'model'?",
                $"streamem.yaml:10:13: error: model.type is 'gausian_mixture'; expected a model that 'streamem models' lists ({Models}); "
                    + "did you mean 'gaussian_mixture'?",
                "streamem.yaml:12:18: error: learning.recursion is 'statistic'; expected parameters or statistics; did you mean "
                    + "'statistics'?",
                "streamem.yaml:14:9: error: unknown key 'kapa' in learning.step_size; did you mean 'kappa'?",
                "streamem.yaml:15:16: error: learning.step_size.kappa is '0.5'; expected a number, in (0.5, 1]",
                "streamem.yaml:16:13: error: learning.step_size.t0 is '-1'; expected a number, at least 0",
                "streamem.yaml:17:16: error: learning.step_size.floor is '1'; expected a number, in [0, 1)",
                "streamem.yaml:18:26: error: learning.minibatch.size is '0'; expected an integer, in [1, 10000000]",
                "streamem.yaml:18:39: error: learning.minibatch.max_wait is '5'; expected a duration such as 500ms, 10s, 5m or 2h, above "
                    + "0, or null",
                "streamem.yaml:19:33: error: learning.initialization.method is 'kmeans'; expected one of k_means_plus_plus, "
                    + "farthest_point, random_from_data",
                "streamem.yaml:19:49: error: learning.initialization.n_init is '0'; expected an integer, in [1, 1000]",
                "streamem.yaml:19:58: error: learning.initialization.seed is '-1'; expected an integer, in [0, 2^64)",
                "streamem.yaml:19:70: error: learning.initialization.buffer is '1.5'; expected an integer, in [1, 100000000]",
                "streamem.yaml:20:20: error: learning.standardize is 'yes'; expected true or false",
                "streamem.yaml:21:26: error: checkpoint.every is '0s'; expected a duration such as 500ms, 10s, 5m or 2h, above 0",
                "streamem.yaml:21:36: error: checkpoint.keep is null; expected an integer, in [1, 1000]",
                "streamem.yaml:22:35: error: rejected.stop_above_ratio is '1.5'; expected a number, in [0, 1]",
                "streamem.yaml:24:13: error: source has stdin and http; expected exactly one of file, kafka, mqtt, stdin, http",
                "streamem.yaml:25:15: error: features is empty; expected at least one",
                "streamem.yaml:26:50: error: model.components is '0'; expected an integer, in [1, 65536], or "
                    + "{max: 32, birth_distance: 3, memory: forever}",
                "streamem.yaml:26:64: error: model.reg_covar is '.nan'; expected a number, at least 0",
                "streamem.yaml:26:87: error: model.covariance_type is 'ful'; expected one of full, tied, diag, spherical; did you mean "
                    + "'full'?",
                "streamem.yaml:28:15: error: missing key 'path' in publish.0.file: the NDJSON file that gets one snapshot a line",
                "streamem.yaml:29:9: error: publish.1 is 'nothing'; expected a mapping of file, kafka",
                "streamem.yaml:30:9: error: publish.2 has file and kafka; expected exactly one of file, kafka",
            ],
            ConfigFile.ProblemsOf(Yaml));
    }

    [Fact]
    public void MissingKeys_AreReportedAtTheMappingThatLacksThem()
    {
        const string Yaml = """
            models:
              - source: {}
                model: { components: 2 }
              - id: b
                source: { kafka: { topics: [t] } }
                features: [x]
                model: { type: gaussian_mixture }
            """;

        Assert.Equal(
            [
                "streamem.yaml:2:5: error: missing key 'id' in models.0: name of the model in paths, files and topics",
                "streamem.yaml:2:5: error: missing key 'features' in models.0: columns or JSON fields that are learned from, and "
                    + "what is made of them, in this order",
                "streamem.yaml:2:13: error: source has none; expected exactly one of file, kafka, mqtt, stdin, http",
                $"streamem.yaml:3:12: error: missing key 'type' in model: one of {Models}",
                "streamem.yaml:5:22: error: missing key 'brokers' in source.kafka: some of the cluster's brokers, host:port",
            ],
            ConfigFile.ProblemsOf(Yaml));
    }

    [Theory]
    [InlineData("", "streamem.yaml:1:1: error: missing key 'models': the models to learn")]
    [InlineData("models:\n", "streamem.yaml:1:8: error: models is empty; expected at least one")]
    [InlineData("models: 3\n", "streamem.yaml:1:9: error: models is '3'; expected a list")]
    [InlineData("- a\n", "streamem.yaml:1:1: error: the configuration is a list; expected a mapping that starts with 'models:'")]
    [InlineData("hello\n", "streamem.yaml:1:1: error: the configuration is 'hello'; expected a mapping that starts with 'models:'")]
    public void NoModels_IsOneErrorThatSaysSo(string yaml, string problem) => Assert.Equal([problem], ConfigFile.ProblemsOf(yaml));

    [Fact]
    public void KeyThatNothingIsNear_ListsTheKnownKeys()
    {
        string[] problems = ConfigFile.ProblemsOf(ConfigFile.Minimal, ["models.0.learning.step_size.momentum=0.9"]);

        Assert.Equal(
            ["--set models.0.learning.step_size.momentum: error: unknown key 'momentum' in learning.step_size; known keys: kappa, t0, "
                + "floor"], problems);
    }

    [Fact]
    public void HttpSourceWithKeys_IsRefused()
    {
        string[] problems = ConfigFile.ProblemsOf(ConfigFile.Minimal, ["models.0.source={http: {port: 1}}"]);

        Assert.Equal(["--set models.0.source: error: unknown key 'port' in source.http; known keys: separator, decimal"], problems);
    }

    [Fact]
    public void LongValue_IsCutInTheMessage()
    {
        string problem = Assert.Single(ConfigFile.ProblemsOf(ConfigFile.Minimal, [$"models.0.missing={new string('x', 500)}"]));

        Assert.Contains($"'{new string('x', 60)}...'", problem, StringComparison.Ordinal);
        Assert.DoesNotContain(new string('x', 61), problem, StringComparison.Ordinal);
    }

    [Fact]
    public void FileThatIsNotThere_IsAnError()
    {
        var loaded = StreamEm.Worker.Configuration.ConfigurationLoader.Load(["no/such.yaml"], []);

        Assert.Null(loaded.Options);
        Assert.Equal("no/such.yaml: error: no such file; name the configuration with -c FILE", Assert.Single(loaded.Problems).ToString());
    }

    [Fact]
    public void SeveralFiles_JoinModelsAndRefuseOtherKeysTwice()
    {
        using var file = new ConfigFile(ConfigFile.Minimal + "\nstate_directory: a\n");
        string second = file.Write("more.yaml",
            "state_directory: b\n" + ConfigFile.Minimal.Replace("boiler", "turbine", StringComparison.Ordinal)
                .Replace("stdin", "http", StringComparison.Ordinal));

        var loaded = StreamEm.Worker.Configuration.ConfigurationLoader.Load([file.Path, second], []);
        Assert.Equal($"{second}:1:1: error: key 'state_directory' is already at {file.Path}:6:1; of several files only one may have it",
            Assert.Single(loaded.Problems).ToString());

        File.WriteAllText(second, File.ReadAllText(second).Replace("state_directory: b\n", "", StringComparison.Ordinal));
        loaded = StreamEm.Worker.Configuration.ConfigurationLoader.Load([file.Path, second], []);
        Assert.Equal(["boiler", "turbine"], loaded.Options!.Models.Select(model => model.Id));
    }
}
