using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using StreamEm.House.Tests.Code;
using StreamEm.House.Tests.Support;

namespace StreamEm.House.Tests.Clients;

/// <summary>
/// The samples for Telegraf and Vector on a worker that runs as their sample says: what each sends is learned from. The bodies are those
/// that the files make the programs send (their documentation and sources say which); the programs themselves run where they are installed.
/// </summary>
public sealed partial class AgentTests
{
    private const string Telegraf = "samples/telegraf.conf", Vector = "samples/vector.toml", Worker = "samples/agents.yaml";

    private const int Batch = 100, Batches = 4, Minibatch = 50;

    [Fact]
    public async Task Telegraf_Batches_AreLearnedFrom()
    {
        string file = Repository.Read(Telegraf);
        Assert.Equal("json", Setting(file, "data_format"));
        // What the transformation makes of {"metrics": [{"fields", "name", "tags", "timestamp"}]}: of one metric an object, else an array.
        Assert.Equal("metrics.$merge([{\"timestamp\": timestamp}, tags, fields])", Setting(file, "json_transformation"));
        Assert.Equal("1ms", Setting(file, "json_timestamp_units"));
        using var folder = new TemporaryFolder();
        await using HouseWorker worker = await HouseWorker.StartAsync(Configuration(folder));

        for (int batch = 0; batch < Batches; batch++)
        {
            JsonObject[] records = [.. Enumerable.Range(batch * Batch, Batch).Select(CpuOf)];
            string body = new JsonArray([.. records]).ToJsonString();
            Assert.Equal(Batch, await PostAsync(worker, Setting(file, "url"), body, Setting(file, "Content-Type"),
                Setting(file, "content_encoding")));
        }

        Assert.Equal(1, await PostAsync(worker, Setting(file, "url"), CpuOf(0).ToJsonString(), Setting(file, "Content-Type"),
            Setting(file, "content_encoding")));
        JsonElement version = await VersionAsync(worker, "machines", Batches * Batch / Minibatch);
        Assert.Equal("host", version.GetProperty("signature").GetProperty("key").GetString());
        Assert.Equal(Batches * Batch, LearnedFrom(version));
    }

    /// <summary>What docs/clients.md says of a metric as it is.</summary>
    [Fact]
    public async Task Telegraf_WithoutTheTransformation_IsReadByPaths()
    {
        string file = Repository.Read(Telegraf);
        using var folder = new TemporaryFolder();
        await using HouseWorker worker = await HouseWorker.StartAsync(Configuration(folder)
            .Replace("key: host", "key: tags.host", StringComparison.Ordinal)
            .Replace("usage_", "fields.usage_", StringComparison.Ordinal));

        for (int at = 0; at < 2 * Batch; at++)
        {
            string metric = new JsonObject
            {
                ["fields"] = CpuOf(at),
                ["name"] = "cpu",
                ["tags"] = new JsonObject { ["host"] = "raynor" },
                ["timestamp"] = 1_763_600_000 + at,
            }.ToJsonString();
            Assert.Equal(1, await PostAsync(worker, Setting(file, "url"), metric, Setting(file, "Content-Type"),
                Setting(file, "content_encoding")));
        }

        Assert.Equal(2 * Batch, LearnedFrom(await VersionAsync(worker, "machines", 2 * Batch / Minibatch)));
    }

    [Fact]
    public async Task Vector_Lines_AreLearnedFrom()
    {
        string file = Repository.Read(Vector);
        Assert.Equal(("json", "newline_delimited"), (Setting(file, "encoding.codec"), Setting(file, "framing.method")));
        using var folder = new TemporaryFolder();
        await using HouseWorker worker = await HouseWorker.StartAsync(Configuration(folder));

        for (int batch = 0; batch < Batches; batch++)
        {
            // With these two Vector says that it sends lines, and leaves out the last one's end.
            string body = string.Join('\n', Enumerable.Range(batch * Batch, Batch).Select(SensorOf));
            Assert.Equal(Batch, await PostAsync(worker, Setting(file, "uri"), body, "application/x-ndjson", Setting(file, "compression")));
        }

        JsonElement version = await VersionAsync(worker, "sensors", Batches * Batch / Minibatch);
        Assert.Equal(["temperature", "pressure"],
            version.GetProperty("signature").GetProperty("features").EnumerateArray().Select(name => name.GetString()));
        Assert.Equal(Batches * Batch, LearnedFrom(version));
        using var client = new HttpClient();
        using var asked = new HttpRequestMessage(HttpMethod.Head, At(worker, Setting(file, "healthcheck.uri")));
        Assert.Equal(HttpStatusCode.OK, (await client.SendAsync(asked)).StatusCode);
    }

    [Fact]
    public async Task Telegraf_ThatIsInstalled_SendsWhatIsTaken()
    {
        Assert.SkipUnless(IsHere("telegraf"), "telegraf is not on the PATH.");
        using var folder = new TemporaryFolder();
        await using HouseWorker worker = await HouseWorker.StartAsync(Configuration(folder));
        folder.Write("telegraf.conf", Repository.Read(Telegraf).Replace("http://localhost:8080", worker.Address, StringComparison.Ordinal));

        using Process telegraf = Start("telegraf --config telegraf.conf --once", folder);
        await telegraf.WaitForExitAsync(TestContext.Current.CancellationToken)
            .WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);

        Assert.True(await TakenAsync(worker, "machines") > 0);
    }

    [Fact]
    public async Task Vector_ThatIsInstalled_SendsWhatIsTaken()
    {
        Assert.SkipUnless(IsHere("vector"), "vector is not on the PATH.");
        using var folder = new TemporaryFolder();
        await using HouseWorker worker = await HouseWorker.StartAsync(Configuration(folder));
        folder.Write("sensors/a.ndjson", string.Concat(Enumerable.Range(0, Batch).Select(at => SensorOf(at) + "\n")));
        folder.Write("vector/keep", "");
        folder.Write("vector.toml", Repository.Read(Vector).Replace("http://localhost:8080", worker.Address, StringComparison.Ordinal)
            .Replace("/var/log/sensors", $"{folder.Path}/sensors", StringComparison.Ordinal)
            .Replace("/var/lib/vector", $"{folder.Path}/vector", StringComparison.Ordinal));

        using Process vector = Start("vector --config vector.toml", folder);
        try
        {
            await Eventually.Get(async () => await TakenAsync(worker, "sensors") < Batch ? null : "all", "all lines are taken");
        }
        finally
        {
            vector.Kill(entireProcessTree: true);
        }
    }

    /// <summary>The worker's sample, on a free port and with what it writes in a folder.</summary>
    private static string Configuration(TemporaryFolder folder) => Repository.Read(Worker)
        .Replace("127.0.0.1:8080", "\"127.0.0.1:0\"", StringComparison.Ordinal)
        .Replace("out/", $"{folder.Path}/", StringComparison.Ordinal);

    private static JsonObject CpuOf(int at) => new()
    {
        ["timestamp"] = 1_763_600_000_000 + 10_000L * at,
        ["cpu"] = "cpu-total",
        ["host"] = $"raynor{at % 2}",
        ["usage_user"] = 10 + at * 7 % 11 / 3.0,
        ["usage_system"] = 3 + at * 5 % 13 / 5.0,
        ["usage_iowait"] = at * 3 % 7 / 9.0,
        ["usage_idle"] = 80.5,
    };

    private static string SensorOf(int at) => new JsonObject
    {
        ["pressure"] = 1 + at * 5 % 7 / 10.0,
        ["sensor"] = $"s{at % 3}",
        ["temperature"] = 20 + at % 2 * 50 + at * 7 % 11 / 4.0,
        ["time"] = DateTimeOffset.FromUnixTimeSeconds(1_763_600_000 + at).ToString("s", CultureInfo.InvariantCulture) + "Z",
    }.ToJsonString();

    private static async Task<int> PostAsync(HouseWorker worker, string url, string text, string type, string coding)
    {
        Assert.Equal("gzip", coding);
        using var body = new MemoryStream();
        using (var gzip = new GZipStream(body, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(Encoding.UTF8.GetBytes(text));
        using var content = new ByteArrayContent(body.ToArray());
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        content.Headers.ContentEncoding.Add(coding);
        using var client = new HttpClient();
        HttpResponseMessage answer = await client.PostAsync(At(worker, url), content);
        string said = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == HttpStatusCode.Accepted, said);
        return JsonDocument.Parse(said).RootElement.GetProperty("accepted").GetInt32();
    }

    private static Uri At(HouseWorker worker, string url)
    {
        Assert.StartsWith("http://localhost:8080/", url, StringComparison.Ordinal);
        return new Uri(new Uri(worker.Address), new Uri(url).AbsolutePath);
    }

    private static async Task<JsonElement> VersionAsync(HouseWorker worker, string model, int atLeast)
    {
        using var client = new HttpClient();
        return await client.GetFromJsonAsync<JsonElement>($"{worker.Address}/v1/models/{model}?min_version={atLeast}&wait=60s");
    }

    /// <summary>Records that a version has seen: a mixture that grows holds some of them back.</summary>
    private static long LearnedFrom(JsonElement version)
    {
        JsonElement training = version.GetProperty("training");
        return training.GetProperty("records").GetInt64()
            + (training.TryGetProperty("unlearned", out JsonElement unlearned) ? unlearned.GetInt64() : 0);
    }

    private static async Task<long> TakenAsync(HouseWorker worker, string model)
    {
        using var client = new HttpClient();
        JsonElement models = await client.GetFromJsonAsync<JsonElement>($"{worker.Address}/v1/models");
        JsonElement one = models.EnumerateArray().Single(found => found.GetProperty("id").GetString() == model);
        return one.GetProperty("records").GetInt64() + one.GetProperty("unlearned").GetInt64()
            + one.GetProperty("records_pending").GetInt64();
    }

    private static bool IsHere(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Any(folder => File.Exists(Path.Combine(folder, program)));

    private static Process Start(string command, TemporaryFolder folder) => Process.Start(
        new ProcessStartInfo("/bin/bash", ["-c", $"exec {command} >agent.log 2>&1"])
        {
            WorkingDirectory = folder.Path,
            UseShellExecute = false,
        })!;

    /// <summary>A setting of a file, that is written once in it.</summary>
    private static string Setting(string file, string name) => Settings().Matches(file).Single(match => match.Groups["name"].Value == name)
        .Groups["value"].Value;

    [GeneratedRegex("^ *(?<name>[A-Za-z][\\w.-]*) = (?<quote>[\"'])(?<value>.*)\\k<quote>$",
        RegexOptions.ExplicitCapture | RegexOptions.Multiline,
        1000)]
    private static partial Regex Settings();
}
