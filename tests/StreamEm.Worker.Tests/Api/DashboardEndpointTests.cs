using System.Net;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;
using StreamEm.Worker.Api;

namespace StreamEm.Worker.Tests.Api;

public sealed partial class DashboardEndpointTests
{
    [Fact]
    public async Task Page_AskedFor_IsServedWithAPolicyThatAllowsNothingElse()
    {
        await using ApiFixture api = await ApiFixture.Start();

        HttpResponseMessage answer = await api.Client.GetAsync("/ui/");

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("text/html; charset=utf-8", answer.Content.Headers.ContentType!.ToString());
        string policy = Assert.Single(answer.Headers.GetValues("Content-Security-Policy"));
        Assert.StartsWith("default-src 'none'; script-src 'self'; style-src 'self';", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.Equal("nosniff", Assert.Single(answer.Headers.GetValues("X-Content-Type-Options")));
        Assert.Equal("no-referrer", Assert.Single(answer.Headers.GetValues("Referrer-Policy")));
        Assert.True(answer.Headers.CacheControl!.NoCache);
    }

    [Fact]
    public async Task Files_OfThePage_AreThereUnderRelativeNamesAndNeverChange()
    {
        await using ApiFixture api = await ApiFixture.Start();
        string page = await api.Client.GetStringAsync("/ui/");
        string[] names = [.. Reference().Matches(page).Select(match => match.Groups["name"].Value)];
        Assert.Contains(names, name => name.EndsWith(".js", StringComparison.Ordinal));
        Assert.Contains(names, name => name.EndsWith(".css", StringComparison.Ordinal));
        Assert.DoesNotContain("<style", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("://", page, StringComparison.Ordinal);

        foreach (string name in names)
        {
            Assert.StartsWith("./", name, StringComparison.Ordinal);
            HttpResponseMessage answer = await api.Client.GetAsync($"/ui/{name}");
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            string type = Path.GetExtension(name) switch { ".js" => "text/javascript", ".css" => "text/css", _ => "image/svg+xml" };
            Assert.Equal(type, answer.Content.Headers.ContentType!.MediaType);
            if (!name.StartsWith("./assets/", StringComparison.Ordinal)) continue;
            Assert.Equal(TimeSpan.FromDays(365), answer.Headers.CacheControl!.MaxAge);
            Assert.Contains(answer.Headers.CacheControl.Extensions, extension => extension.Name == "immutable");
        }
    }

    [Fact]
    public async Task Root_WithoutItsSlash_IsSentOnByARelativeAddress()
    {
        await using ApiFixture api = await ApiFixture.Start();
        using var client = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = api.Client.BaseAddress };

        HttpResponseMessage answer = await client.GetAsync("/ui");

        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        Assert.Equal("ui/", answer.Headers.Location!.OriginalString);
    }

    [Fact]
    public async Task Page_InTheBrowsersCache_IsNotSentAgain()
    {
        await using ApiFixture api = await ApiFixture.Start();
        foreach (string coding in (string[])["gzip", "identity"])
        {
            HttpResponseMessage first = await api.Client.SendAsync(Page(coding));
            HttpRequestMessage again = Page(coding);
            again.Headers.IfNoneMatch.Add(first.Headers.ETag!);

            HttpResponseMessage second = await api.Client.SendAsync(again);

            Assert.False(first.Headers.ETag!.IsWeak);
            Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
            Assert.Empty(await second.Content.ReadAsByteArrayAsync());
        }
    }

    [Fact]
    public async Task Page_Compressed_IsTheSameWithAnotherTag()
    {
        await using ApiFixture api = await ApiFixture.Start();
        HttpResponseMessage plain = await api.Client.SendAsync(Page("identity"));
        HttpResponseMessage compressed = await api.Client.SendAsync(Page("gzip"));

        Assert.Equal(["gzip"], compressed.Content.Headers.ContentEncoding);
        Assert.Contains("Accept-Encoding", compressed.Headers.Vary);
        Assert.NotEqual(plain.Headers.ETag, compressed.Headers.ETag);
        await using var inflated = new System.IO.Compression.GZipStream(
            await compressed.Content.ReadAsStreamAsync(), System.IO.Compression.CompressionMode.Decompress);
        using var reader = new StreamReader(inflated);
        Assert.Equal(await plain.Content.ReadAsStringAsync(), await reader.ReadToEndAsync());
        Assert.Empty((await api.Client.SendAsync(Page("gzip;q=0, identity"))).Content.Headers.ContentEncoding);
    }

    [Fact]
    public async Task Page_AskedForByHead_HasTheHeadersAlone()
    {
        await using ApiFixture api = await ApiFixture.Start();

        HttpResponseMessage answer = await api.Client.SendAsync(new HttpRequestMessage(HttpMethod.Head, "/ui/"));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.True(answer.Content.Headers.ContentLength > 0);
        Assert.NotNull(answer.Headers.ETag);
        Assert.Empty(await answer.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [InlineData("/ui/nothing.js")]
    [InlineData("/ui/assets/")]
    [InlineData("/ui/%2e%2e/v1/models/%2e%2e")]
    [InlineData("/ui/..%2f..%2fetc%2fpasswd")]
    [InlineData("/ui/....//....//etc/passwd")]
    [InlineData("/ui/..%5c..%5cappsettings.json")]
    [InlineData("/ui//etc/passwd")]
    [InlineData("/ui/index.html%00.js")]
    [InlineData("/uix")]
    public async Task Path_ThatIsNoFile_IsNotThere(string path)
    {
        await using ApiFixture api = await ApiFixture.Start();

        HttpResponseMessage answer = await api.Client.GetAsync(path);

        Assert.Contains(answer.StatusCode, (HttpStatusCode[])[HttpStatusCode.NotFound, HttpStatusCode.BadRequest]);
        Assert.DoesNotContain("root:", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Page_OfAWorkerWithAToken_IsOpenAndItsDataAreNot()
    {
        await using ApiFixture api = await ApiFixture.Start(330, new HttpOptions { AuthToken = "s3cret" });

        Assert.Equal(HttpStatusCode.OK, (await api.Client.GetAsync("/ui/")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await api.Client.GetAsync("/v1/models")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await api.Client.GetAsync("/uix")).StatusCode);
    }

    [Fact]
    public async Task Page_Changed_IsRefused()
    {
        await using ApiFixture api = await ApiFixture.Start();

        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await api.Client.PostAsync("/ui/", null)).StatusCode);
    }

    private static HttpRequestMessage Page(string coding)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, "/ui/");
        foreach (string one in coding.Split(',')) request.Headers.AcceptEncoding.Add(StringWithQualityHeaderValue.Parse(one));
        return request;
    }

    [GeneratedRegex("(?:src|href)=\"(?<name>[^\"#]+)\"", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Reference();
}
