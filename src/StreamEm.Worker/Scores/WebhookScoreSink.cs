using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using StreamEm.Worker.Failures;

namespace StreamEm.Worker.Scores;

/// <summary>
/// Posts scored records to a URL, several lines of NDJSON a request, one request at a time, each tried again with growing pauses until it
/// is taken. Signed as Standard Webhooks says (standardwebhooks.com): <c>webhook-signature: v1,base64(HMAC-SHA256(id.timestamp.body))</c>.
/// At least once: what is sent again has the same <c>webhook-id</c>, or, after a crash, the same record numbers.
/// </summary>
internal sealed class WebhookScoreSink : ScoreSink
{
    private const int BytesOfARequest = 1 << 20;
    private const string Base64Secret = "whsec_";

    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(0.5), LongestPause = TimeSpan.FromSeconds(30);

    private readonly WebhookScoreOptions _options;
    private readonly TimeProvider _time;
    private readonly HttpClient _client;
    private readonly byte[]? _secret;
    private string _runId = "";
    private volatile string? _problem;
    private long _since;

    public WebhookScoreSink(WebhookScoreOptions options, TimeProvider time, HttpMessageHandler? handler = null)
    {
        (_options, _time) = (options, time);
        // A redirect would take records, and their signature, to where nobody said.
        _client = new HttpClient(handler ?? new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        })
        { Timeout = Timeout.InfiniteTimeSpan };
        _secret = SecretOf(options.Secret);
    }

    /// <inheritdoc/>
    public override string Name => $"webhook:{NameOf(_options.Url)}";

    /// <inheritdoc/>
    public override int BytesAtOnce => BytesOfARequest / 4;

    /// <inheritdoc/>
    public override Obstacle? Obstacle => _problem is { } problem
        ? new Obstacle(ObstacleKind.ScoresNotDelivered, $"scores are not delivered: {problem} Trying again.") { Subject = Name }
        : null;

    /// <inheritdoc/>
    public override Task OpenAsync(ScoreSinkStart start, CancellationToken cancellationToken)
    {
        _runId = start.RunId;
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public override async Task DeliverAsync(IReadOnlyList<ScoreChunk> chunks, CancellationToken cancellationToken)
    {
        foreach (ScoreChunk chunk in chunks)
        {
            for (int first = 0; first < chunk.Lines.Count;)
            {
                int start = first == 0 ? 0 : chunk.Lines[first - 1].End, next = first + 1;
                while (next < chunk.Lines.Count && next - first < _options.BatchRecords
                    && chunk.Lines[next].End - start <= BytesOfARequest) next++;
                string id = string.Create(CultureInfo.InvariantCulture,
                    $"{_runId}.{chunk.Lines[first].Record}-{chunk.Lines[next - 1].Record}");
                await SendAsync(id, chunk.Text.WrittenMemory[start..chunk.Lines[next - 1].End], cancellationToken).ConfigureAwait(false);
                first = next;
            }
        }
    }

    /// <inheritdoc/>
    public override ValueTask DisposeAsync()
    {
        _client.Dispose();
        return base.DisposeAsync();
    }

    /// <summary>The address without what may be secret in it.</summary>
    private static string NameOf(string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out Uri? address) ? address.GetLeftPart(UriPartial.Path) : url;

    private static byte[]? SecretOf(string? secret)
    {
        if (secret is null) return null;
        if (!secret.StartsWith(Base64Secret, StringComparison.Ordinal)) return Encoding.UTF8.GetBytes(secret);
        byte[] bytes = new byte[secret.Length];
        return Convert.TryFromBase64String(secret[Base64Secret.Length..], bytes, out int length)
            ? bytes[..length]
            : throw new CommandException(ExitCode.Configuration,
                $"scores.webhook.secret begins with {Base64Secret} and does not go on as base64; correct it, or write a secret of any "
                    + "other form.");
    }

    private async Task SendAsync(string id, ReadOnlyMemory<byte> body, CancellationToken stop)
    {
        TimeSpan pause = FirstPause;
        while (true)
        {
            (string? problem, TimeSpan? asked) = await TryAsync(id, body, stop).ConfigureAwait(false);
            if (problem is null)
            {
                _problem = null;
                return;
            }

            if (_problem is null) _since = _time.GetTimestamp();
            _problem = problem;
            if (_options.UnavailableAfter is { } limit && _time.GetElapsedTime(_since) >= limit)
                throw new CommandException(ExitCode.Unavailable, string.Create(CultureInfo.InvariantCulture,
                    $"scores.webhook: {problem} That has lasted {limit.TotalSeconds:0.#} s, the limit scores.webhook.unavailable_after. "
                        + $"Check the receiver and the network; what it did not take is kept and sent at the next start."));
            TimeSpan wait = asked is { } wanted && wanted > pause ? wanted < LongestPause ? wanted : LongestPause : pause;
            await Task.Delay(wait, _time, stop).ConfigureAwait(false);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    /// <summary>One attempt.</summary>
    /// <returns>Null when it was taken; else why not, and how long the receiver asks to wait.</returns>
    private async Task<(string? Problem, TimeSpan? RetryAfter)> TryAsync(string id, ReadOnlyMemory<byte> body, CancellationToken stop)
    {
        using var patience = new CancellationTokenSource(_options.Timeout, _time);
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(stop, patience.Token);
        using HttpRequestMessage request = RequestOf(id, body);
        try
        {
            using HttpResponseMessage answer =
                await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, waiting.Token).ConfigureAwait(false);
            if (answer.IsSuccessStatusCode) return (null, null);
            if (answer.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
                throw new CommandException(ExitCode.Denied,
                    $"scores.webhook: {NameOf(_options.Url)} answered {(int)answer.StatusCode}; expected 2xx. Check scores.webhook.secret "
                        + "and the receiver's rights.");
            return ($"{NameOf(_options.Url)} answered {(int)answer.StatusCode}; expected 2xx.", answer.Headers.RetryAfter?.Delta);
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested && !stop.IsCancellationRequested)
        {
            return (string.Create(CultureInfo.InvariantCulture,
                $"{NameOf(_options.Url)} did not answer within {_options.Timeout.TotalSeconds:0.#} s."), null);
        }
        catch (HttpRequestException failure)
        {
            return ($"{NameOf(_options.Url)} cannot be reached: {failure.Message.TrimEnd('.')}.", null);
        }
    }

    private HttpRequestMessage RequestOf(string id, ReadOnlyMemory<byte> body)
    {
        string timestamp = _time.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var request = new HttpRequestMessage(HttpMethod.Post, _options.Url) { Content = new ReadOnlyMemoryContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
        request.Headers.TryAddWithoutValidation("webhook-id", id);
        request.Headers.TryAddWithoutValidation("webhook-timestamp", timestamp);
        if (_secret is null) return request;
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, _secret);
        hash.AppendData(Encoding.UTF8.GetBytes($"{id}.{timestamp}."));
        hash.AppendData(body.Span);
        request.Headers.TryAddWithoutValidation("webhook-signature", $"v1,{Convert.ToBase64String(hash.GetHashAndReset())}");
        return request;
    }
}
