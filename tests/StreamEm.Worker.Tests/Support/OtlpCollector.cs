using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;

namespace StreamEm.Worker.Tests.Support;

/// <summary>What takes OTLP over HTTP, as protobuf, and keeps it.</summary>
internal sealed class OtlpCollector : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<(string Path, byte[] Body)> _requests = new();

    private OtlpCollector(WebApplication app) => _app = app;

    public Uri Address => new(_app.Urls.First());

    /// <summary>All that was received, one request after another.</summary>
    public byte[] Received => [.. _requests.SelectMany(request => request.Body)];

    /// <summary>The spans that were received.</summary>
    public IReadOnlyList<ExportedSpan> Spans =>
        [.. _requests.Where(request => request.Path == "/v1/traces").SelectMany(request => ExportedSpan.Read(request.Body))];

    /// <summary>What has an executable send here.</summary>
    public (string Name, string Value)[] Environment =>
        [("OTEL_EXPORTER_OTLP_ENDPOINT", $"{Address}"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")];

    public static async Task<OtlpCollector> Start()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        WebApplication app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        var collector = new OtlpCollector(app);
        app.Run(async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            collector._requests.Enqueue((context.Request.Path, body.ToArray()));
        });
        await app.StartAsync();
        return collector;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}

/// <summary>A span as OTLP has it; ids in hexadecimal.</summary>
internal sealed record ExportedSpan(
    string Trace, string Id, string Parent, string Name, IReadOnlyList<(string Trace, string Id)> Links)
{
    /// <summary>The header that a message sent during it carries.</summary>
    public string Header => $"00-{Trace}-{Id}-01";

    /// <summary>The spans of a request: <c>resource_spans = 1 { scope_spans = 2 { spans = 2 } }</c>.</summary>
    public static IEnumerable<ExportedSpan> Read(ReadOnlyMemory<byte> request) =>
        from resource in Of(request, 1) from scope in Of(resource, 2) from span in Of(scope, 2) select OfSpan(span);

    private static ExportedSpan OfSpan(ReadOnlyMemory<byte> span) => new(
        Hex(span, 1), Hex(span, 2), Hex(span, 4), Encoding.UTF8.GetString(Of(span, 5).Single().Span),
        [.. Of(span, 13).Select(link => (Hex(link, 1), Hex(link, 2)))]);

    private static string Hex(ReadOnlyMemory<byte> message, int field) =>
        string.Concat(Of(message, field).Select(bytes => Convert.ToHexStringLower(bytes.Span)));

    /// <summary>The values of a field that have a length before them.</summary>
    private static List<ReadOnlyMemory<byte>> Of(ReadOnlyMemory<byte> message, int field)
    {
        var values = new List<ReadOnlyMemory<byte>>();
        for (int at = 0; at < message.Length;)
        {
            ulong tag = Varint(message.Span, ref at);
            switch (tag & 7)
            {
                case 0: Varint(message.Span, ref at); break;
                case 1: at += 8; break;
                case 5: at += 4; break;
                default:
                    int length = (int)Varint(message.Span, ref at);
                    if (tag >> 3 == (ulong)field) values.Add(message.Slice(at, length));
                    at += length;
                    break;
            }
        }

        return values;
    }

    private static ulong Varint(ReadOnlySpan<byte> bytes, ref int at)
    {
        ulong value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte next = bytes[at++];
            value |= (ulong)(next & 127) << shift;
            if (next < 128) return value;
        }
    }
}
