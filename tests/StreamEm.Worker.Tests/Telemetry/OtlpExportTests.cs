using System.Text;
using StreamEm.Worker.Api;
using StreamEm.Worker.Tests.Api;
using StreamEm.Worker.Tests.Support;

namespace StreamEm.Worker.Tests.Telemetry;

[Collection(ListeningTests.Name)]
public sealed class OtlpExportTests
{
    [Fact]
    public async Task Flush_WithACollector_SendsNumbersUnderTheSameNames()
    {
        await using ApiFixture api = await ApiFixture.Start();
        await using OtlpCollector collector = await OtlpCollector.Start();
        using var export = new OtlpExport(api.Status, options =>
        {
            options.Protocol = OpenTelemetry.Exporter.OtlpExportProtocol.HttpProtobuf;
            options.Endpoint = new Uri(collector.Address, "/v1/metrics");
        });

        export.Flush();

        byte[] sent = await Eventually.Get(
            () => Task.FromResult(collector.Received is { Length: > 0 } received ? received : null), "something to be sent");
        string text = Encoding.Latin1.GetString(sent);
        Assert.Contains("streamem_model_version", text, StringComparison.Ordinal);
        Assert.Contains("clouds", text, StringComparison.Ordinal);
        Assert.Contains("service.name", text, StringComparison.Ordinal);
    }
}
