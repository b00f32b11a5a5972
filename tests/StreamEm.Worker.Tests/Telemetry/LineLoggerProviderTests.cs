using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Tests.Telemetry;

public sealed class LineLoggerProviderTests
{
    private static readonly DateTimeOffset Morning = new(2026, 11, 20, 8, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Log_AsJson_IsOneObjectWithTheEventsFields()
    {
        using var output = new StringWriter();
        using var provider = new LineLoggerProvider(output, json: true, LogLevel.Information, new FakeTimeProvider(Morning));
        WorkerLog.RunResumed(provider.CreateLogger("worker"), "boiler", "run-1", 118, 60416);

        JsonElement line = JsonDocument.Parse(output.ToString()).RootElement;

        Assert.EndsWith("}" + Environment.NewLine, output.ToString(), StringComparison.Ordinal);
        Assert.Equal("2026-11-20T08:00:00.000Z", line.GetProperty("ts").GetString());
        Assert.Equal("info", line.GetProperty("level").GetString());
        Assert.Equal("run_resumed", line.GetProperty("event").GetString());
        Assert.Equal("boiler", line.GetProperty("model").GetString());
        Assert.Equal(118, line.GetProperty("version").GetInt64());
        Assert.Equal("Model boiler goes on with run run-1 at version 118 after 60416 records", line.GetProperty("msg").GetString());
    }

    [Fact]
    public void Log_BelowTheLevel_IsNotWritten()
    {
        using var output = new StringWriter();
        using var provider = new LineLoggerProvider(output, json: true, LogLevel.Information, new FakeTimeProvider(Morning));
        WorkerLog.ModelUpdated(provider.CreateLogger("worker"), "boiler", 1, 0.5, -3);

        Assert.Empty(output.ToString());
    }
}
