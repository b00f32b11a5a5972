using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Models;

/// <summary>Endless sequences by key, through every verb of the real executable.</summary>
public sealed class HiddenMarkovTests
{
    private const int Rows = 8000;

    private const string Model = """
        features: [x]
        key: machine
        model: { type: hidden_markov, states: 2, max_keys: 1000, emission: { gaussian: {} } }
        """;

    [Fact]
    public async Task Run_InterleavedKeys_RecoversTheTransitions()
    {
        using ModelFolder folder = Folder();

        await folder.Run();

        JsonElement learned = folder.Published;
        AssertFound(learned);
        Assert.Equal("machine", learned.GetProperty("signature").GetProperty("key").GetString());
        Assert.Equal(Rows, learned.GetProperty("training").GetProperty("records").GetInt32());
    }

    [Fact]
    public async Task Score_RecordsOfAKey_AreGivenThoseBeforeThem()
    {
        using ModelFolder folder = Folder();
        folder.Write("some.csv", ["x,machine", "2.4,a", "0,b", "2.4,b", "broken,b", ",a", "5,a"]);
        await folder.Run();

        JsonElement[] scores = await folder.Score("some.csv");
        string[] csv = (await folder.Succeed("score", "out.ndjson", "some.csv", "--format", "csv")).TrimEnd('\n').Split('\n');

        JsonElement learned = folder.Published;
        double[] start = learned.Parameter("startprob"), passages = learned.Parameter("transmat");
        Assert.Equal(["a", "b", "b", null, "a", "a"],
            scores.Select(score => score.TryGetProperty("key", out JsonElement key) ? key.GetString() : null));
        Assert.Equal("not_a_number", scores[3].GetProperty("error").GetProperty("reason").GetString());
        // The filter by hand: what was before, the passage, the density, over their sum, whose logarithm is the score.
        double[] a0 = Filter(learned, start, 2.4, scores[0]), b0 = Filter(learned, start, 0, scores[1]);
        Filter(learned, Passage(b0, passages), 2.4, scores[2]);
        double[] a1 = Filter(learned, Passage(a0, passages), double.NaN, scores[4]);
        Filter(learned, Passage(a1, passages), 5, scores[5]);
        Assert.Equal(
            "record,key,log_density,component,component_id,uncertainty,anomaly_score,p_value,"
                + "state_probability_c0,state_probability_c1,error",
            csv[0]);
        Assert.Equal(scores[5].Number("log_density").ToString("R", CultureInfo.InvariantCulture), csv[6].Split(',')[2]);
        Assert.Equal(["5", "a"], csv[6].Split(',')[..2]);
        Assert.StartsWith("3,,,,,,,,,,\"not_a_number: ", csv[4], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fit_Stream_ScoresUnderTheParametersBeforeAndAgreesWithTheWorker()
    {
        using ModelFolder folder = Folder();
        await folder.Run();

        string shown = await folder.Succeed("fit", "data.csv", "-c", "streamem.yaml", "-o", "fit.json", "--scores", "scores.ndjson");

        JsonElement fitted = folder.Document("fit.json");
        foreach (JsonProperty block in folder.Published.GetProperty("parameters").EnumerateObject())
            Assert.Equal(block.Value.GetProperty("data").Numbers(), fitted.Parameter(block.Name));
        JsonElement[] scores = folder.LinesOf("scores.ndjson");
        Assert.Equal(Enumerable.Range(0, Rows), scores.Select(score => score.GetProperty("record").GetInt32()));
        Assert.Equal(Draw().Select(row => $"m{row.Key}"), scores.Select(score => score.GetProperty("key").GetString()));
        Assert.All(scores, score => Assert.Equal(1, score.GetProperty("state_probabilities").Numbers().Sum(), 1e-12));
        // Test-then-train: the mean over a minibatch's scores is the log-likelihood its update reports.
        Assert.Equal(fitted.GetProperty("training").Number("mean_log_likelihood"),
            scores.TakeLast(200).Average(score => score.Number("log_density")), 1e-9);
        Assert.Contains("hidden_markov", shown, StringComparison.Ordinal);
        Assert.Contains("probability of the column given the component of the row", shown, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fit_Batch_IsAtLeastAsLikelyAsTheStream()
    {
        using ModelFolder folder = Folder();
        await folder.Run();

        await folder.Succeed("fit", "data.csv", "-c", "streamem.yaml", "-o", "batch.json", "--batch");

        AssertFound(folder.Document("batch.json"));
        double stream = (await folder.Score("data.csv")).Average(score => score.Number("log_density")),
            batch = (await folder.Score("data.csv", "batch.json")).Average(score => score.Number("log_density"));
        Assert.True(batch >= stream - 1e-6, $"Batch EM is worse than one pass of the stream: {batch:R} and {stream:R}.");
    }

    [Fact]
    public async Task Inspect_SnapshotAndCheckpoint_ShowStatesAndTransitions()
    {
        using ModelFolder folder = Folder();
        await folder.Run();

        string snapshot = await folder.Succeed("inspect", "out.ndjson");
        string checkpoint = await folder.Succeed("inspect", Directory.GetFiles(folder["state/m"], "*.sem").Max(StringComparer.Ordinal)!);

        foreach (string shown in (string[])[snapshot, checkpoint])
        {
            Assert.Contains("hidden_markov", shown, StringComparison.Ordinal);
            Assert.Matches("c0 +0\\.[0-9]{4}", shown);
        }

        Assert.Contains("probability of the column given the component of the row", snapshot, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plot_Sequences_DrawsThem()
    {
        using ModelFolder folder = Folder();
        await folder.Run();

        await folder.Succeed("plot", "out.ndjson", "data.csv", "-o", "plot.svg");

        string svg = await File.ReadAllTextAsync(folder["plot.svg"]);
        Assert.StartsWith("<svg ", svg, StringComparison.Ordinal);
        Assert.Contains("c1", svg, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Post_Records_AreLearnedFromAndScoredByKey()
    {
        using var folder = new ModelFolder(Model, "{ http: {} }");
        using WorkerProcess process = WorkerProcess.Start(folder.Path, "run", "-c", "streamem.yaml");
        using var client = new HttpClient { BaseAddress = await process.Address() };
        foreach ((int Key, double X)[] part in Draw().Chunk(1000))
            Assert.Equal(HttpStatusCode.Accepted, (await client.PostAsync("/v1/models/m/records", Lines(part))).StatusCode);
        await Eventually.Get(async () =>
            (await client.GetFromJsonAsync<JsonElement>("/v1/models"))[0].GetProperty("records").GetInt64() == Rows ? "all" : null,
            "all records to be learned from");

        HttpResponseMessage answer = await client.PostAsync("/v1/models/m/score", Lines([(3, 0), (4, 5), (3, 2.4)]));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        JsonElement[] scores =
            [.. (await answer.Content.ReadAsStringAsync()).TrimEnd('\n').Split('\n').Select(line => JsonDocument.Parse(line).RootElement)];
        Assert.Equal(["m3", "m4", "m3"], scores.Select(score => score.GetProperty("key").GetString()));
        var learned = await client.GetFromJsonAsync<JsonElement>("/v1/models/m");
        AssertFound(learned);
        double[] passages = learned.Parameter("transmat");
        Filter(learned, Passage(scores[0].GetProperty("state_probabilities").Numbers(), passages), 2.4, scores[2]);
        process.Terminate();
        Assert.Equal(0, await process.Exit());
    }

    /// <summary>One step of the filter from what is expected before a record; compares it with its score.</summary>
    private static double[] Filter(JsonElement learned, double[] expected, double x, JsonElement score)
    {
        double[] means = learned.Parameter("means"), variances = learned.Parameter("covariances");
        double[] joint = [
            .. expected.Select((p, k) =>
                double.IsNaN(x)
                    ? p
                    : p * Math.Exp(-(x - means[k]) * (x - means[k]) / (2 * variances[k])) / Math.Sqrt(2 * Math.PI * variances[k]))];
        double[] result = [.. joint.Select(p => p / joint.Sum())];
        Assert.Equal(Math.Log(joint.Sum()), score.Number("log_density"), 1e-9);
        double[] told = score.GetProperty("state_probabilities").Numbers();
        for (int k = 0; k < result.Length; k++) Assert.Equal(result[k], told[k], 1e-9);
        return result;
    }

    private static double[] Passage(double[] from, double[] passages) =>
        [.. from.Select((_, to) => from.Select((p, at) => p * passages[at * from.Length + to]).Sum())];

    private static void AssertFound(JsonElement learned)
    {
        // n_eff is about 4600 rows, two thirds in the state at 0: standard errors of 0.004 and 0.008 of the passages, below 0.03 of the
        // means.
        double[] means = learned.Parameter("means"), passages = learned.Parameter("transmat");
        int low = means[0] < means[1] ? 0 : 1, high = 1 - low;
        Assert.Equal(0, means[low], 0.1);
        Assert.Equal(5, means[high], 0.1);
        Assert.Equal(0.95, passages[low * 2 + low], 0.025);
        Assert.Equal(0.9, passages[high * 2 + high], 0.025);
        Assert.Equal(1, passages[low * 2] + passages[low * 2 + 1], 1e-12);
    }

    private static ModelFolder Folder()
    {
        var folder = new ModelFolder(Model);
        folder.Write("data.csv",
            ["machine,x", .. Draw().Select(row => string.Create(CultureInfo.InvariantCulture, $"m{row.Key},{row.X:F4}"))]);
        return folder;
    }

    private static StringContent Lines((int Key, double X)[] rows) =>
        new(string.Concat(rows.Select(row =>
            string.Create(CultureInfo.InvariantCulture, $"{{\"machine\":\"m{row.Key}\",\"x\":{row.X:F4}}}\n"))), Encoding.UTF8,
            "application/x-ndjson");

    /// <summary>Twenty machines, each in one of two states around 0 and 5 that it stays in with probability 0.95 and 0.9.</summary>
    private static (int Key, double X)[] Draw()
    {
        var random = new Random(1);
        int?[] states = new int?[20];
        return [.. Enumerable.Range(0, Rows).Select(_ =>
        {
            int key = random.Next(states.Length);
            bool stays = random.NextDouble() < (states[key] == 1 ? 0.9 : 0.95);
            states[key] = states[key] is { } state ? (stays ? state : 1 - state) : random.Next(2);
            return (key,
                5 * (int)states[key]! + Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        })];
    }
}
