using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using StreamEm.Worker.Api;
using StreamEm.Worker.Pipeline;

namespace StreamEm.Worker.Tests.Hostile;

/// <summary>Whatever is posted: /records and /score take the same, and nothing ends the model.</summary>
public sealed class BodiesTests
{
    private const string Json = "application/json", Lines = "application/x-ndjson", Csv = "text/csv";

    private static readonly (string? Type, string Body, int Records)[] Good =
    [
        (Json, """{"x": 1, "y": 2}""", 1),
        (Json, """[{"x": 1, "y": 2}, {"x": -0.5, "y": 0.25}, {"x": 0, "y": null}]""", 3),
        (Json, """{"records": [{"x": 1, "y": 2}, {"x": 3, "y": 4}]}""", 2),
        (Json, "\uFEFF{\"x\": 1, \"y\": 2}", 1),
        (Json, "{\"x\": 1, \"y\": 2}\n{\"x\": 3, \"y\": 4}\n", 2),
        (null, """{"x": 1, "y": 2}""", 1),
        ("APPLICATION/JSON; Charset=\"UTF-8\"", """{"x": 1, "y": 2}""", 1),
        ("application/vnd.thing+JSON", """{"x": 1, "y": 2}""", 1),
        (Lines, "{\"x\": 1, \"y\": 2}\r\n\r\n{\"x\": 3, \"y\": 4}", 2),
        ("Application/X-NDJSON", "{\"x\": 1, \"y\": 2}", 1),
        ("application/jsonl", "\uFEFF{\"x\": 1, \"y\": 2}", 1),
        (Lines, """[{"x": 1, "y": 2}, {"x": 3, "y": 4}]""", 2),
        (Csv, "y,x\n2,1\n4,3\n", 2),
        ("TEXT/CSV; header=present; charset=utf-8", "\uFEFFx,y,z\r\n1,2,a\r\n", 1),
    ];

    private static readonly (string? Type, string? Encoding, byte[] Body, HttpStatusCode Status)[] Bad =
    [
        (Json, null, [], HttpStatusCode.BadRequest),
        (Lines, null, [], HttpStatusCode.BadRequest),
        (Csv, null, [], HttpStatusCode.BadRequest),
        (Json, null, "7"u8.ToArray(), HttpStatusCode.BadRequest),
        (Json, null, "temperature=20"u8.ToArray(), HttpStatusCode.BadRequest),
        (Json, null, """[{"x": 1"""u8.ToArray(), HttpStatusCode.BadRequest),
        (Json, null, [0xFF, 0xFE, (byte)'{', 0, (byte)'}', 0], HttpStatusCode.BadRequest),
        (Json, null, [0xFF, 0xFF, 0xFF], HttpStatusCode.BadRequest),
        (Lines, null, Gzip("{\"x\": 1}"), HttpStatusCode.BadRequest),
        (Lines, "gzip", "{\"x\": 1}"u8.ToArray(), HttpStatusCode.BadRequest),
        (Lines, "gzip", Gzip("{\"x\": 1}")[..^5], HttpStatusCode.BadRequest),
        (Lines, "gzip", Gzip("{\"x\": 1}")[..12], HttpStatusCode.BadRequest),
        (Lines, "gzip", [], HttpStatusCode.BadRequest),
        (Lines, "gzip", Gzip(new string(' ', (4 << 20) + 1)), HttpStatusCode.RequestEntityTooLarge),
        (Lines, null, new byte[(1 << 20) + 1], HttpStatusCode.RequestEntityTooLarge),
        (Csv, null, "1,2\n3,4\n"u8.ToArray(), HttpStatusCode.BadRequest),
        ("text/csv; header=absent", null, "1,2\n3,4\n"u8.ToArray(), HttpStatusCode.UnsupportedMediaType),
        ("text/plain", null, "{\"x\": 1}"u8.ToArray(), HttpStatusCode.UnsupportedMediaType),
        ("application/x-www-form-urlencoded", null, "x=1"u8.ToArray(), HttpStatusCode.UnsupportedMediaType),
        ("application/json; charset=utf-16", null, "{\"x\": 1}"u8.ToArray(), HttpStatusCode.UnsupportedMediaType),
        ("application/json; charset=iso-8859-1", null, "{\"x\": 1}"u8.ToArray(), HttpStatusCode.UnsupportedMediaType),
        (Lines, "deflate", "{\"x\": 1}"u8.ToArray(), HttpStatusCode.UnsupportedMediaType),
        (Lines, "br", "{\"x\": 1}"u8.ToArray(), HttpStatusCode.UnsupportedMediaType),
        (Lines, "zstd", "{\"x\": 1}"u8.ToArray(), HttpStatusCode.UnsupportedMediaType),
        (Lines, "gzip, gzip", Gzip("{\"x\": 1}"), HttpStatusCode.UnsupportedMediaType),
        (Json, null, "[1, \"a\", null, [[2]], true]"u8.ToArray(), HttpStatusCode.UnprocessableEntity),
        (Json, null, """{"x": "\uD800"}"""u8.ToArray(), HttpStatusCode.UnprocessableEntity),
        (Json, null, """{"records": 7}"""u8.ToArray(), HttpStatusCode.UnprocessableEntity),
        (Lines, null, "temperature=20 humidity=40\n"u8.ToArray(), HttpStatusCode.UnprocessableEntity),
        (Lines, null, [(byte)'{', 0xC3, 0x28, (byte)'}'], HttpStatusCode.UnprocessableEntity),
        (Json, null, Encoding.ASCII.GetBytes(new string('[', 1000) + new string(']', 1000)), HttpStatusCode.UnprocessableEntity),
        (Csv, null, "x,y\n1\n1,2,3\n"u8.ToArray(), HttpStatusCode.UnprocessableEntity),
    ];

    [Fact]
    public async Task Records_AndScore_TakeTheSameShapes()
    {
        await using PushFixture api = await PushFixture.Start();
        long taken = 96;
        foreach ((string? type, string body, int records) in Good)
        {
            foreach (string? encoding in (string?[])[null, "gzip", "GZIP", "identity"])
            {
                byte[] bytes = encoding is null or "identity" ? Encoding.UTF8.GetBytes(body) : Gzip(body);
                HttpResponseMessage scored = await api.Post(PushFixture.Score, bytes, type, encoding);
                string text = await scored.Content.ReadAsStringAsync();
                Assert.True(scored.StatusCode == HttpStatusCode.OK, $"{type} {body}: {text}");
                Assert.Equal(records, Scores(text).Count(score => score.GetProperty("log_density").ValueKind == JsonValueKind.Number));

                HttpResponseMessage answer = await api.Post(PushFixture.Records, bytes, type, encoding);
                Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
                JsonElement counts = await answer.Content.ReadFromJsonAsync<JsonElement>();
                Assert.Equal((records, 0), (counts.GetProperty("accepted").GetInt32(), counts.GetProperty("rejected").GetInt32()));
                taken += records;
            }
        }

        await api.Taken(taken);
    }

    [Fact]
    public async Task Records_AndScore_RefuseTheSameAndTheModelGoesOn()
    {
        await using PushFixture api = await PushFixture.Start();
        foreach ((string? type, string? encoding, byte[] body, HttpStatusCode status) in Bad)
        {
            foreach (string path in (string[])[PushFixture.Records, PushFixture.Score])
            {
                HttpResponseMessage answer = await api.Post(path, body, type, encoding);
                string text = await answer.Content.ReadAsStringAsync();
                Assert.True(status == answer.StatusCode, $"{path} {type} {encoding} {body.Length}: {answer.StatusCode} {text}");
                Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
                Assert.Equal("nosniff", Assert.Single(answer.Headers.GetValues("X-Content-Type-Options")));
                JsonElement problem = JsonDocument.Parse(text).RootElement;
                if (status != HttpStatusCode.UnprocessableEntity) continue;
                int rejected = problem.GetProperty("rejected").GetInt32();
                Assert.Equal(0, problem.GetProperty("accepted").GetInt32());
                Assert.Equal(rejected, problem.GetProperty("reasons").EnumerateObject().Sum(reason => reason.Value.GetInt32()));
                Assert.Equal(0, problem.GetProperty("first")[0].GetProperty("record").GetInt32());
            }
        }

        await api.PushGood(64);
        await api.Taken(160);
        Assert.Equal(ModelState.Learning, api.Pipeline.State);
    }

    [Fact]
    public async Task Records_OfWhichOneCannotBeUsed_AreTakenWithoutIt()
    {
        await using PushFixture api = await PushFixture.Start();

        HttpResponseMessage answer = await api.Post(
            PushFixture.Records, """[{"x": 1, "y": 2}, {"x": "\uDC00", "y": 1}, {"x": "deep", "y": 2}, {"x": 3, "y": 4}]""", Json);

        JsonElement counts = await answer.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        Assert.Equal((2, 2), (counts.GetProperty("accepted").GetInt32(), counts.GetProperty("rejected").GetInt32()));
        Assert.Equal([1, 2], counts.GetProperty("first").EnumerateArray().Select(one => one.GetProperty("record").GetInt32()));
        Assert.Equal("not_a_number", counts.GetProperty("first")[1].GetProperty("reason").GetString());
        await api.Taken(98);
    }

    [Fact]
    public async Task Records_NoneOfWhichCanBeUsed_ThousandTimes_DoNotEndTheModel()
    {
        await using PushFixture api = await PushFixture.Start();
        string rubbish = string.Concat(Enumerable.Repeat("temperature=20 humidity=40\n", 100));
        for (int i = 0; i < 300; i++)
            Assert.Equal(HttpStatusCode.UnprocessableEntity, (await api.Post(PushFixture.Records, rubbish, Lines)).StatusCode);

        await Eventually.True(() => api.Pipeline.Rejecting is not null, "the model holds clients back");
        JsonElement model = (await api.Client.GetFromJsonAsync<JsonElement>("/v1/models"))[0];
        Assert.Equal("learning", model.GetProperty("status").GetString());
        Assert.Contains("records were rejected", model.GetProperty("warnings").EnumerateArray().Last().GetString(),
            StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await api.Client.GetAsync("/readyz")).StatusCode);
        string metrics = await api.Client.GetStringAsync("/metrics");
        Assert.Contains("streamem_model_throttled{model=\"clouds\"} 1\n", metrics, StringComparison.Ordinal);
        Assert.Contains("streamem_push_requests_total{model=\"clouds\",result=\"unusable\"} 300\n", metrics, StringComparison.Ordinal);

        // Records that can be used are taken as before, and enough of them end it.
        for (int i = 0; i < 30; i++)
        {
            await api.PushGood(2000);
            await api.Taken(96 + 2000 * (i + 1));
        }

        await Eventually.True(() => api.Pipeline.Rejecting is null, "clients are held back no more");
    }

    [Theory]
    [InlineData("text/csv", "text/csv", "record,log_density,")]
    [InlineData("application/x-ndjson", "application/x-ndjson", "{\"record\":0,")]
    [InlineData("*/*", "application/json", "{\"model\":")]
    [InlineData("text/html, application/json;q=0.9, text/csv;q=0.1", "application/json", "{\"model\":")]
    public async Task Score_Accept_ChoosesTheForm(string accept, string type, string begins)
    {
        await using PushFixture api = await PushFixture.Start();
        using var request = new HttpRequestMessage(HttpMethod.Post, PushFixture.Score)
        { Content = JsonContent.Create(new { x = 1, y = 2 }) };
        request.Headers.TryAddWithoutValidation("Accept", accept);

        HttpResponseMessage answer = await api.Client.SendAsync(request);

        Assert.Equal(type, answer.Content.Headers.ContentType!.MediaType);
        Assert.StartsWith(begins, await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Score_ThousandsOfRecords_ComeInTheirOrder()
    {
        await using PushFixture api = await PushFixture.Start();
        string body = string.Join('\n', Enumerable.Range(0, ScoreEndpoint.MaxRecords)
            .Select(i => i % 3 == 1 ? "rubbish" : string.Create(CultureInfo.InvariantCulture, $"{{\"x\":{i},\"y\":1}}")));

        string[] lines = (await (await api.Post(PushFixture.Score, body, Lines)).Content.ReadAsStringAsync()).TrimEnd('\n').Split('\n');

        Assert.Equal(ScoreEndpoint.MaxRecords, lines.Length);
        for (int i = 0; i < lines.Length; i++)
        {
            JsonElement line = JsonDocument.Parse(lines[i]).RootElement;
            Assert.Equal(i, line.GetProperty("record").GetInt32());
            Assert.Equal(i % 3 == 1, line.TryGetProperty("error", out _));
        }
    }

    private static IEnumerable<JsonElement> Scores(string text)
    {
        if (!text.StartsWith("{\"model\"", StringComparison.Ordinal))
            return text.TrimEnd('\n').Split('\n').Select(line => JsonDocument.Parse(line).RootElement);
        return JsonDocument.Parse(text).RootElement.GetProperty("records").EnumerateArray();
    }

    private static byte[] Gzip(string text)
    {
        using var bytes = new MemoryStream();
        using (var gzip = new GZipStream(bytes, CompressionLevel.Fastest)) gzip.Write(Encoding.UTF8.GetBytes(text));
        return bytes.ToArray();
    }
}
