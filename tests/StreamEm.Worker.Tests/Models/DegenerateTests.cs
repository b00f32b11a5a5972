using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Models;

/// <summary>When no record can be used any more, the worker says so; exit code 0 alone would not.</summary>
public sealed class DegenerateTests
{
    private const string Model = """
        features: [x, y]
        model: { type: gaussian_mixture, components: 2 }
        """;

    private const string NothingLearned =
        "minibatch(es) could be learned from: the parameters are not moving. Look at the records' units, or start anew.";

    [Fact]
    public async Task Once_NoRecordOfTheLastMinibatchesUsable_IsToldInTheLogAndTheSnapshot()
    {
        using ModelFolder folder = Folder("{ file: { path: [data.csv] } }");

        string log = await folder.Run();

        JsonElement warning = Assert.Single(log.TrimEnd('\n').Split('\n').Select(line => JsonDocument.Parse(line).RootElement),
            line => line.GetProperty("msg").GetString()!.Contains(NothingLearned, StringComparison.Ordinal));
        Assert.Equal(("warn", "model_warning", "m"),
            (warning.GetProperty("level").GetString(), warning.GetProperty("event").GetString(), warning.GetProperty("model").GetString()));
        JsonElement training = folder.Published.GetProperty("training");
        Assert.Equal("degenerate", training.GetProperty("status").GetString());
        Assert.Equal(["impossible_records", "nothing_learned"],
            training.GetProperty("warning_kinds").EnumerateArray().Select(kind => kind.GetString()));
        Assert.Equal(
            ["400 record(s) were too far from every component to be learned from.", $"no record of the last 2 {NothingLearned}"],
            training.GetProperty("warnings").EnumerateArray().Select(text => text.GetString()));
        Assert.Equal(JsonValueKind.Null, training.GetProperty("mean_log_likelihood").ValueKind);
        Assert.Equal(["ok", "ok", "ok", "degenerate", "degenerate"],
            PublishedLog.Read(folder["out.ndjson"]).Select(line => line.GetProperty("training").GetProperty("status").GetString()));
    }

    [Fact]
    public async Task Api_NoRecordOfTheLastMinibatchesUsable_WarnsOfItUntilOneIs()
    {
        using ModelFolder folder = Folder("{ file: { path: [data*.csv], follow: true } }");
        using WorkerProcess process = WorkerProcess.Start(folder.Path, "run", "-c", "streamem.yaml");
        using var client = new HttpClient { BaseAddress = await process.Address() };

        JsonElement model = await Learned(client, 1000);
        Assert.Contains(Warnings(model), text => text!.Contains($"no record of the last 2 {NothingLearned}", StringComparison.Ordinal));
        Assert.Equal("degenerate", await Status(client));
        Assert.Equal((600, 400, 400), (Count("records"), Count("unlearned"), Count("bounded")));
        string metrics = await client.GetStringAsync("/metrics");
        Assert.Contains("streamem_model_bounded_records_total{model=\"m\"} 400", metrics, StringComparison.Ordinal);
        Assert.Contains("streamem_model_unlearned_records_total{model=\"m\"} 400", metrics, StringComparison.Ordinal);
        Assert.Contains("streamem_model_degenerate{model=\"m\"} 1", metrics, StringComparison.Ordinal);

        folder.Write("data2.csv", ["x,y", .. Good(200, 2)]);
        model = await Learned(client, 1200);
        Assert.DoesNotContain(Warnings(model), text => text!.Contains(NothingLearned, StringComparison.Ordinal));
        Assert.Equal("ok", await Status(client));
        process.Terminate();
        Assert.Equal(0, await process.Exit());

        long Count(string name) => model.GetProperty(name).GetInt64();
    }

    private static Task<JsonElement> Learned(HttpClient client, int records) => Unbox(Eventually.Get<object>(
        async () => (await client.GetFromJsonAsync<JsonElement>("/v1/models"))[0] is var model
            && model.GetProperty("records").GetInt64() + model.GetProperty("unlearned").GetInt64() == records ? model : null,
        $"{records} records to be looked at"));

    private static async Task<JsonElement> Unbox(Task<object> element) => (JsonElement)await element;

    private static IEnumerable<string?> Warnings(JsonElement model) =>
        model.GetProperty("warnings").EnumerateArray().Select(warning => warning.GetString());

    private static async Task<string?> Status(HttpClient client) =>
        (await client.GetFromJsonAsync<JsonElement>("/v1/models/m")).GetProperty("training").GetProperty("status").GetString();

    /// <summary>Three good minibatches, then two of records that no component can have made.</summary>
    private static ModelFolder Folder(string source)
    {
        var folder = new ModelFolder(Model, source);
        folder.Write("data.csv", ["x,y", .. Good(600, 1), .. Enumerable.Repeat("1e80,-1e80", 400)]);
        return folder;
    }

    private static string[] Good(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count)
            .Select(_ =>
                string.Create(CultureInfo.InvariantCulture, $"{random.NextDouble() + 3 * random.Next(2):F4},{random.NextDouble():F4}"))];
    }
}
