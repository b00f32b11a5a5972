using System.Net;
using System.Net.Sockets;
using System.Text;
using StreamEm.Worker.Api;

namespace StreamEm.Worker.Tests.Hostile;

/// <summary>Clients that connect and do nothing, send half a request, break off, or never read.</summary>
public sealed class ConnectionTests
{
    [Fact]
    public async Task Livez_BesideIdleConnectionsBeyondTheLimit_Answers()
    {
        await using PushFixture api = await PushFixture.Start();
        using var idle = new Sockets();
        for (int i = 0; i < ConnectionLimits.Most + 50; i++) await idle.Open(api, i % 2 == 0 ? "" : "GET /livez HTTP/1.1\r\n");

        for (int i = 0; i < 5; i++)
        {
            using var probe = new HttpClient { BaseAddress = api.Client.BaseAddress, Timeout = Eventually.Deadline };
            Assert.Equal(HttpStatusCode.OK, (await probe.GetAsync("/livez")).StatusCode);
            Assert.Equal(HttpStatusCode.OK, (await probe.GetAsync("/readyz")).StatusCode);
            Assert.Equal(HttpStatusCode.OK, (await probe.GetAsync("/v1/models")).StatusCode);
        }
    }

    [Fact]
    public async Task Probes_BesideAllTheRequestsThereMayBe_Answer()
    {
        await using PushFixture api = await PushFixture.Start();
        using var busy = new Sockets();
        for (int i = 0; i < ConnectionLimits.Most; i++)
            await busy.Open(api, "GET /v1/models/clouds?min_version=999999&wait=60s HTTP/1.1\r\nHost: localhost\r\n\r\n");
        using var probe = new HttpClient { BaseAddress = api.Client.BaseAddress, Timeout = Eventually.Deadline };

        await Eventually.Get<string>(async () =>
        {
            HttpResponseMessage answer = await probe.GetAsync("/v1/models");
            if (answer.StatusCode != HttpStatusCode.ServiceUnavailable) return null;
            Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
            Assert.Equal(TimeSpan.FromSeconds(1), answer.Headers.RetryAfter!.Delta);
            return "yes";
        }, "one client has all the requests it may have");
        Assert.Equal(HttpStatusCode.OK, (await probe.GetAsync("/livez")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await probe.GetAsync("/metrics")).StatusCode);
    }

    [Fact]
    public async Task Others_BesideClientsThatNeverRead_AreAnswered()
    {
        await using PushFixture api = await PushFixture.Start();
        using var deaf = new Sockets();
        string body = "[" + string.Join(',', Enumerable.Repeat("{\"x\":1,\"y\":2}", ScoreEndpoint.MaxRecords)) + "]";
        string request = $"POST {PushFixture.Score} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            + $"Content-Length: {body.Length}\r\n\r\n{body}";
        for (int i = 0; i < 30; i++) await deaf.Open(api, request);

        Assert.Equal(HttpStatusCode.OK, (await api.Client.GetAsync("/livez")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await api.Client.GetAsync("/v1/models/clouds")).StatusCode);
        await api.PushGood(32);
        await api.Taken(128);
    }

    [Theory]
    [InlineData("Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n7FFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n7FFFFFFF\r\n{}\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n-1\r\n{}\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\nxyz\r\n{}\r\n0\r\n\r\n")]
    [InlineData("Content-Length: 99999999999999999999\r\n\r\n{}")]
    [InlineData("Content-Length: -1\r\n\r\n{}")]
    [InlineData("Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}")]
    public async Task Body_WhoseLengthCannotBe_IsRefusedAndTheWorkerGoesOn(string rest)
    {
        await using PushFixture api = await PushFixture.Start();
        using var sockets = new Sockets();
        Socket socket = await sockets.Open(api, $"POST {PushFixture.Records} HTTP/1.1\r\nHost: localhost\r\n{rest}");
        socket.Shutdown(SocketShutdown.Send);

        string answer = await Sockets.Read(socket);

        Assert.Matches("^(HTTP/1.1 4[0-9][0-9] |$)", answer);
        await api.PushGood(32);
        await api.Taken(128);
    }

    /// <summary>
    /// A client that sends all it has before it reads, as most do, more than the system's buffers hold: it gets to the answer, whatever
    /// was refused, and not a broken pipe.
    /// </summary>
    [Theory]
    [InlineData(PushFixture.Records, "Content-Length: 16777216", "413")]
    [InlineData(PushFixture.Score, "Content-Length: 16777216", "413")]
    [InlineData(PushFixture.Score, "Transfer-Encoding: chunked", "413")]
    [InlineData("/v1/models/nobody/records", "Content-Length: 16777216", "404")]
    [InlineData("/v1/models/clouds/snapshots", "Content-Length: 16777216", "405")]
    public async Task Body_TooLarge_IsSentToItsEndAndAnswered(string path, string length, string status)
    {
        await using PushFixture api = await PushFixture.Start();
        using var sockets = new Sockets();
        Socket socket = await sockets.Open(api, $"POST {path} HTTP/1.1\r\nHost: localhost\r\n{length}\r\n\r\n");
        bool isChunked = length.StartsWith("Transfer", StringComparison.Ordinal);
        byte[] part = new byte[64 * 1024];
        for (int i = 0; i < 256; i++)
        {
            if (isChunked) await socket.SendAsync("10000\r\n"u8.ToArray());
            for (int sent = 0; sent < part.Length;) sent += await socket.SendAsync(part.AsMemory(sent));
            if (isChunked) await socket.SendAsync("\r\n"u8.ToArray());
        }

        if (isChunked) await socket.SendAsync("0\r\n\r\n"u8.ToArray());
        socket.Shutdown(SocketShutdown.Send);

        Assert.StartsWith($"HTTP/1.1 {status} ", await Sockets.Read(socket));
        await api.PushGood(32);
        await api.Taken(128);
    }

    [Fact]
    public async Task Body_BrokenOff_LeavesNothingBehind()
    {
        await using PushFixture api = await PushFixture.Start();
        for (int i = 0; i < 50; i++)
        {
            using var sockets = new Sockets();
            await sockets.Open(api, $"POST {PushFixture.Records} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n"
                + "Content-Length: 5000\r\n\r\n{\"x\":1,\"y\":2}\n{\"x\":3,");
        }

        await api.PushGood(32);
        await api.Taken(128);
    }

    [Theory]
    [InlineData("NaN")]
    [InlineData("Infinity")]
    [InlineData("1e999s")]
    [InlineData("-1s")]
    [InlineData("")]
    [InlineData("s")]
    public async Task Wait_ThatIsNoDuration_Is400(string wait)
    {
        await using PushFixture api = await PushFixture.Start();

        HttpResponseMessage answer = await api.Client.GetAsync($"/v1/models/clouds?min_version=9&wait={wait}");

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
    }

    [Theory]
    [InlineData("/livez")]
    [InlineData("/readyz")]
    [InlineData("/startupz")]
    [InlineData("/metrics")]
    [InlineData("/version")]
    [InlineData("/v1/models")]
    [InlineData("/v1/models/clouds")]
    [InlineData("/v1/models/clouds/snapshots")]
    [InlineData("/v1/models/clouds/snapshots/1")]
    [InlineData("/v1/models/clouds/stream")]
    public async Task Head_IsAnsweredLikeGetWithoutABody(string path)
    {
        await using PushFixture api = await PushFixture.Start();
        using var request = new HttpRequestMessage(HttpMethod.Head, path);

        HttpResponseMessage answer = await api.Client.SendAsync(request);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("nosniff", Assert.Single(answer.Headers.GetValues("X-Content-Type-Options")));
        Assert.NotNull(answer.Content.Headers.ContentType);
        Assert.Empty(await answer.Content.ReadAsByteArrayAsync());
    }

    /// <summary>Connections of a client that does as it likes.</summary>
    private sealed class Sockets : IDisposable
    {
        private readonly List<Socket> _open = [];

        public static async Task<string> Read(Socket socket)
        {
            var text = new StringBuilder();
            byte[] buffer = new byte[4096];
            try
            {
                using var deadline = new CancellationTokenSource(Eventually.Deadline);
                for (int read; (read = await socket.ReceiveAsync(buffer, deadline.Token)) > 0;)
                    text.Append(Encoding.ASCII.GetString(buffer, 0, read));
            }
            catch (SocketException)
            {
                // The server closed the connection.
            }

            return text.ToString();
        }

        public async Task<Socket> Open(PushFixture api, string sent)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
            _open.Add(socket);
            await socket.ConnectAsync(IPAddress.Loopback, api.Client.BaseAddress!.Port);
            if (sent.Length > 0) await socket.SendAsync(Encoding.ASCII.GetBytes(sent));
            return socket;
        }

        public void Dispose()
        {
            foreach (Socket socket in _open) socket.Dispose();
        }
    }
}
