using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Tests.Api;

public sealed class OperationsEndpointsTests
{
    [Fact]
    public async Task Ready_WhenStopping_Is503WithTheReason()
    {
        await using ApiFixture api = await ApiFixture.Start();
        Assert.Equal(HttpStatusCode.OK, (await api.Client.GetAsync("/readyz")).StatusCode);

        api.Status.IsStopping = true;
        HttpResponseMessage answer = await api.Client.GetAsync("/readyz");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Equal("the worker is stopping",
            Assert.Single((await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("reasons").EnumerateArray()).GetString());
        Assert.Equal(HttpStatusCode.OK, (await api.Client.GetAsync("/livez")).StatusCode);
    }

    [Fact]
    public async Task Metrics_Learning_HaveTheNumbers()
    {
        await using ApiFixture api = await ApiFixture.Start();

        string text = await api.Client.GetStringAsync("/metrics");

        Assert.Contains(
            "# TYPE streamem_source_records_total counter\nstreamem_source_records_total{model=\"clouds\",source=\"stdin\"} 330\n", text,
            StringComparison.Ordinal);
        Assert.Contains("streamem_model_version{model=\"clouds\"} 10\n", text, StringComparison.Ordinal);
        Assert.Contains("streamem_records_rejected_total{model=\"clouds\",reason=\"json_syntax\"} 0\n", text, StringComparison.Ordinal);
        Assert.Contains("streamem_checkpoint_duration_seconds_bucket{model=\"clouds\",le=\"+Inf\"} ", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Version_IsTheProgramsOwn()
    {
        await using ApiFixture api = await ApiFixture.Start();

        Assert.Equal(ProgramVersion.Version,
            (await api.Client.GetFromJsonAsync<JsonElement>("/version")).GetProperty("version").GetString());
    }

    [Fact]
    public async Task Unknown_Path_IsAProblem()
    {
        await using ApiFixture api = await ApiFixture.Start();

        HttpResponseMessage answer = await api.Client.GetAsync("/v2/models");

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
    }
}
