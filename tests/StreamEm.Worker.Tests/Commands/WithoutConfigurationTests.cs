using System.Globalization;
using System.Text;
using System.Text.Json;
using StreamEm.Core.Features;
using StreamEm.Sources.Files;
using StreamEm.Sources.Kafka;
using StreamEm.Worker.Commands;
using StreamEm.Worker.Configuration;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Proposals;
using StreamEm.Worker.Publishing;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Commands;

/// <summary>The first minute: data, and no YAML.</summary>
public sealed class WithoutConfigurationTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public WithoutConfigurationTests()
    {
        var text = new StringBuilder("row,time,x,y,flag,kind,id\n");
        int row = 0;
        foreach (double[]? values in Pipelines.Clouds(600))
        {
            row++;
            text.Append(CultureInfo.InvariantCulture, $"{row},2026-01-01T00:{row / 60:00}:{row % 60:00}Z,{values![0]:R},{values[1]:R},")
                .Append(CultureInfo.InvariantCulture, $"{row % 3 % 2},{(row % 5 == 0 ? "b" : "a")},m{row % 4}\n");
        }

        File.WriteAllText(Data, text.ToString());
    }

    private string Data => _directory["My data.csv"];

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Fit_DataAlone_LearnsFromTheNumbersAndSaysWhatItLeftOut()
    {
        CommandRun run = await Fit("-s", "models.0.learning.learn=always", "-o", _directory["snapshot.json"]);

        Assert.Equal(ExitCode.Ok, run.ExitCode);
        Assert.Equal(
            "gaussian_mixture over x, y, flag; not used: row (numbers the records), time (a time), kind (2 different texts), "
                + "id (repeats, and is called as a key is)", run.Error.TrimEnd());
        JsonElement snapshot = Snapshot();
        Assert.Equal("my-data", snapshot.GetProperty("model").GetProperty("id").GetString());
        Assert.Equal(600, snapshot.GetProperty("training").GetProperty("records").GetInt32());
    }

    [Fact]
    public async Task Fit_OptionsOfTheCatalogue_AreThoseOfTheModel()
    {
        CommandRun run = await Fit(
            "--features", "x,y", "--components", "2", "--covariance-type", "diag", "--reg-covar", "0.001", "-s",
            "models.0.learning.minibatch.size=100", "-o", _directory["snapshot.json"]);

        Assert.Equal(ExitCode.Ok, run.ExitCode);
        JsonElement parameters = Snapshot().GetProperty("parameters");
        Assert.Equal([2, 2], parameters.GetProperty("covariances").GetProperty("shape").EnumerateArray().Select(size => size.GetInt32()));
        Assert.Equal(2, parameters.GetProperty("weights").GetProperty("data").GetArrayLength());
    }

    [Theory]
    [InlineData("categorical_mixture", "flag, kind")]
    [InlineData("bernoulli_mixture", "flag")]
    [InlineData("poisson_mixture", "flag")]
    public async Task Fit_AnotherModel_TakesTheFieldsThatSuitIt(string type, string features)
    {
        CommandRun run = await Fit("--model", type, "--components", "2");

        Assert.Equal(ExitCode.Ok, run.ExitCode);
        Assert.StartsWith($"{type} over {features};", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--components", "0", "--components: error: model.components is '0'")]
    [InlineData("--model", "gausian_mixture", "did you mean 'gaussian_mixture'?")]
    [InlineData("--covariance-typ", "full", "did you mean '--covariance-type'?")]
    public async Task Fit_OptionThatCannotBe_IsNamed(string option, string value, string message)
    {
        CommandRun run = await Fit(option, value);

        Assert.Equal(ExitCode.Usage, run.ExitCode);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fit_FeatureThatIsNot_NamesTheNearest()
    {
        CommandRun run = await Fit("--features", "x,flagg");

        Assert.Equal(ExitCode.DataCorrupt, run.ExitCode);
        Assert.Contains("no field 'flagg'; did you mean 'flag'?", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fit_ConfigurationAndOptions_AreNotMixed()
    {
        CommandRun run = await Fit("-c", "any.yaml", "--components", "3");

        Assert.Equal(ExitCode.Usage, run.ExitCode);
        Assert.Contains("-s models.ID.model.components", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fit_NothingToLearnFrom_SaysWhatWasFound()
    {
        File.WriteAllText(Data, "when,uuid\n2026-01-01,a\n2026-01-02,b\n2026-01-03,c\n");

        CommandRun run = await Fit();

        Assert.Equal(ExitCode.DataCorrupt, run.ExitCode);
        Assert.Contains("when: a time; uuid: an identifier", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Init_Data_ProposesEveryFieldThatCanBeLearnedFrom()
    {
        CommandRun run = await CommandRun.Of(InitCommand.Create(), Data);

        Assert.Equal((ExitCode.Ok, ""), (run.ExitCode, run.Error));
        Assert.Contains("features: [x, y, flag, kind]", run.Output, StringComparison.Ordinal);
        Assert.Contains("timestamp: time", run.Output, StringComparison.Ordinal);
        Assert.Contains("# key: id", run.Output, StringComparison.Ordinal);
        Assert.Contains("# left out: row - numbers the records", run.Output, StringComparison.Ordinal);
        Assert.Contains("- bernoulli: { features: [flag] }", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a;b;c\n1,5;x;0\n2,5;y;1\n3,5;x;1\n")]
    [InlineData("yes,null,a b,\"q\"\"u\",${HOME},# c,[d]\n1,2,3,4,5,6,7.5\n2,3,4,5,6,8,7.5\n")]
    [InlineData("{\"a\": {\"b\": 1.5}, \"on\": true, \"0\": 4}\n{\"a\": {\"b\": 2.5}, \"on\": false, \"0\": 7.5}\n")]
    [InlineData("a\tb\n1\t0\n2\t1\n")]
    public async Task Init_AnyNames_WritesAConfigurationThatIsValid(string data)
    {
        string file = _directory["streamem.yaml"], written = _directory["data of any kind"];
        File.WriteAllText(written, data);

        CommandRun run = await CommandRun.Of(InitCommand.Create(), written, "-o", file);
        LoadedConfiguration loaded = ConfigurationLoader.Load([file], [], _ => null);

        Assert.Equal((ExitCode.Ok, ""), (run.ExitCode, run.Error));
        Assert.Empty(loaded.Problems.Select(problem => problem.ToString()));
        Assert.Equal(ExitCode.Ok, (await CommandRun.Of(FitCommand.Create(), written, "-c", file)).ExitCode);
    }

    [Theory]
    [InlineData("null.csv")]
    [InlineData("x\u2028    bogus: 1 #.csv")]
    [InlineData("\u202e${HOME}#'\".csv")]
    public async Task Init_AnyFileName_WritesAConfigurationThatIsValid(string name)
    {
        string file = _directory["streamem.yaml"], data = _directory[name];
        File.WriteAllText(data, "a,b\n1.5,2\n3.25,4\n");

        CommandRun run = await CommandRun.Of(InitCommand.Create(), data, "-o", file);

        Assert.Equal(ExitCode.Ok, run.ExitCode);
        Assert.Empty(ConfigurationLoader.Load([file], [], _ => null).Problems.Select(problem => problem.ToString()));
        Assert.DoesNotContain(File.ReadAllText(file), c => c is '\u2028' or '\u202e');
    }

    [Fact]
    public async Task Init_FileThatIsThere_LeavesIt()
    {
        string file = _directory["streamem.yaml"];
        File.WriteAllText(file, "mine");

        CommandRun run = await CommandRun.Of(InitCommand.Create(), Data, "-o", file);

        Assert.Equal(ExitCode.CannotCreate, run.ExitCode);
        Assert.Equal("mine", File.ReadAllText(file));
    }

    [Theory]
    [InlineData("time,x\n2026-01-01T00:00:00Z,1.5\n2026-01-01T00:00:01Z,2.5\n", null)]
    [InlineData("host,x,y,on\na,1.5,2,0\na,2.5,4,1\nb,3.5,9,1\nb,3,8,0\n", null)]
    [InlineData("x y;\"${HOME}\"\n1,5;2\n2,5;3\n", null)]
    [InlineData("a,b\n1,2\n3,4\n", "b")]
    public void Watch_AnyData_ProposesAConfigurationThatIsValid(string text, string? feature)
    {
        string file = _directory["it's #1.csv"];
        File.WriteAllText(file, text);
        string[]? features = feature is null ? null : [feature];
        Proposal proposal = Proposal.For(ModelArguments.Survey([file], CsvDialect.Found), features);

        LoadedConfiguration files = Load(ProposedSource.OfFiles([file], follow: true));
        LoadedConfiguration topic = Load(ProposedSource.OfTopic(
            TopicAddress.Parse("kafka://a:1,b:2/metrics.raw"), new Dictionary<string, string> { ["security.protocol"] = "ssl" }));

        Assert.Empty(files.Problems.Select(problem => problem.ToString()));
        Assert.Empty(topic.Problems.Select(problem => problem.ToString()));
        Assert.True(((FileSourceOptions)files.Options!.Models[0].Source).Follow);
        KafkaSourceOptions kafka = (KafkaSourceOptions)topic.Options!.Models[0].Source;
        Assert.Equal(["a:1", "b:2"], kafka.Brokers);
        Assert.Equal(["metrics.raw"], kafka.Topics);
        Assert.Equal("metrics.raw", topic.Options.Models[0].Id);
        if (features is not null) Assert.Equal(features, topic.Options.Models[0].Schema.Features);

        LoadedConfiguration Load(ProposedSource source) =>
            ConfigurationLoader.LoadText(new ProposalText(proposal, source).ForDetection(features), [], []);
    }

    [Fact]
    public async Task Run_FileAlone_PrintsScoredAlarms()
    {
        var random = new Random(11);
        var text = new StringBuilder("time,device,value\n");
        for (int row = 0; row < 2000; row++)
            text.Append(CultureInfo.InvariantCulture,
                $"2026-01-01T00:{row / 60 % 60:00}:{row % 60:00}Z,d1,{(row == 1500 ? 400 : 50 + random.NextDouble()):R}\n");
        File.WriteAllText(Data, text.ToString());

        (int code, string output, string errors) = await WorkerProcess.Run(
            _directory.Path, "run", "--file", Data, "--once", "--detect", "-s", "http.address=127.0.0.1:0");

        Assert.True(code == ExitCode.Ok, errors);
        Assert.Contains("gaussian_mixture over value", errors, StringComparison.Ordinal);
        JsonElement[] alarms = [.. output.Split('\n').Select(line => JsonDocument.Parse(line).RootElement)];
        JsonElement strange = Assert.Single(alarms, alarm => alarm.GetProperty("record").GetInt32() == 1500);
        Assert.Equal(400, strange.GetProperty("fields").GetProperty("value").GetDouble());
        Assert.True(strange.GetProperty("alarm").GetBoolean());
        Assert.InRange(strange.GetProperty("p_value").GetDouble(), 0, 1e-3);
        Assert.InRange(alarms.Length, 1, 20);
    }

    [Theory]
    [InlineData("--follow: name what to watch with --file PATH or --kafka BROKER/TOPIC", "--follow")]
    [InlineData("one model watches files or a topic", "--kafka", "h:1/t", "--file", "x.csv")]
    [InlineData("names no topic", "--kafka", "h:1")]
    [InlineData("for a model without a configuration", "-c", "x.yaml", "--file", "x.csv")]
    [InlineData("or watch data without one: --file PATH, --kafka BROKER/TOPIC")]
    public async Task Run_NothingThatCanBeWatched_SaysWhatToName(string message, params string[] args)
    {
        (int code, _, string errors) = await WorkerProcess.Run(_directory.Path, ["run", .. args]);

        Assert.Equal(args.Length == 0 ? ExitCode.Configuration : ExitCode.Usage, code);
        Assert.Contains(message, errors, StringComparison.Ordinal);
    }

    private Task<CommandRun> Fit(params string[] args) => CommandRun.Of(FitCommand.Create(), [Data, .. args]);

    private JsonElement Snapshot() => JsonDocument.Parse(File.ReadAllText(_directory["snapshot.json"])).RootElement;
}
