using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using StreamEm.Worker.Api;

namespace StreamEm.Worker.Tests.Api;

/// <summary>The administration calls, what they answer and what they leave in the log.</summary>
public sealed class AdministrationEndpointsTests
{
    [Fact]
    public async Task Checkpoint_OfAModel_AnswersWhatIsOnDiskAndIsLogged()
    {
        await using ApiFixture api = await ApiFixture.Start();

        JsonElement done = await Post(api, "/v1/models/clouds/checkpoint");

        Assert.Equal((10, 320), (done.GetProperty("version").GetInt64(), done.GetProperty("records").GetInt64()));
        Assert.Contains(api.Log.Lines, line => line.StartsWith("Information administration: ", StringComparison.Ordinal)
            && line.Contains("checkpoint of model clouds, asked by 127.0.0.1 (no token, loopback): done", StringComparison.Ordinal));
    }

    [Fact]
    public async Task PauseAndResume_OfTheWorker_ShowInTheListOfModels()
    {
        await using ApiFixture api = await ApiFixture.Start();

        Assert.True((await Post(api, "/v1/admin/pause"))[0].GetProperty("paused").GetBoolean());
        Assert.Equal("paused", (await Models(api)).GetProperty("status").GetString());
        Assert.Equal(HttpStatusCode.OK, (await api.Client.GetAsync("/readyz")).StatusCode);

        Assert.False((await Post(api, "/v1/admin/resume"))[0].GetProperty("paused").GetBoolean());
        Assert.Equal("learning", (await Models(api)).GetProperty("status").GetString());
    }

    [Theory]
    [InlineData("/v1/models/clouds/pin?version=8", null)]
    [InlineData("/v1/models/clouds/pin", """{"version": 8}""")]
    public async Task Pin_OfAVersion_IsWhatIsServedAndScoredUnderUntilUnpin(string path, string? body)
    {
        await using ApiFixture api = await ApiFixture.Start();

        Assert.Equal(8, (await Post(api, path, body)).GetProperty("pinned_version").GetInt64());

        JsonElement model = await Models(api);
        Assert.Equal((10, 8), (model.GetProperty("version").GetInt64(), model.GetProperty("pinned_version").GetInt64()));
        Assert.Equal(8, await Served(api));
        HttpResponseMessage scored = await api.Client.SendAsync(
            api.Request(HttpMethod.Post, "/v1/models/clouds/score", """{"records": [{"x": 1, "y": 2}]}"""));
        Assert.Equal(8, (await Json(scored)).GetProperty("version").GetInt64());
        HttpResponseMessage newer = await api.Client.GetAsync("/v1/models/clouds?min_version=10");
        Assert.Equal(HttpStatusCode.NotFound, newer.StatusCode);
        Assert.Contains("pinned to version 8", (await Json(newer)).GetProperty("detail").GetString(), StringComparison.Ordinal);

        await Post(api, "/v1/models/clouds/unpin");
        Assert.Equal(10, await Served(api));
        Assert.False((await Models(api)).TryGetProperty("pinned_version", out _));
    }

    [Fact]
    public async Task Pin_WithoutAVersion_KeepsThePresentOne()
    {
        await using ApiFixture api = await ApiFixture.Start();

        Assert.Equal(10, (await Post(api, "/v1/models/clouds/pin")).GetProperty("pinned_version").GetInt64());
    }

    [Fact]
    public async Task Revert_ToAVersion_ServesANewOne()
    {
        await using ApiFixture api = await ApiFixture.Start();

        Assert.Equal(11, (await Post(api, "/v1/models/clouds/revert?version=4")).GetProperty("version").GetInt64());

        Assert.Equal(11, await Served(api));
    }

    [Theory]
    [InlineData("/v1/models/none/pause", null, 404)]
    [InlineData("/v1/models/clouds/revert", null, 400)]
    [InlineData("/v1/models/clouds/revert?version=x", null, 400)]
    [InlineData("/v1/models/clouds/revert?version=0", null, 400)]
    [InlineData("/v1/models/clouds/revert", "[1", 400)]
    [InlineData("/v1/models/clouds/pin", """{"version": "eight"}""", 400)]
    [InlineData("/v1/models/clouds/revert?version=77", null, 404)]
    [InlineData("/v1/models/clouds/pin?version=77", null, 404)]
    [InlineData("/v1/models/clouds/revert?version=10", null, 409)]
    public async Task Call_ThatCannotBe_IsExplained(string path, string? body, int status)
    {
        await using ApiFixture api = await ApiFixture.Start();

        HttpResponseMessage answer = await api.Client.SendAsync(api.Request(HttpMethod.Post, path, body));

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        Assert.NotEmpty((await Json(answer)).GetProperty("detail").GetString()!);
    }

    [Fact]
    public async Task Call_WithoutTheToken_IsRefused()
    {
        await using ApiFixture api = await ApiFixture.Start(330, new HttpOptions { AuthToken = "secret" });

        Assert.Equal(HttpStatusCode.Unauthorized, (await api.Client.PostAsync("/v1/models/clouds/pause", null)).StatusCode);
        api.Client.DefaultRequestHeaders.Authorization = new("Bearer", "secret");
        await Post(api, "/v1/models/clouds/pause");
        Assert.Contains(api.Log.Lines, line => line.Contains("(token): done", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Call_FromAForeignPage_IsRefused()
    {
        await using ApiFixture api = await ApiFixture.Start();
        HttpRequestMessage request = api.Request(HttpMethod.Post, "/v1/admin/drain");
        request.Headers.Add("Origin", "https://elsewhere.example");

        Assert.Equal(HttpStatusCode.Forbidden, (await api.Client.SendAsync(request)).StatusCode);
        Assert.False(api.Status.EndAsked.IsCompleted);
    }

    [Fact]
    public async Task Drain_AsksTheWorkerToEndInOrder()
    {
        await using ApiFixture api = await ApiFixture.Start();

        HttpResponseMessage answer = await api.Client.PostAsync("/v1/admin/drain", null);

        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        await Eventually.Within(api.Status.EndAsked);
    }

    private static async Task<JsonElement> Post(ApiFixture api, string path, string? body = null)
    {
        HttpResponseMessage answer = await api.Client.SendAsync(api.Request(HttpMethod.Post, path, body));
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        return await Json(answer);
    }

    private static async Task<JsonElement> Models(ApiFixture api) => (await api.Client.GetFromJsonAsync<JsonElement>("/v1/models"))[0];

    private static async Task<long> Served(ApiFixture api) =>
        (await api.Client.GetFromJsonAsync<JsonElement>("/v1/models/clouds")).GetProperty("version").GetInt64();

    private static async Task<JsonElement> Json(HttpResponseMessage answer) =>
        JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
}
