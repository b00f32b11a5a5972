using System.Globalization;
using System.Text;
using System.Text.Json;
using StreamEm.Core;
using StreamEm.Worker.Commands;
using StreamEm.Worker.Tests.Commands;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Models;

/// <summary>Sequences that end, forecasts and paths, and the sample configurations of models of sequences, through the verbs.</summary>
public sealed class SequenceModelTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Sample_NileAsALocalLevel_IsFittedInspectedAndForecast()
    {
        string data = Sample("nile.csv"), snapshot = _directory["nile.json"];
        await Succeed(FitCommand.Create(), data, "-c", Configuration("nile.yaml"), "--batch", "-o", snapshot);
        JsonElement learned = Document(snapshot);
        // The level fell within the ten years that are left out: without them it moves less.
        Assert.InRange(Parameter(learned, "transition_covariance")[0], 500, 600);
        Assert.InRange(Parameter(learned, "observation_covariance")[0], 15_600, 15_800);
        Assert.Contains("observation_covariance", await Succeed(InspectCommand.Create(), snapshot), StringComparison.Ordinal);

        JsonElement[] scores = Lines(await Succeed(ScoreCommand.Create(), snapshot, data, "--forecast", "2"));
        Assert.Equal(100, scores.Length);
        // Through the gap the level stays, and what is not known of it grows by the noise of the level.
        JsonElement before = scores[18], after = scores[28];
        Assert.Equal(Number(before, "latent"), Number(after, "latent"), 1e-9);
        double noise = Parameter(learned, "transition_covariance")[0];
        Assert.Equal(
            before.GetProperty("latent_covariance")[0][0].GetDouble() + 10 * noise,
            after.GetProperty("latent_covariance")[0][0].GetDouble(), 1e-6 * noise);
        Assert.Equal(2, after.GetProperty("forecast_mean").GetArrayLength());

        CommandRun refused = await CommandRun.Of(ScoreCommand.Create(), snapshot, data, "--viterbi");
        Assert.Equal(64, refused.ExitCode);
        Assert.Contains("has no hidden states", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sample_CatchesOfTwoLakes_AreLearnedAndForecast()
    {
        string data = Sample("lake.csv"), snapshot = _directory["lake.json"];
        await Succeed(FitCommand.Create(), data, "-c", Configuration("lake.yaml"), "-o", snapshot);
        JsonElement learned = Document(snapshot);
        Assert.Equal(1, Parameter(learned, "rate")[0]);
        Assert.InRange(Parameter(learned, "variance")[0], 0.1, 1.5);
        Assert.Equal(1000, learned.GetProperty("health").GetProperty("particles").GetDouble());
        Assert.InRange(learned.GetProperty("health").GetProperty("effective_sample_size").GetDouble(), 100, 1000);
        JsonElement[] scores = Lines(await Succeed(ScoreCommand.Create(), snapshot, data, "--forecast", "2"));
        Assert.All(scores, score => Assert.True(Number(score, "latent_lower") < Number(score, "latent")
            && Number(score, "latent") < Number(score, "latent_upper")));
    }

    [Fact]
    public async Task Score_Viterbi_TellsTheMostLikelyPathOfEveryKey()
    {
        string data = Write("data.csv", "machine,x", "a,0.1", "b,5.2", "a,3.2", "broken", "a,0.2", "b,4.9", "a,5.1");
        string snapshot = await FitAt(data, "endless");
        JsonElement[] scores = Lines(await Succeed(ScoreCommand.Create(), snapshot, data, "--viterbi"));
        Assert.Equal(7, scores.Length);
        Assert.True(scores[3].TryGetProperty("error", out _));
        (int Row, double X)[] ofA = [(0, 0.1), (2, 3.2), (4, 0.2), (6, 5.1)];
        int[] best = Best([.. ofA.Select(row => row.X)]);
        for (int t = 0; t < ofA.Length; t++)
        {
            Assert.Equal(best[t], scores[ofA[t].Row].GetProperty("viterbi_state").GetInt32());
            Assert.Equal($"c{best[t]}", scores[ofA[t].Row].GetProperty("viterbi_state_id").GetString());
        }
        // A reading between the states is taken for what lies about it, which was not known when it came.
        Assert.Equal(0, scores[2].GetProperty("viterbi_state").GetInt32());
        Assert.Equal(1, scores[2].GetProperty("component").GetInt32());
        string[] csv = (await Succeed(ScoreCommand.Create(), snapshot, data, "--viterbi", "--format", "csv")).Split('\n');
        Assert.Contains(",uncertainty,viterbi_state,viterbi_state_id,", csv[0], StringComparison.Ordinal);
        // Of a record that could not be used every column but the error is empty; its text may have commas.
        Assert.Equal(csv[0].Count(c => c == ','), csv[4][..csv[4].IndexOf('"', StringComparison.Ordinal)].Count(c => c == ','));
    }

    /// <summary>After a record that says that it is the last of its sequence, the key's next one is as its first was.</summary>
    [Fact]
    public async Task Score_AfterAnEndMarker_BeginsAnew()
    {
        string data = Write("data.csv", "machine,x,event", "a,2.4,", "b,5,", "a,5.1,stop", "a,2.4,", "a,2.4,stop", "b,2.4,");
        string snapshot = await FitAt(data, "endless, lag: 2, end_marker: event == \"stop\"");
        JsonElement[] scores = Lines(await Succeed(ScoreCommand.Create(), snapshot, data, "--viterbi"));
        string[] first = [.. scores.Select(score => score.GetProperty("state_probabilities")[0].GetRawText())];
        Assert.Equal(first[0], first[3]);
        Assert.NotEqual(first[0], first[4]);
        Assert.NotEqual(first[0], first[5]);
        Assert.Equal(1, scores[2].GetProperty("viterbi_state").GetInt32());
        Assert.Equal(6, Document(snapshot).GetProperty("training").GetProperty("records").GetInt32());
    }

    [Theory]
    [InlineData("whole, max_length: 12")]
    [InlineData("endless, lag: 4")]
    public async Task Fit_RecordsThatWait_ScoresEveryRecordOnce(string end)
    {
        var text = new StringBuilder("machine,x\n");
        var chance = new SplitMix64(4);
        for (int row = 0; row < 600; row++)
            text.Append(CultureInfo.InvariantCulture, $"m{chance.NextInt32(9)},{(row / 40 % 2 == 0 ? 0 : 5) + chance.NextDouble():R}\n");
        string data = Write("data.csv", text.ToString().TrimEnd('\n').Split('\n'));
        string snapshot = await FitAt(data, end, "--scores", _directory["scores.ndjson"]);
        JsonElement[] scores = Lines(await File.ReadAllTextAsync(_directory["scores.ndjson"]));
        string[] keys = [.. text.ToString().Split('\n').Skip(1).Select(line => line.Split(',')[0])];
        Assert.Equal(Enumerable.Range(0, 600), scores.Select(score => score.GetProperty("record").GetInt32()).Order());
        Assert.All(scores, score =>
            Assert.Equal(keys[score.GetProperty("record").GetInt32()], score.GetProperty("key").GetString()));
        Assert.Equal(600, Document(snapshot).GetProperty("training").GetProperty("records").GetInt32());
    }

    [Theory]
    [InlineData("{ end: hole }", "end is 'hole'")]
    [InlineData("{ end: whole, lag: 3 }", "lag is for endless sequences")]
    [InlineData("{ end_marker: 'last = 1' }", "end_marker: '=' is not known here; write ==")]
    [InlineData("{ gap: 3 }", "gap is '3'")]
    public async Task Validate_SequencesThatCannotBe_AreRefused(string sequences, string problem)
    {
        string path = Write("bad.yaml", Yaml(_directory["data.csv"], sequences));
        CommandRun run = await CommandRun.Of(ValidateCommand.Create(), "-c", path);
        Assert.Equal(78, run.ExitCode);
        Assert.Contains(problem, run.Output + run.Error, StringComparison.Ordinal);
    }

    /// <summary>Means 0 and 5, unit variances, states that last: fitted from there, where nothing moves far.</summary>
    private async Task<string> FitAt(string data, string end, params string[] more)
    {
        Write("from.json", """
            {"parameters": {"startprob": {"shape": [2], "data": [0.5, 0.5]},
              "transmat": {"shape": [2, 2], "data": [0.9, 0.1, 0.1, 0.9]},
              "means": {"shape": [2, 1], "data": [0, 5]}, "covariances": {"shape": [2, 1, 1], "data": [1, 1]}}}
            """);
        string path = Write("streamem.yaml", Yaml(data, $"{{ end: {end} }}"));
        await Succeed(FitCommand.Create(), [data, "-c", path, "-o", _directory["m.json"], .. more]);
        return _directory["m.json"];
    }

    private string Yaml(string data, string sequences) => $$"""
        models:
          - id: m
            source: { file: { path: ["{{data}}"] } }
            features: [x]
            key: machine
            model:
              type: hidden_markov
              fixed: [startprob, transmat, means, covariances]
              sequences: {{sequences}}
            learning:
              standardize: false
              minibatch: { size: 60 }
              initialization: { from: "{{_directory["from.json"]}}" }
            rejected: { file: "{{_directory["rejected.ndjson"]}}", stop_above_ratio: 0.9 }
        """;

    /// <summary>The most probable of all paths.</summary>
    private static int[] Best(double[] x)
    {
        (double best, int[] found) = (double.NegativeInfinity, new int[x.Length]);
        for (int number = 0; number < 1 << x.Length; number++)
        {
            double log = 0;
            int[] path = [.. Enumerable.Range(0, x.Length).Select(t => (number >> t) & 1)];
            for (int t = 0; t < x.Length; t++)
            {
                if (t > 0) log += Math.Log(path[t] == path[t - 1] ? 0.9 : 0.1);
                log -= 0.5 * (x[t] - 5 * path[t]) * (x[t] - 5 * path[t]);
            }
            if (log > best) (best, found) = (log, path);
        }
        return found;
    }

    private string Write(string name, params string[] lines)
    {
        File.WriteAllText(_directory[name], string.Join('\n', lines) + "\n");
        return _directory[name];
    }

    /// <summary>A sample configuration that reads its data where they are.</summary>
    private string Configuration(string name)
    {
        string text = File.ReadAllText(Sample(name)), folder = Path.GetDirectoryName(Sample(name))!;
        return Write(name, text.Replace("[samples/", $"[{folder}/", StringComparison.Ordinal)
            .Replace("out/", $"{_directory.Path}/", StringComparison.Ordinal));
    }

    private static string Sample(string name)
    {
        string? directory = AppContext.BaseDirectory;
        while (directory is not null && !File.Exists(Path.Combine(directory, "StreamEm.sln"))) directory = Path.GetDirectoryName(directory);
        return Path.Combine(directory!, "samples", name);
    }

    private static async Task<string> Succeed(System.CommandLine.Command command, params string[] arguments)
    {
        CommandRun run = await CommandRun.Of(command, arguments);
        Assert.True(run.ExitCode == 0, $"exit code {run.ExitCode}\n{run.Output}\n{run.Error}");
        return run.Output;
    }

    private static JsonElement Document(string path) => JsonDocument.Parse(File.ReadAllText(path)).RootElement;

    private static JsonElement[] Lines(string text) =>
        [.. text.TrimEnd('\n').Split('\n').Select(line => JsonDocument.Parse(line).RootElement)];

    private static double[] Parameter(JsonElement snapshot, string block) =>
        [.. snapshot.GetProperty("parameters").GetProperty(block).GetProperty("data").EnumerateArray().Select(value => value.GetDouble())];

    private static double Number(JsonElement score, string block) => score.GetProperty(block)[0].GetDouble();
}
