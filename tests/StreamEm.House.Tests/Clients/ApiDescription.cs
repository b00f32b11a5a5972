using Microsoft.Extensions.Logging.Abstractions;
using StreamEm.Worker.Api;

namespace StreamEm.House.Tests.Clients;

/// <summary>The API's document as a worker serves it.</summary>
internal static class ApiDescription
{
    public static async Task<string> ReadAsync()
    {
        await using var server = new ApiServer(
            new HttpOptions { Address = "127.0.0.1:0" }, new WorkerStatus([]), TimeProvider.System, NullLoggerProvider.Instance);
        await server.StartAsync(NullLogger.Instance, CancellationToken.None);
        using var client = new HttpClient();
        string text = await client.GetStringAsync($"{server.Address}/openapi/v1.json");
        await server.StopAsync(CancellationToken.None);
        return text;
    }
}
