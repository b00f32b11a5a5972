using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Scores;

namespace StreamEm.Worker.Tests.Scores;

public sealed class WebhookScoreSinkTests
{
    private const string Url = "http://receiver.test/hook?token=of-nobody-else";

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 20, 8, 0, 0, TimeSpan.Zero));

    [Fact]
    public async Task Deliver_ToARealServer_PostsSignedLines()
    {
        var received = new List<(IHeaderDictionary Headers, string Body)>();
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using WebApplication server = builder.Build();
        server.MapPost("/hook", async (HttpRequest request) =>
        {
            using var reader = new StreamReader(request.Body);
            received.Add((new HeaderDictionary(request.Headers.ToDictionary()), await reader.ReadToEndAsync()));
            return received.Count == 1 ? Results.StatusCode(503) : Results.NoContent();
        });
        await server.StartAsync(TestContext.Current.CancellationToken);
        await using var sink = new WebhookScoreSink(
            new WebhookScoreOptions { Url = $"{server.Urls.Single()}/hook", Secret = "hush", BatchRecords = 2 }, TimeProvider.System);
        await sink.OpenAsync(new ScoreSinkStart("run", null, null), CancellationToken.None);

        await Eventually.Within(sink.DeliverAsync([Chunk(1, 2, 3)], CancellationToken.None));

        Assert.Equal(["{1}\n{2}\n", "{1}\n{2}\n", "{3}\n"], received.Select(request => request.Body));
        Assert.Equal(["run.1-2", "run.1-2", "run.3-3"], received.Select(request => request.Headers["webhook-id"].ToString()));
        Assert.All(received, request =>
        {
            string signed = $"{request.Headers["webhook-id"]}.{request.Headers["webhook-timestamp"]}.{request.Body}";
            byte[] hash = HMACSHA256.HashData("hush"u8.ToArray(), Encoding.UTF8.GetBytes(signed));
            Assert.Equal($"v1,{Convert.ToBase64String(hash)}", request.Headers["webhook-signature"].ToString());
            Assert.Equal("application/x-ndjson", request.Headers.ContentType.ToString());
        });
    }

    [Fact]
    public async Task Deliver_AnswersOtherThan2xx_IsTriedAgainWithGrowingPausesAndReported()
    {
        var receiver = new Receiver(
            _ => throw new HttpRequestException("refused"), _ => new HttpResponseMessage(HttpStatusCode.NotFound),
            _ => new HttpResponseMessage(HttpStatusCode.TooManyRequests)
            { Headers = { RetryAfter = new RetryConditionHeaderValue(TimeSpan.FromSeconds(20)) } },
            _ => new HttpResponseMessage(HttpStatusCode.OK));
        await using WebhookScoreSink sink = await Opened(receiver, new WebhookScoreOptions { Url = Url });

        Task delivering = sink.DeliverAsync([Chunk(1)], CancellationToken.None);
        await Eventually.True(() => sink.Obstacle is not null, "the outage is reported");
        Assert.DoesNotContain("of-nobody-else", sink.Obstacle!.Text, StringComparison.Ordinal);
        await AdvanceUntil(delivering);

        Assert.Null(sink.Obstacle);
        Assert.Equal(4, receiver.At.Count);
        Assert.True(receiver.At[1] - receiver.At[0] >= TimeSpan.FromSeconds(0.5));
        Assert.True(receiver.At[2] - receiver.At[1] >= TimeSpan.FromSeconds(1));
        Assert.True(receiver.At[3] - receiver.At[2] >= TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task Deliver_ForLongerThanTheLimit_EndsWith69()
    {
        var receiver = new Receiver(_ => new HttpResponseMessage(HttpStatusCode.BadGateway));
        await using WebhookScoreSink sink =
            await Opened(receiver, new WebhookScoreOptions { Url = Url, UnavailableAfter = TimeSpan.FromMinutes(1) });

        CommandException failure =
            await Assert.ThrowsAsync<CommandException>(() => AdvanceUntil(sink.DeliverAsync([Chunk(1)], CancellationToken.None)));

        Assert.Equal(ExitCode.Unavailable, failure.ExitCode);
    }

    [Fact]
    public async Task Deliver_Denied_EndsWith77AtOnce()
    {
        var receiver = new Receiver(_ => new HttpResponseMessage(HttpStatusCode.Forbidden));
        await using WebhookScoreSink sink = await Opened(receiver, new WebhookScoreOptions { Url = Url });

        CommandException failure =
            await Assert.ThrowsAsync<CommandException>(() => sink.DeliverAsync([Chunk(1)], CancellationToken.None));

        Assert.Equal(ExitCode.Denied, failure.ExitCode);
    }

    [Fact]
    public async Task Deliver_NoAnswerInTime_IsTriedAgain()
    {
        var never = new TaskCompletionSource<HttpResponseMessage>();
        var receiver = new Receiver(
            stop => never.Task.WaitAsync(stop).GetAwaiter().GetResult(), _ => new HttpResponseMessage(HttpStatusCode.OK));
        await using WebhookScoreSink sink = await Opened(receiver, new WebhookScoreOptions { Url = Url });

        await AdvanceUntil(Task.Run(() => sink.DeliverAsync([Chunk(1)], CancellationToken.None)));

        Assert.Equal(2, receiver.At.Count);
    }

    private async Task<WebhookScoreSink> Opened(Receiver receiver, WebhookScoreOptions options)
    {
        receiver.Time = _time;
        var sink = new WebhookScoreSink(options, _time, receiver);
        await sink.OpenAsync(new ScoreSinkStart("run", null, null), CancellationToken.None);
        return sink;
    }

    private async Task AdvanceUntil(Task task)
    {
        await Eventually.True(() =>
        {
            if (!task.IsCompleted) _time.Advance(TimeSpan.FromSeconds(0.25));
            return task.IsCompleted;
        }, "the delivery ends");
        await task;
    }

    private static ScoreChunk Chunk(params int[] records)
    {
        var chunk = new ScoreChunk();
        foreach (int record in records)
        {
            chunk.Text.Write(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{{{record}}}")));
            chunk.EndLine(record, null);
        }

        return chunk;
    }

    /// <summary>Answers as told, the last answer for ever.</summary>
    private sealed class Receiver(params Func<CancellationToken, HttpResponseMessage>[] answers) : HttpMessageHandler
    {
        public FakeTimeProvider? Time { get; set; }

        public List<DateTimeOffset> At { get; } = [];

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            At.Add(Time!.GetUtcNow());
            return Task.Run(() => answers[Math.Min(At.Count, answers.Length) - 1](cancellationToken), CancellationToken.None);
        }
    }
}
