using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace StreamEm.Worker.Tests.Api;

public sealed class RecentEndpointTests
{
    [Fact]
    public async Task Sample_OfALearningModel_HasFieldsAndScoresOfTheNewestVersion()
    {
        await using ApiFixture api = await ApiFixture.Start();

        JsonElement answer = await api.Client.GetFromJsonAsync<JsonElement>("/v1/models/clouds/recent?limit=5");

        Assert.Equal(("clouds", 10, "sample", 1), (answer.GetProperty("model").GetString(), answer.GetProperty("version").GetInt32(),
            answer.GetProperty("kind").GetString(), answer.GetProperty("one_in").GetInt32()));
        JsonElement[] records = [.. answer.GetProperty("records").EnumerateArray()];
        Assert.Equal([325, 326, 327, 328, 329], records.Select(record => record.GetProperty("record").GetInt32()));
        double[] row = api.Records[329]!;
        Assert.Equal(row[0], records[4].GetProperty("fields").GetProperty("x").GetDouble());
        Assert.Equal(row[1], records[4].GetProperty("fields").GetProperty("y").GetDouble());
        Assert.StartsWith("c", records[4].GetProperty("component_id").GetString(), StringComparison.Ordinal);
        Assert.InRange(records[4].GetProperty("p_value").GetDouble(), 0, 1);
        Assert.False(records[4].TryGetProperty("explanation", out _));
    }

    [Fact]
    public async Task Sample_SaysWhatScoreSays()
    {
        await using ApiFixture api = await ApiFixture.Start();
        JsonElement recent = (await api.Client.GetFromJsonAsync<JsonElement>("/v1/models/clouds/recent?limit=1")).GetProperty("records")[0];
        string body = $$"""{"records": [{{recent.GetProperty("fields").GetRawText()}}]}""";

        HttpResponseMessage answer = await api.Client.SendAsync(api.Request(HttpMethod.Post, "/v1/models/clouds/score", body));
        JsonElement score = (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("records")[0];

        foreach (string name in (string[])["log_density", "responsibilities", "component_id", "anomaly_score", "p_value", "version"])
            Assert.Equal(score.GetProperty(name).GetRawText(), recent.GetProperty(name).GetRawText());
    }

    [Fact]
    public async Task Sample_BeforeThereIsAVersion_HasFieldsAlone()
    {
        await using ApiFixture api = await ApiFixture.Start(records: 50);

        JsonElement answer = await api.Client.GetFromJsonAsync<JsonElement>("/v1/models/clouds/recent");

        Assert.False(answer.TryGetProperty("version", out _));
        Assert.Equal(50, answer.GetProperty("records").GetArrayLength());
        JsonElement first = answer.GetProperty("records")[0];
        Assert.Equal(api.Records[0]![0], first.GetProperty("fields").GetProperty("x").GetDouble());
        Assert.False(first.TryGetProperty("log_density", out _));
    }

    [Fact]
    public async Task Strangest_OfTheSample_ComeInOrderWithWhatEachFeatureHasToDoWithIt()
    {
        await using ApiFixture api = await ApiFixture.Start();

        JsonElement answer = await api.Client.GetFromJsonAsync<JsonElement>("/v1/models/clouds/recent?kind=strangest&limit=7");

        JsonElement[] records = [.. answer.GetProperty("records").EnumerateArray()];
        Assert.Equal(7, records.Length);
        double[] pValues = [.. records.Select(record => record.GetProperty("p_value").GetDouble())];
        Assert.Equal(pValues.Order(), pValues);
        JsonElement explanation = records[0].GetProperty("explanation");
        Assert.True(double.IsFinite(explanation.GetProperty("x").GetProperty("contribution").GetDouble()));
        Assert.Equal(2, explanation.GetProperty("y").GetProperty("interval").GetArrayLength());
    }

    [Fact]
    public async Task Alarms_OfAModelWithout_AreNone()
    {
        await using ApiFixture api = await ApiFixture.Start();

        JsonElement answer = await api.Client.GetFromJsonAsync<JsonElement>("/v1/models/clouds/recent?kind=alarms");

        Assert.Equal(0, answer.GetProperty("records").GetArrayLength());
    }

    [Theory]
    [InlineData("clouds/recent?kind=all", HttpStatusCode.BadRequest)]
    [InlineData("clouds/recent?limit=0", HttpStatusCode.BadRequest)]
    [InlineData("clouds/recent?limit=1001", HttpStatusCode.BadRequest)]
    [InlineData("clouds/recent?kind=alarms&limit=101", HttpStatusCode.BadRequest)]
    [InlineData("clouds/recent?limit=-1", HttpStatusCode.BadRequest)]
    [InlineData("elsewhere/recent", HttpStatusCode.NotFound)]
    [InlineData("clouds/components?x=z", HttpStatusCode.BadRequest)]
    [InlineData("clouds/diff?from=9", HttpStatusCode.BadRequest)]
    [InlineData("clouds/diff?from=9&to=11", HttpStatusCode.NotFound)]
    [InlineData("clouds/snapshots?after=x", HttpStatusCode.BadRequest)]
    [InlineData("elsewhere/layout", HttpStatusCode.NotFound)]
    public async Task Request_ThatCannotBeAnswered_SaysWhatIsExpected(string path, HttpStatusCode status)
    {
        await using ApiFixture api = await ApiFixture.Start();

        HttpResponseMessage answer = await api.Client.GetAsync($"/v1/models/{path}");

        Assert.Equal(status, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
        Assert.True((await answer.Content.ReadFromJsonAsync<JsonElement>()).TryGetProperty("expected", out _));
    }
}
