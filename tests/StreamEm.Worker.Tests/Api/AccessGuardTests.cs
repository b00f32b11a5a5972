using System.Net;
using StreamEm.Worker.Api;

namespace StreamEm.Worker.Tests.Api;

public sealed class AccessGuardTests
{
    private const string Body = """{"records": [{"x": 1, "y": 1}]}""";

    [Fact]
    public async Task Host_OtherThanLoopback_IsMisdirected()
    {
        await using ApiFixture api = await ApiFixture.Start();
        HttpRequestMessage request = api.Request(HttpMethod.Get, "/v1/models");
        request.Headers.Host = "rebound.example";

        Assert.Equal(HttpStatusCode.MisdirectedRequest, (await api.Client.SendAsync(request)).StatusCode);
    }

    [Fact]
    public async Task Post_FromAForeignPage_IsForbidden()
    {
        await using ApiFixture api = await ApiFixture.Start();
        HttpRequestMessage foreign = api.Request(HttpMethod.Post, "/v1/models/clouds/score", Body);
        foreign.Headers.Add("Origin", "https://elsewhere.example");
        HttpRequestMessage own = api.Request(HttpMethod.Post, "/v1/models/clouds/score", Body);
        own.Headers.Add("Origin", api.Client.BaseAddress!.GetLeftPart(UriPartial.Authority));

        Assert.Equal(HttpStatusCode.Forbidden, (await api.Client.SendAsync(foreign)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await api.Client.SendAsync(own)).StatusCode);
    }

    [Theory]
    [InlineData(null, HttpStatusCode.Unauthorized)]
    [InlineData("Bearer wrong", HttpStatusCode.Unauthorized)]
    [InlineData("Basic s3cret", HttpStatusCode.Unauthorized)]
    [InlineData("Bearer s3cre", HttpStatusCode.Unauthorized)]
    [InlineData("Bearer s3crets", HttpStatusCode.Unauthorized)]
    [InlineData("Bearer s", HttpStatusCode.Unauthorized)]
    [InlineData("Bearer 3cret", HttpStatusCode.Unauthorized)]
    [InlineData("Bearer ", HttpStatusCode.Unauthorized)]
    [InlineData("Bearer", HttpStatusCode.Unauthorized)]
    [InlineData("Bearer S3CRET", HttpStatusCode.Unauthorized)]
    [InlineData("Bearer s3cret s3cret", HttpStatusCode.Unauthorized)]
    [InlineData("s3cret", HttpStatusCode.Unauthorized)]
    [InlineData("Bearer s3cret", HttpStatusCode.OK)]
    [InlineData("bearer s3cret", HttpStatusCode.OK)]
    public async Task Token_Configured_IsNeeded(string? header, HttpStatusCode status)
    {
        await using ApiFixture api = await ApiFixture.Start(330, new HttpOptions { AuthToken = "s3cret" });
        HttpRequestMessage request = api.Request(HttpMethod.Get, "/v1/models");
        if (header is not null) Assert.True(request.Headers.TryAddWithoutValidation("Authorization", header));

        Assert.Equal(status, (await api.Client.SendAsync(request)).StatusCode);
    }

    [Theory]
    [InlineData("/livez")]
    [InlineData("/readyz")]
    [InlineData("/startupz")]
    [InlineData("/metrics")]
    public async Task Token_Configured_IsNotNeededForChecks(string path)
    {
        await using ApiFixture api = await ApiFixture.Start(330, new HttpOptions { AuthToken = "s3cret" });

        Assert.Equal(HttpStatusCode.OK, (await api.Client.GetAsync(path)).StatusCode);
    }
}
