using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace StreamEm.Worker.Tests.Api;

public sealed class PictureEndpointsTests
{
    [Fact]
    public async Task Layout_OfAGaussianMixture_NamesItsAxes()
    {
        await using ApiFixture api = await ApiFixture.Start();

        JsonElement layout = await api.Client.GetFromJsonAsync<JsonElement>("/v1/models/clouds/layout");

        Assert.Equal(["x number", "y number"], layout.GetProperty("features").EnumerateArray()
            .Select(feature => $"{feature.GetProperty("name").GetString()} {feature.GetProperty("kind").GetString()}"));
        // K = D = 2: which axis is which does not depend on lengths alone.
        Assert.Equal(
            ["weights simplex component", "means real component feature", "covariances positive_definite component feature feature"],
            layout.GetProperty("blocks").EnumerateArray().Select(Described));
        Assert.Equal(["c0", "c1"], layout.GetProperty("blocks")[0].GetProperty("axes")[0].GetProperty("names").EnumerateArray()
            .Select(name => name.GetString()!));
    }

    [Fact]
    public async Task Components_InTwoFeatures_HaveTheMomentsOfTheSnapshot()
    {
        await using ApiFixture api = await ApiFixture.Start();
        JsonElement parameters = (await api.Client.GetFromJsonAsync<JsonElement>("/v1/models/clouds")).GetProperty("parameters");

        JsonElement components = await api.Client.GetFromJsonAsync<JsonElement>("/v1/models/clouds/components?x=y&y=x");

        JsonElement second = components.GetProperty("components")[1], ellipse = second.GetProperty("ellipse");
        double[] covariances = Numbers(parameters, "covariances");
        Assert.Equal(Numbers(parameters, "weights")[1], second.GetProperty("share").GetDouble(), 12);
        Assert.Equal(Numbers(parameters, "means")[3], ellipse.GetProperty("x").GetDouble(), 12);
        Assert.Equal(Numbers(parameters, "means")[2], ellipse.GetProperty("y").GetDouble(), 12);
        Assert.Equal(covariances[7], ellipse.GetProperty("variance_x").GetDouble(), 12);
        Assert.Equal(covariances[5], ellipse.GetProperty("covariance").GetDouble(), 12);
        Assert.Equal(covariances[4], ellipse.GetProperty("variance_y").GetDouble(), 12);
        Assert.Equal("ok", second.GetProperty("status").GetString());
    }

    [Fact]
    public async Task Components_WithoutFeatures_HaveSharesAlone()
    {
        await using ApiFixture api = await ApiFixture.Start();

        JsonElement components = await api.Client.GetFromJsonAsync<JsonElement>("/v1/models/clouds/components");

        Assert.Equal(1, components.GetProperty("components").EnumerateArray().Sum(one => one.GetProperty("share").GetDouble()), 12);
        Assert.False(components.GetProperty("components")[0].TryGetProperty("ellipse", out _));
    }

    [Fact]
    public async Task Snapshots_After_HaveTheNewerVersionsWithTheirShares()
    {
        await using ApiFixture api = await ApiFixture.Start();

        JsonElement versions = await api.Client.GetFromJsonAsync<JsonElement>("/v1/models/clouds/snapshots?after=7&components=true");

        Assert.Equal([8, 9, 10], versions.EnumerateArray().Select(version => version.GetProperty("version").GetInt32()));
        JsonElement last = versions[2];
        JsonElement shares = last.GetProperty("components");
        Assert.Equal(1, shares.GetProperty("c0").GetDouble() + shares.GetProperty("c1").GetDouble(), 12);
        Assert.True(last.GetProperty("step_size").GetDouble() > 0);
        Assert.Equal(last.GetProperty("mean_log_likelihood").GetDouble(),
            last.GetProperty("energy").GetDouble() + last.GetProperty("entropy").GetDouble(), 6);
    }

    [Fact]
    public async Task Snapshots_NotAskedForComponents_HaveNone()
    {
        await using ApiFixture api = await ApiFixture.Start();

        JsonElement versions = await api.Client.GetFromJsonAsync<JsonElement>("/v1/models/clouds/snapshots");

        Assert.Equal(10, versions.GetArrayLength());
        Assert.False(versions[0].TryGetProperty("components", out _));
    }

    [Fact]
    public async Task Diff_OfTwoVersions_IsThatOfTheVerb()
    {
        await using ApiFixture api = await ApiFixture.Start();

        JsonElement difference = await api.Client.GetFromJsonAsync<JsonElement>("/v1/models/clouds/diff?from=3&to=10");

        Assert.Equal([3, 10], new[] { "a", "b" }.Select(side => difference.GetProperty(side).GetProperty("version").GetInt32()));
        Assert.True(difference.GetProperty("kl_a_b").GetProperty("value").GetDouble() > 0);
        Assert.Equal(["c0", "c1"], difference.GetProperty("components").EnumerateArray().Select(one => one.GetProperty("id").GetString()!));
        Assert.True(difference.GetProperty("parameters").GetProperty("means").GetProperty("largest").GetDouble() > 0);
    }

    [Fact]
    public async Task Graph_OfAModel_IsAPicture()
    {
        await using ApiFixture api = await ApiFixture.Start();

        HttpResponseMessage answer = await api.Client.GetAsync("/v1/models/clouds/graph");

        Assert.Equal("image/svg+xml", answer.Content.Headers.ContentType!.MediaType);
        Assert.StartsWith("<svg", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("layout")]
    [InlineData("components")]
    [InlineData("graph")]
    [InlineData("diff?from=1&to=2")]
    public async Task Picture_BeforeThereIsAVersion_IsNotThereForAReason(string what)
    {
        await using ApiFixture api = await ApiFixture.Start(records: 50);

        HttpResponseMessage answer = await api.Client.GetAsync($"/v1/models/clouds/{what}");

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Contains("50 of 96", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    private static string Described(JsonElement block) =>
        $"{block.GetProperty("name").GetString()} {block.GetProperty("domain").GetString()} "
        + string.Join(' ', block.GetProperty("axes").EnumerateArray().Select(axis => axis.GetProperty("of").GetString()));

    private static double[] Numbers(JsonElement parameters, string block) =>
        [.. parameters.GetProperty(block).GetProperty("data").EnumerateArray().Select(value => value.GetDouble())];
}
