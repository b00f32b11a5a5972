using System.Net;
using System.Text.Json;

namespace StreamEm.Worker.Tests.Api;

/// <summary>Replaying the last records over HTTP, beside a model that goes on.</summary>
public sealed class WhatIfEndpointTests
{
    private const string Path = "/v1/models/clouds/what-if";

    [Fact]
    public async Task Replay_UnderOtherSettings_AnswersBothAndChangesNothing()
    {
        await using ApiFixture api = await ApiFixture.Start();
        string before = await api.Client.GetStringAsync("/v1/models/clouds");

        HttpResponseMessage response = await api.Client.SendAsync(
            api.Request(HttpMethod.Post, Path, """{"components": 1, "alarm_threshold": 0.05}"""));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        JsonElement answer = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;
        Assert.Equal(330, answer.GetProperty("records").GetInt64());
        JsonElement asItIs = answer.GetProperty("as_it_is"), whatIf = answer.GetProperty("what_if");
        Assert.Equal(11, asItIs.GetProperty("updates").GetInt64());
        Assert.True(whatIf.GetProperty("mean_log_likelihood").GetDouble() < asItIs.GetProperty("mean_log_likelihood").GetDouble());
        Assert.False(asItIs.TryGetProperty("alarms", out _));
        Assert.True(whatIf.GetProperty("alarms").GetProperty("raised").GetInt64() > 0);
        Assert.True(answer.GetProperty("are_comparable").GetBoolean());
        Assert.StartsWith("models:\n  - id: clouds\n", answer.GetProperty("configuration").GetString(), StringComparison.Ordinal);
        Assert.Equal(before, await api.Client.GetStringAsync("/v1/models/clouds"));
    }

    [Fact]
    public async Task Replay_OfTheLastRecords_TakesNoMore()
    {
        await using ApiFixture api = await ApiFixture.Start();

        HttpResponseMessage response =
            await api.Client.SendAsync(api.Request(HttpMethod.Post, Path, """{"kappa": 0.6, "records": 200}"""));

        JsonElement answer = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;
        Assert.Equal(200, answer.GetProperty("records").GetInt64());
    }

    [Theory]
    [InlineData(Path, "", HttpStatusCode.BadRequest)]
    [InlineData(Path, "{}", HttpStatusCode.BadRequest)]
    [InlineData(Path, """{"records": 10}""", HttpStatusCode.BadRequest)]
    [InlineData(Path, """{"kappa": 2}""", HttpStatusCode.BadRequest)]
    [InlineData(Path, """{"kapa": 0.6}""", HttpStatusCode.BadRequest)]
    [InlineData(Path, """{"kappa": 0.6, "records": 0}""", HttpStatusCode.BadRequest)]
    [InlineData(Path, """{"features": ["nobody"]}""", HttpStatusCode.BadRequest)]
    [InlineData("/v1/models/nobody/what-if", """{"kappa": 0.6}""", HttpStatusCode.NotFound)]
    public async Task Replay_OfWhatCannotBe_IsRefused(string path, string body, HttpStatusCode status)
    {
        await using ApiFixture api = await ApiFixture.Start();

        HttpResponseMessage response = await api.Client.SendAsync(api.Request(HttpMethod.Post, path, body));

        Assert.Equal(status, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task Replay_BeforeAnyRecord_SaysThatThereIsNone()
    {
        await using ApiFixture api = await ApiFixture.Start(records: 0);

        HttpResponseMessage response = await api.Client.SendAsync(api.Request(HttpMethod.Post, Path, """{"kappa": 0.6}"""));

        Assert.Equal(HttpStatusCode.Conflict, response.StatusCode);
        Assert.Contains("has taken no record since the worker was started", await response.Content.ReadAsStringAsync(),
            StringComparison.Ordinal);
    }
}
