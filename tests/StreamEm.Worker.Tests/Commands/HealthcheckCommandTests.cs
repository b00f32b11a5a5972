using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using StreamEm.Worker.Commands;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Tests.Configuration;

namespace StreamEm.Worker.Tests.Commands;

public sealed class HealthcheckCommandTests
{
    [Theory]
    [InlineData(StatusCodes.Status200OK, ExitCode.Ok)]
    [InlineData(StatusCodes.Status503ServiceUnavailable, ExitCode.Unhealthy)]
    public async Task Answer_DecidesTheExitCode(int status, int exitCode)
    {
        await using WebApplication worker = await ServeAsync(status);
        using var file = new ConfigFile($"{ConfigFile.Minimal}\nhttp: {{ address: {new Uri(worker.Urls.Single()).Authority} }}\n");

        Assert.Equal(exitCode, (await CommandRun.Of(HealthcheckCommand.Create(), "-c", file.Path)).ExitCode);
        Assert.Equal(exitCode, (await CommandRun.Of(HealthcheckCommand.Create(), "--url", worker.Urls.Single())).ExitCode);
        Assert.Equal(exitCode, (await CommandRun.Of(HealthcheckCommand.Create(), "--url", $"{worker.Urls.Single()}/livez")).ExitCode);
        Assert.Equal(ExitCode.Unhealthy,
            (await CommandRun.Of(HealthcheckCommand.Create(), "--url", $"{worker.Urls.Single()}/other")).ExitCode);
    }

    [Fact]
    public async Task NobodyListening_Returns1AndSaysSo()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();

        CommandRun run = await CommandRun.Of(HealthcheckCommand.Create(), "--url", $"http://127.0.0.1:{port}");

        Assert.Equal(ExitCode.Unhealthy, run.ExitCode);
        Assert.StartsWith($"not alive: http://127.0.0.1:{port}/livez: ", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task NoAnswerWithinTheDeadline_Returns1()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();

        CommandRun run =
            await CommandRun.Of(HealthcheckCommand.Create(), "--url", $"http://127.0.0.1:{((IPEndPoint)silent.LocalEndpoint).Port}");

        Assert.Equal(ExitCode.Unhealthy, run.ExitCode);
        Assert.EndsWith("did not answer within 2 s\n", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("livez")]
    [InlineData("ftp://127.0.0.1/")]
    public async Task UrlThatIsNone_Returns64(string url) =>
        Assert.Equal(ExitCode.Usage, (await CommandRun.Of(HealthcheckCommand.Create(), "--url", url)).ExitCode);

    [Fact]
    public async Task BadConfiguration_Returns78AndTheProblems()
    {
        using var file = new ConfigFile("models: 1\n");

        CommandRun run = await CommandRun.Of(HealthcheckCommand.Create(), "-c", file.Path);

        Assert.Equal(ExitCode.Configuration, run.ExitCode);
        Assert.Equal($"{file.Path}:1:9: error: models is '1'; expected a list\n{file.Path}: 1 error\n", run.Error);
    }

    private static async Task<WebApplication> ServeAsync(int status)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        WebApplication worker = builder.Build();
        worker.Run(context =>
        {
            context.Response.StatusCode = context.Request.Path == "/livez" ? status : StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        });
        await worker.StartAsync();
        return worker;
    }
}
