using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using StreamEm.Worker.Api;
using StreamEm.Worker.Snapshots;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Api;

public sealed class ModelEndpointsTests
{
    [Fact]
    public async Task Models_Learning_ListsWhereItStands()
    {
        await using ApiFixture api = await ApiFixture.Start();

        JsonElement model = Assert.Single((await api.Client.GetFromJsonAsync<JsonElement>("/v1/models")).EnumerateArray());

        Assert.Equal("clouds", model.GetProperty("id").GetString());
        Assert.Equal("gaussian_mixture", model.GetProperty("type").GetString());
        Assert.Equal("learning", model.GetProperty("status").GetString());
        Assert.Equal(10, model.GetProperty("version").GetInt64());
        Assert.Equal(10, model.GetProperty("updates").GetInt64());
        Assert.Equal(320, model.GetProperty("records").GetInt64());
        Assert.Equal(10, model.GetProperty("records_pending").GetInt64());
        Assert.InRange(model.GetProperty("mean_log_likelihood").GetDouble(), -6, -2);
    }

    [Fact]
    public async Task Models_WarmingUp_HasProgressAndNoSnapshotYet()
    {
        await using ApiFixture api = await ApiFixture.Start(records: 40);

        JsonElement model = Assert.Single((await api.Client.GetFromJsonAsync<JsonElement>("/v1/models")).EnumerateArray());
        HttpResponseMessage answer = await api.Client.GetAsync("/v1/models/clouds");

        Assert.Equal("warming_up", model.GetProperty("status").GetString());
        Assert.Equal(40, model.GetProperty("progress").GetProperty("records").GetInt64());
        Assert.Equal(96, model.GetProperty("progress").GetProperty("needed").GetInt64());
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
        Assert.Contains("warming up: 40 of 96 records", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Latest_WithItsETag_IsNotSentAgain()
    {
        await using ApiFixture api = await ApiFixture.Start();

        HttpResponseMessage first = await api.Client.GetAsync("/v1/models/clouds");
        HttpRequestMessage again = api.Request(HttpMethod.Get, "/v1/models/clouds");
        again.Headers.IfNoneMatch.Add(first.Headers.ETag!);
        HttpRequestMessage older = api.Request(HttpMethod.Get, "/v1/models/clouds");
        older.Headers.IfNoneMatch.ParseAdd(first.Headers.ETag!.Tag.Replace("-10\"", "-9\"", StringComparison.Ordinal));

        JsonElement snapshot = await first.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal($"\"{snapshot.GetProperty("model").GetProperty("run_id").GetString()}-10\"", first.Headers.ETag.Tag);
        Assert.Equal(10, snapshot.GetProperty("version").GetInt64());
        Assert.Equal(HttpStatusCode.NotModified, (await api.Client.SendAsync(again)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await api.Client.SendAsync(older)).StatusCode);
    }

    [Fact]
    public async Task Latest_SameVersionOfAnotherRun_IsSent()
    {
        await using ApiFixture before = await ApiFixture.Start(), after = await ApiFixture.Start();
        HttpResponseMessage held = await before.Client.GetAsync("/v1/models/clouds");
        HttpRequestMessage request = after.Request(HttpMethod.Get, "/v1/models/clouds");
        request.Headers.IfNoneMatch.Add(held.Headers.ETag!);

        HttpResponseMessage answer = await after.Client.SendAsync(request);

        Assert.Equal(before.Pipeline.Feed.Latest!.Version, after.Pipeline.Feed.Latest!.Version);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.NotEqual(held.Headers.ETag, answer.Headers.ETag);
    }

    [Fact]
    public async Task Head_OfTheLatest_TellsLengthAndETagAndHonoursIfNoneMatch()
    {
        await using ApiFixture api = await ApiFixture.Start();
        HttpResponseMessage whole = await api.Client.GetAsync("/v1/models/clouds");

        HttpResponseMessage head = await api.Client.SendAsync(api.Request(HttpMethod.Head, "/v1/models/clouds"));
        HttpRequestMessage again = api.Request(HttpMethod.Head, "/v1/models/clouds");
        again.Headers.IfNoneMatch.Add(whole.Headers.ETag!);
        HttpResponseMessage known = await api.Client.SendAsync(again);

        Assert.Equal((HttpStatusCode.OK, whole.Headers.ETag), (head.StatusCode, head.Headers.ETag));
        Assert.Equal((await whole.Content.ReadAsByteArrayAsync()).Length, head.Content.Headers.ContentLength);
        Assert.Empty(await head.Content.ReadAsByteArrayAsync());
        Assert.Equal((HttpStatusCode.NotModified, whole.Headers.ETag), (known.StatusCode, known.Headers.ETag));
    }

    [Fact]
    public async Task Latest_AfterARestart_IsThereAtOnceUnderTheETagOfBefore()
    {
        using var directory = new TemporaryDirectory();
        EntityTagHeaderValue before;
        await using (ApiFixture first = await ApiFixture.Start(330, new HttpOptions(), directory))
            before = (await first.Client.GetAsync("/v1/models/clouds")).Headers.ETag!;

        await using ApiFixture second = await ApiFixture.Start(330, new HttpOptions(), directory);
        HttpResponseMessage answer = await second.Client.GetAsync("/v1/models/clouds");

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(before, answer.Headers.ETag);
    }

    [Fact]
    public async Task Latest_WaitingForTheNextVersion_AnswersWhenItComes()
    {
        await using ApiFixture api = await ApiFixture.Start();
        SnapshotDocument latest = api.Pipeline.Feed.Latest!;

        Task<HttpResponseMessage> waiting = api.Client.GetAsync("/v1/models/clouds?min_version=11&wait=30s");
        // The request is in the server's hands and waits: it has subscribed to what comes.
        await Eventually.True(() => api.Pipeline.Feed.HasReaders || waiting.IsCompleted, "the server waits");
        Assert.False(waiting.IsCompleted);
        // A version that is still too old is passed over.
        api.Pipeline.Feed.Publish(new SnapshotDocument(latest.Snapshot with { Version = 10 }));
        api.Pipeline.Feed.Publish(new SnapshotDocument(latest.Snapshot with { Version = 11 }));
        HttpResponseMessage answer = await Eventually.Within(waiting);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(11, (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("version").GetInt64());
    }

    [Fact]
    public async Task Latest_VersionThatDoesNotComeInTime_Is404WithWhatThereIs()
    {
        await using ApiFixture api = await ApiFixture.Start();

        HttpResponseMessage answer = await api.Client.GetAsync("/v1/models/clouds?min_version=99&wait=10ms");

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        JsonElement problem = await answer.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal(10, problem.GetProperty("found").GetInt64());
        Assert.Equal("at least 99", problem.GetProperty("expected").GetString());
    }

    [Fact]
    public async Task Latest_BadWait_Is400()
    {
        await using ApiFixture api = await ApiFixture.Start();

        Assert.Equal(HttpStatusCode.BadRequest, (await api.Client.GetAsync("/v1/models/clouds?min_version=99&wait=soon")).StatusCode);
    }

    [Fact]
    public async Task Unknown_Model_Is404WithTheKnownOnes()
    {
        await using ApiFixture api = await ApiFixture.Start();

        foreach (string path in new[] { "/v1/models/boiler", "/v1/models/boiler/snapshots", "/v1/models/boiler/snapshots/1",
            "/v1/models/boiler/stream" })
        {
            HttpResponseMessage answer = await api.Client.GetAsync(path);
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
            Assert.Equal("clouds",
                Assert.Single((await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("expected").EnumerateArray())
                    .GetString());
        }
    }

    [Fact]
    public async Task Versions_Kept_AreListedAndServedOneByOne()
    {
        await using ApiFixture api = await ApiFixture.Start();

        JsonElement versions = await api.Client.GetFromJsonAsync<JsonElement>("/v1/models/clouds/snapshots");
        JsonElement fourth = await api.Client.GetFromJsonAsync<JsonElement>("/v1/models/clouds/snapshots/4");
        HttpResponseMessage none = await api.Client.GetAsync("/v1/models/clouds/snapshots/11");

        Assert.Equal(Enumerable.Range(1, 10).Select(version => (long)version),
            versions.EnumerateArray().Select(version => version.GetProperty("version").GetInt64()));
        Assert.Equal(4, fourth.GetProperty("version").GetInt64());
        Assert.Equal(HttpStatusCode.NotFound, none.StatusCode);
        Assert.Equal("1 to 10", (await none.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("expected").GetString());
    }

    [Theory]
    [InlineData("/v1/models/clouds?min_version=abc", "abc")]
    [InlineData("/v1/models/clouds?min_version=-1", "-1")]
    [InlineData("/v1/models/clouds/snapshots/newest", "newest")]
    public async Task Version_ThatIsNone_Is400WithFoundAndExpected(string path, string found)
    {
        await using ApiFixture api = await ApiFixture.Start();

        HttpResponseMessage answer = await api.Client.GetAsync(path);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        JsonElement problem = await answer.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal(found, problem.GetProperty("found").GetString());
        Assert.Equal("a version, a whole number such as 118", problem.GetProperty("expected").GetString());
    }

    [Fact]
    public async Task Unrouted_Requests_SayWhatThereIs()
    {
        await using ApiFixture api = await ApiFixture.Start();

        HttpResponseMessage path = await api.Client.GetAsync("/v1/model");
        HttpResponseMessage method = await api.Client.DeleteAsync("/v1/models/clouds");

        Assert.Equal(HttpStatusCode.NotFound, path.StatusCode);
        JsonElement unknown = await path.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal("/v1/model", unknown.GetProperty("found").GetString());
        Assert.Contains("/v1/models/{id}", unknown.GetProperty("expected").GetString(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, method.StatusCode);
        JsonElement refused = await method.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal("DELETE", refused.GetProperty("found").GetString());
        Assert.Equal("GET, HEAD", refused.GetProperty("expected").GetString());
    }

    [Fact]
    public async Task Times_OfListsAndSnapshots_AreWrittenAlike()
    {
        await using ApiFixture api = await ApiFixture.Start();

        string? inSnapshot = (await api.Client.GetFromJsonAsync<JsonElement>("/v1/models/clouds/snapshots/10")).GetProperty("created_at")
            .GetString();
        JsonElement versions = await api.Client.GetFromJsonAsync<JsonElement>("/v1/models/clouds/snapshots");
        JsonElement model = (await api.Client.GetFromJsonAsync<JsonElement>("/v1/models"))[0];

        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", inSnapshot);
        Assert.Equal(inSnapshot, versions[9].GetProperty("created_at").GetString());
        Assert.Equal(inSnapshot, model.GetProperty("updated_at").GetString());
    }
}
