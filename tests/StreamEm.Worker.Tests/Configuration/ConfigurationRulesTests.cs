using System.Runtime.InteropServices;
using StreamEm.Worker.Configuration;

namespace StreamEm.Worker.Tests.Configuration;

public sealed class ConfigurationRulesTests
{
    [Theory]
    [InlineData("0.0.0.0:8080")]
    [InlineData("'[::]:8080'")]
    [InlineData("10.0.0.1:8080")]
    public void AddressOthersCanReach_NeedsAToken(string address)
    {
        string problem = Assert.Single(ConfigFile.ProblemsOf($"{ConfigFile.Minimal}\nhttp: {{ address: {address} }}\n"));

        Assert.Equal(
            $"streamem.yaml:6:18: error: http.address {address.Trim('\'')} can be reached from other machines; set http.auth_token_file, "
                + "or listen on 127.0.0.1", problem);
        Assert.Empty(ConfigFile.ProblemsOf($"{ConfigFile.Minimal}\nhttp: {{ address: {address}, auth_token: x }}\n"));
    }

    [Theory]
    [InlineData("127.0.0.1:0")]
    [InlineData("127.8.8.8:8080")]
    [InlineData("localhost:8080")]
    [InlineData("'[::1]:8080'")]
    public void Loopback_NeedsNoToken(string address) =>
        Assert.Empty(ConfigFile.ProblemsOf($"{ConfigFile.Minimal}\nhttp: {{ address: {address} }}\n"));

    /// <summary>What grows with the square of it would take minutes.</summary>
    [Fact]
    public async Task Load_ThousandsOfModelsAndPatterns_IsLinear()
    {
        using var file = new ConfigFile("models:\n" + string.Concat(Enumerable.Range(0, 3000).Select(i => $"""
              - id: m{i}
                source: {"{"} file: {"{"} path: ["data/m{i}-*.csv", "data/m{i}.csv", "data/*.csv"], follow: true {"}"} {"}"}
                features: [x]
                model: {"{"} type: gaussian_mixture {"}"}
                publish: [ {"{"} file: {"{"} path: data/m{i}.out {"}"} {"}"} ]

            """)));

        LoadedConfiguration loaded = await Eventually.Within(Task.Run(() => file.Load()));

        Assert.Equal(3000, loaded.Options?.Models.Count);
    }

    [Fact]
    public void TwoModelsOfOneId_AreRefused() => Assert.Equal(
        ["--set models.1: error: id 'boiler' is used twice; the first is at streamem.yaml:2:9"],
        ConfigFile.ProblemsOf(ConfigFile.Minimal,
            ["models.1={id: boiler, source: {http: {}}, features: [x], model: {type: gaussian_mixture}}"]));

    [Fact]
    public void TopicThatAModelReads_IsNotWritten() => Assert.Equal(
        [
            "--set models.0.publish: error: snapshots would go to topic 't', which is a source of model 'boiler'; write to another topic",
            "--set models.0.rejected.kafka: error: rejected records would go to topic 't', which is a source of model 'boiler'; write to "
                + "another topic",
        ],
        ConfigFile.ProblemsOf(ConfigFile.Minimal,
        [
            "models.0.source={kafka: {brokers: [h:1, h:2], topics: [s, t]}}",
            "models.0.publish=[{kafka: {brokers: [H:2], topic: t}}, {kafka: {brokers: [h:3], topic: t}}, {kafka: {brokers: [h:1], topic: "
                + "u}}]",
            "models.0.rejected.kafka={brokers: [h:1], topic: t}",
        ]));

    [Fact]
    public void TopicPublishedToTwice_IsRefused() => Assert.Equal(
        ["--set models.0.publish: error: model 'boiler' publishes to topic 't' twice; keep one"],
        ConfigFile.ProblemsOf(ConfigFile.Minimal,
            ["models.0.publish=[{kafka: {brokers: [h:1], topic: t}}, {kafka: {brokers: [h:1], topic: t, every: 1m}}]"]));

    [Fact]
    public void TwoModelsOnStandardInput_AreRefused() => Assert.Equal(
        ["--set models.1: error: standard input can feed one model only; the first is at streamem.yaml:3:22"],
        ConfigFile.ProblemsOf(ConfigFile.Minimal,
            ["models.1={id: turbine, source: {stdin: {}}, features: [x], model: {type: gaussian_mixture}}"]));

    [Fact]
    public void MinibatchTooSmallForTheParameterRecursion_IsWarnedOfWithNumbers()
    {
        string[] problems =
            ConfigFile.ProblemsOf(ConfigFile.Minimal + "\n    learning: { minibatch: { size: 40 }, recursion: parameters }\n");

        Assert.Equal(
            ["streamem.yaml:6:36: warning: minibatches of m = 40 records are small for K = 4 components and the parameter recursion: with "
                + "weights near pi = 1/K covariances "
                + "come out biased by about -1/(m pi) = -10 %; use minibatch.size of at least 80, or recursion: statistics"],
            problems);
    }

    [Theory]
    [InlineData("", "")]
    [InlineData(", recursion: parameters", "intervals need recursion: statistics")]
    [InlineData(", responsibilities: hard", "intervals need responsibilities: soft: hard ones")]
    [InlineData(", learn: frozen, freeze_after: 2000", "intervals need a model that learns")]
    public void Intervals_WhereTheyCannotBeGiven_AreRefused(string learning, string problem)
    {
        string[] found = ConfigFile.ProblemsOf($"{ConfigFile.Minimal}\n    learning: {{ intervals: true{learning} }}\n");

        if (problem.Length == 0) Assert.Empty(found);
        else Assert.Contains(found, text => text.Contains($": error: {problem}", StringComparison.Ordinal));
    }

    [Fact]
    public void Intervals_OfAModelThatSeveralLearn_AreRefused() => Assert.Contains(
        ConfigFile.ProblemsOf(
            ConfigFile.Minimal + "\n    learning: { intervals: true }\n    scale_out: { statistics_topic: s, model_topic: m }\n"),
        text => text.Contains("intervals are not made where several workers learn one model (scale_out)", StringComparison.Ordinal));

    [Fact]
    public void Intervals_OfMoreParametersThanAMatrixHasRows_AreRefused() => Assert.Contains(
        ConfigFile.ProblemsOf(ConfigFile.Minimal + "\n    learning: { intervals: true }\n", ["models.0.model.components=300"]),
        text => text.Contains("intervals are of at most 512 free parameters", StringComparison.Ordinal));

    [Theory]
    [InlineData("size: 80", "recursion: parameters")]
    [InlineData("size: 1", "recursion: statistics")]
    public void MinibatchLargeEnough_IsNotWarnedOf(string size, string recursion) =>
        Assert.Empty(ConfigFile.ProblemsOf($"{ConfigFile.Minimal}\n    learning: {{ minibatch: {{ {size} }}, {recursion} }}\n"));

    [Fact]
    public void BufferSmallerThanAMinibatch_IsWarnedOf() => Assert.Equal(
        ["--set models.0.learning.initialization.buffer: warning: initialization.buffer 500 is smaller than minibatch.size 512: the first "
            + "parameters come from fewer records than one update; use at least 512"],
        ConfigFile.ProblemsOf(ConfigFile.Minimal, ["models.0.learning.initialization.buffer=500"]));

    [Fact]
    public void BufferTooSmallForTheModel_IsWarnedOf() => Assert.Equal(
        ["streamem.yaml:2:5: warning: initialization.buffer 1536 is small for K = 20 components of D = 20 features: use at least 2100"],
        ConfigFile.ProblemsOf(ConfigFile.Minimal,
            ["models.0.model.components=20", $"models.0.features=[{string.Join(',', Enumerable.Range(0, 20).Select(d => $"x{d}"))}]"]));

    [Fact]
    public void StartFromASnapshot_NeedsNoBuffer()
    {
        using var file = new ConfigFile(ConfigFile.Minimal);
        string from = file.Write("start.json", "{}");

        Assert.Empty(file.Load([$"models.0.learning.initialization={{buffer: 1, from: {from}}}"]).Problems);
    }

    [Fact]
    public void ModelOverTheLongestArray_IsAnError()
    {
        string[] problems = ConfigFile.ProblemsOf(ConfigFile.Minimal,
            ["models.0.model.components=65536", $"models.0.features=[{string.Join(',', Enumerable.Range(0, 200).Select(d => $"x{d}"))}]"]);

        Assert.Equal(
            ["streamem.yaml:5:12: error: a model of 200 features and these settings has more than 2147483647 parameters; use fewer "
                + "components, or a smaller covariance_type"], problems);
    }

    [Fact]
    public void FilesThatDoNotExist_AreWarnedOf()
    {
        string[] problems = ConfigFile.ProblemsOf(
            ConfigFile.Minimal.Replace("{ stdin: {} }", "{ file: { path: [/no/a.csv, /no/where/*.csv] } }", StringComparison.Ordinal),
            ["models.0.learning.initialization.from=/no/start.json"]);

        Assert.Equal(
            [
                "streamem.yaml:3:30: warning: file '/no/a.csv' does not exist",
                "streamem.yaml:3:41: warning: directory '/no/where' does not exist",
                "--set models.0.learning.initialization.from: warning: file '/no/start.json' does not exist",
            ],
            problems);
    }

    [Fact]
    public void RelativeFile_IsLookedForInTheWorkingDirectory()
    {
        string problem = Assert.Single(ConfigFile.ProblemsOf(ConfigFile.Minimal, ["models.0.source={file: {path: [no-such.csv]}}"]));

        Assert.Equal(
            $"--set models.0.source: warning: file 'no-such.csv' does not exist in the working directory {Environment.CurrentDirectory}",
            problem);
    }

    [Fact]
    public void FileThatIsFollowed_NeedNotExistYet() =>
        Assert.Empty(ConfigFile.ProblemsOf(ConfigFile.Minimal, ["models.0.source={file: {path: [/no/a.csv], follow: true}}"]));

    [Theory]
    [InlineData("/tmp/streamem/a.csv", "/tmp/streamem/./a.csv", true)]
    [InlineData("/tmp/streamem/*.csv", "/tmp/streamem/a.csv", true)]
    [InlineData("/tmp/**/*.csv", "/tmp/streamem/deep/a.csv", true)]
    [InlineData("/tmp/**/*.csv", "/tmp/a.csv", true)]
    [InlineData("/tmp/streamem/*.csv", "/tmp/streamem/a.ndjson", false)]
    [InlineData("/tmp/streamem/*.csv", "/tmp/streamem/deep/a.csv", false)]
    public void SnapshotsOverASource_AreRefused(string source, string published, bool isRefused)
    {
        string[] problems = ConfigFile.ProblemsOf(
            ConfigFile.Minimal,
            [$"models.0.source={{file: {{path: ['{source}'], follow: true}}}}", $"models.0.publish=[file: {{path: {published}}}]"]);

        string[] expected = [
            $"--set models.0.publish: error: snapshots would be written to '{published}', which is a source of model 'boiler'; write to "
                + "another file"];
        Assert.Equal(isRefused ? expected : [], problems);
    }

    [Theory]
    [InlineData("data/*.ndjson", "link/b.ndjson")]
    [InlineData("link/*.ndjson", "data/b.ndjson")]
    [InlineData("data/*.ndjson", "hard.ndjson")]
    [InlineData("data/a.ndjson", "soft.ndjson")]
    public void SnapshotsOverASourceByALink_AreRefused(string source, string published)
    {
        using var file = new ConfigFile(ConfigFile.Minimal);
        Directory.CreateDirectory(Path.Combine(file.Folder, "data"));
        string data = file.Write("data/a.ndjson", "{}\n");
        Directory.CreateSymbolicLink(Path.Combine(file.Folder, "link"), "data");
        File.CreateSymbolicLink(Path.Combine(file.Folder, "soft.ndjson"), "data/a.ndjson");
        if (OperatingSystem.IsLinux()) Assert.Equal(0, Link(data, Path.Combine(file.Folder, "hard.ndjson")));
        else File.CreateSymbolicLink(Path.Combine(file.Folder, "hard.ndjson"), "data/a.ndjson");

        LoadedConfiguration loaded = file.Load([
            $"models.0.source={{file: {{path: ['{file.Folder}/{source}']}}}}",
            $"models.0.publish=[file: {{path: {file.Folder}/{published}}}]"]);

        Assert.Null(loaded.Options);
        Assert.Contains("which is a source of model 'boiler'; write to another file", Assert.Single(loaded.Problems).ToString(),
            StringComparison.Ordinal);
        Assert.Equal("{}\n", File.ReadAllText(data));
    }

    [Theory]
    [InlineData("**/*.ndjson", true)]
    [InlineData("state/boiler/*", true)]
    [InlineData("state/*", true)]
    [InlineData("**/*.csv", false)]
    [InlineData("*/*.csv", false)]
    public void SourceWithinTheState_IsRefused(string source, bool isRefused)
    {
        using var file = new ConfigFile(ConfigFile.Minimal);

        LoadedConfiguration loaded = file.Load([
            $"state_directory={file.Folder}/state", $"models.0.source={{file: {{path: ['{file.Folder}/{source}'], follow: true}}}}"]);

        Assert.Equal(isRefused, loaded.Options is null);
        if (isRefused)
            Assert.Contains("which the worker itself writes", Assert.Single(loaded.Problems).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void TwoWritersOfOneFile_AreWarnedOf() => Assert.Equal(
        ["--set models.0.rejected.file: warning: rejected records go to './out.ndjson', which is also written at --set models.0.publish; "
            + "give each its own file"],
        ConfigFile.ProblemsOf(ConfigFile.Minimal, ["models.0.publish=[file: {path: out.ndjson}]", "models.0.rejected.file=./out.ndjson"]));

    [Theory]
    [InlineData("bounded", "3", "finds little where strange records keep coming")]
    [InlineData("gated", "3", "is not held by several components that are gated")]
    [InlineData("gated", "1", null)]
    [InlineData("bounded", "{ max: 32 }", null)]
    public void DiscoveryRate_WhereItIsNotHeld_IsWarnedOf(string learn, string components, string? expected)
    {
        string yaml = ConfigFile.Minimal.Replace("gaussian_mixture }", $"gaussian_mixture, components: {components} }}",
            StringComparison.Ordinal) + $"\n    learning: {{ learn: {learn} }}\n    alarms: {{ false_discovery_rate: 0.05 }}\n";

        string[] problems = [.. ConfigFile.ProblemsOf(yaml).Where(
            problem => problem.Contains("false_discovery_rate", StringComparison.Ordinal))];

        if (expected is null) Assert.Empty(problems);
        else Assert.Contains($"warning: false_discovery_rate {expected}", Assert.Single(problems), StringComparison.Ordinal);
    }

    [Fact]
    public void Warnings_DoNotStopTheConfiguration()
    {
        using var file = new ConfigFile(ConfigFile.Minimal);

        LoadedConfiguration loaded = file.Load(["models.0.learning.minibatch.size=10", "models.0.learning.recursion=parameters"]);

        Assert.NotNull(loaded.Options);
        Assert.Equal((0, 1), (loaded.Errors, loaded.Warnings));
    }

    [DllImport("libc", EntryPoint = "link")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Link([MarshalAs(UnmanagedType.LPUTF8Str)] string from, [MarshalAs(UnmanagedType.LPUTF8Str)] string to);
}
