using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace StreamEm.Worker.Tests.Api;

public sealed class ScoreEndpointTests
{
    [Fact]
    public async Task Score_Json_AnswersInOrderWithErrorsAtTheirPlace()
    {
        await using ApiFixture api = await ApiFixture.Start();

        JsonElement answer = await Post(api, """
            {"records": [
              {"x": -3, "y": -6},
              {"x": "text", "y": 1},
              {"x": 4, "y": 8},
              {"x": 4, "y": null}
            ]}
            """);
        JsonElement[] records = [.. answer.GetProperty("records").EnumerateArray()];

        Assert.Equal(10, answer.GetProperty("version").GetInt64());
        Assert.Equal([0, 1, 2, 3], records.Select(record => record.GetProperty("record").GetInt32()));
        Assert.Equal("not_a_number", records[1].GetProperty("error").GetProperty("reason").GetString());
        Assert.NotEqual(records[0].GetProperty("component").GetInt32(), records[2].GetProperty("component").GetInt32());
        Assert.Equal(records[2].GetProperty("component_id").GetString(), records[3].GetProperty("component_id").GetString());
        foreach (JsonElement record in new[] { records[0], records[2], records[3] })
        {
            Assert.InRange(record.GetProperty("log_density").GetDouble(), -6, 0);
            Assert.Equal(1, record.GetProperty("responsibilities").EnumerateArray().Sum(value => value.GetDouble()), 1e-12);
            Assert.InRange(record.GetProperty("anomaly_score").GetDouble(), 0, 1);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(3000)]
    public async Task Score_BadRecordsBeforeGoodOnes_AreAllAnsweredInOrder(int bad)
    {
        await using ApiFixture api = await ApiFixture.Start();
        string body = "[" + string.Concat(Enumerable.Repeat("{\"x\": \"text\", \"y\": 1},", bad))
            + string.Join(',', Enumerable.Range(0, 2000).Select(row => $"{{\"x\": {row % 3}, \"y\": 1}}")) + "]";

        JsonElement[] records = [.. (await Post(api, body)).GetProperty("records").EnumerateArray()];

        Assert.Equal(Enumerable.Range(0, bad + 2000), records.Select(record => record.GetProperty("record").GetInt32()));
        Assert.All(records[..bad], record => Assert.True(record.TryGetProperty("error", out _)));
        Assert.All(records[bad..], record => Assert.True(record.TryGetProperty("log_density", out _)));
        Assert.Equal(records[bad].GetProperty("log_density").GetDouble(), records[bad + 3].GetProperty("log_density").GetDouble());
        Assert.NotEqual(records[bad].GetProperty("log_density").GetDouble(), records[bad + 1].GetProperty("log_density").GetDouble());
    }

    [Fact]
    public async Task Score_Lines_AnswersOneLineARecordWithTheVersion()
    {
        await using ApiFixture api = await ApiFixture.Start();

        HttpResponseMessage answer = await api.Client.SendAsync(api.Request(HttpMethod.Post, "/v1/models/clouds/score",
            "{\"x\": -3, \"y\": -6}\n\n{\"x\": 100, \"y\": -100}\n", "application/x-ndjson"));
        JsonElement[] lines =
            [.. (await answer.Content.ReadAsStringAsync()).TrimEnd('\n').Split('\n').Select(line => JsonDocument.Parse(line).RootElement)];

        Assert.Equal("application/x-ndjson", answer.Content.Headers.ContentType!.MediaType);
        Assert.Equal(2, lines.Length);
        Assert.All(lines, line => Assert.Equal(10, line.GetProperty("version").GetInt64()));
        Assert.True(lines[1].GetProperty("anomaly_score").GetDouble() > 0.98, "A record far away is not an anomaly.");
    }

    [Theory]
    [InlineData("{\"records\": [", "application/json", HttpStatusCode.BadRequest)]
    [InlineData("{\"records\": [], \"records\": []}", "application/json", HttpStatusCode.BadRequest)]
    [InlineData("a,b\n1,2\n", "text/csv", HttpStatusCode.BadRequest)]
    [InlineData("x,y\n1,2\n", "text/plain", HttpStatusCode.UnsupportedMediaType)]
    public async Task Score_BodyOfAnotherKind_IsRefusedWithAProblem(string body, string type, HttpStatusCode status)
    {
        await using ApiFixture api = await ApiFixture.Start();

        HttpResponseMessage answer = await api.Client.SendAsync(api.Request(HttpMethod.Post, "/v1/models/clouds/score", body, type));

        Assert.Equal(status, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
        Assert.True((await answer.Content.ReadFromJsonAsync<JsonElement>()).TryGetProperty("expected", out _));
    }

    [Fact]
    public async Task Score_BodyOverOneMebibyte_Is413()
    {
        await using ApiFixture api = await ApiFixture.Start();

        HttpResponseMessage answer = await api.Client
            .SendAsync(api.Request(HttpMethod.Post, "/v1/models/clouds/score", new string(' ', (1 << 20) + 1)));

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
    }

    [Fact]
    public async Task Score_MoreThanTenThousandRecords_Is413WithTheNumbers()
    {
        await using ApiFixture api = await ApiFixture.Start();
        string body = "{\"records\":[" + string.Join(',', Enumerable.Repeat("{\"x\":1,\"y\":1}", 10_001)) + "]}";

        HttpResponseMessage answer = await api.Client.SendAsync(api.Request(HttpMethod.Post, "/v1/models/clouds/score", body));

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
        Assert.Equal(10_001, (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("found").GetInt32());
    }

    [Fact]
    public async Task Score_BeforeTheFirstSnapshot_Is404WithTheStatus()
    {
        await using ApiFixture api = await ApiFixture.Start(records: 40);

        HttpResponseMessage answer = await api.Client
            .SendAsync(api.Request(HttpMethod.Post, "/v1/models/clouds/score", """{"records": []}"""));

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Equal("warming_up", (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("found").GetString());
    }

    private static async Task<JsonElement> Post(ApiFixture api, string body)
    {
        HttpResponseMessage answer = await api.Client.SendAsync(api.Request(HttpMethod.Post, "/v1/models/clouds/score", body));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }
}
