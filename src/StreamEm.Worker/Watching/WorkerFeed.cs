using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Text.Json;
using StreamEm.Worker.Api;
using StreamEm.Worker.Failures;

namespace StreamEm.Worker.Watching;

/// <summary>
/// Follows a worker: asks it every second for its models, and hears every version of each by its stream of snapshots. What is lost is
/// connected to again, for ever. Thread-safe.
/// </summary>
internal sealed class WorkerFeed : IDisposable
{
    private static readonly TimeSpan Pace = TimeSpan.FromSeconds(1), LongestPause = TimeSpan.FromSeconds(5),
        Patience = TimeSpan.FromSeconds(10);
    private static readonly JsonSerializerOptions Json = CreateOptions();

    private readonly Lock _gate = new();
    private readonly HttpClient _client;
    private readonly TimeProvider _time;
    private readonly Dictionary<string, WatchedModel> _models = new(StringComparer.Ordinal);
    private readonly HashSet<string> _changed = new(StringComparer.Ordinal);
    private readonly List<Task> _streams = [];

    /// <summary>Cancelled when the worker does not answer: streams that hang are opened again.</summary>
    private CancellationTokenSource _connection = new();

    /// <summary>A worker's address and, where it wants one, its token.</summary>
    public WorkerFeed(Uri address, string? token, TimeProvider time)
    {
        (Address, _time) = (address, time);
        _client = new HttpClient { BaseAddress = address, Timeout = Timeout.InfiniteTimeSpan };
        if (token is not null) _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    /// <summary>The worker's address.</summary>
    public Uri Address { get; }

    /// <summary>Why the worker cannot be heard; null while it can.</summary>
    public string? Problem { get; private set; }

    /// <summary>Asks for the models once.</summary>
    /// <exception cref="CommandException">Nobody answers (69), access is denied (77), or it is no worker (64).</exception>
    public async Task ConnectAsync(CancellationToken stop)
    {
        try
        {
            await AskAsync(stop).ConfigureAwait(false);
        }
        catch (Exception failure) when (IsOutage(failure) && !stop.IsCancellationRequested)
        {
            throw failure switch
            {
                HttpRequestException { StatusCode: HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden } => new CommandException(
                    ExitCode.Denied, $"{Address} wants another token: --token-file FILE, or the variable {TokenVariable}.", failure),
                HttpRequestException { StatusCode: { } status } => new CommandException(
                    ExitCode.Usage, $"{Address} answered {(int)status} to /v1/models. Is it a worker's address?", failure),
                JsonException => new CommandException(
                    ExitCode.Usage, $"{Address} does not answer as a worker does. Is it a worker's address?", failure),
                _ => new CommandException(ExitCode.Unavailable, $"{Address} cannot be reached: {Reason(failure)}", failure),
            };
        }
    }

    /// <summary>The variable that holds the token where no option says it.</summary>
    public const string TokenVariable = "STREAMEM_TOKEN";

    /// <summary>Follows until it is stopped.</summary>
    public async Task FollowAsync(CancellationToken stop)
    {
        TimeSpan pause = Pace;
        while (!stop.IsCancellationRequested)
        {
            if (!await PauseAsync(pause, stop).ConfigureAwait(false)) break;
            try
            {
                await AskAsync(stop).ConfigureAwait(false);
                pause = Pace;
            }
            catch (Exception failure) when (IsOutage(failure))
            {
                if (stop.IsCancellationRequested) break;
                await DisconnectAsync(Reason(failure)).ConfigureAwait(false);
                pause = TimeSpan.FromTicks(Math.Min(LongestPause.Ticks, 2 * pause.Ticks));
            }
        }

        Task[] streams;
        lock (_gate) streams = [.. _streams];
        await Task.WhenAll(streams).ConfigureAwait(false);
    }

    /// <summary>Lets somebody look at the models, in their order, with those that changed since the last look.</summary>
    public void Look(Action<IReadOnlyCollection<WatchedModel>, IReadOnlySet<string>> see)
    {
        lock (_gate)
        {
            see(_models.Values, _changed);
            _changed.Clear();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _client.Dispose();
        _connection.Dispose();
    }

    private async Task DisconnectAsync(string problem)
    {
        CancellationTokenSource lost;
        lock (_gate)
        {
            (Problem, lost) = (problem, _connection);
            _connection = new CancellationTokenSource();
        }

        await lost.CancelAsync().ConfigureAwait(false);
        lost.Dispose();
    }

    private async Task AskAsync(CancellationToken stop)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(Patience);
        using HttpResponseMessage answer = await _client.GetAsync("/v1/models", deadline.Token).ConfigureAwait(false);
        answer.EnsureSuccessStatusCode();
        using Stream body = await answer.Content.ReadAsStreamAsync(deadline.Token).ConfigureAwait(false);
        ModelSummary[] summaries =
            await JsonSerializer.DeserializeAsync<ModelSummary[]>(body, Json, deadline.Token).ConfigureAwait(false) ?? [];
        lock (_gate)
        {
            Problem = null;
            foreach (ModelSummary summary in summaries)
            {
                if (!_models.TryGetValue(summary.Id, out WatchedModel? model))
                {
                    _models.Add(summary.Id, model = new WatchedModel(summary.Id));
                    _streams.Add(HearAsync(model, stop));
                }

                if (model.Take(summary, _time.GetUtcNow())) _changed.Add(summary.Id);
            }

            foreach (string gone in _models.Keys.Except(summaries.Select(summary => summary.Id)).ToArray()) _models.Remove(gone);
        }
    }

    /// <summary>Hears the versions of a model, from the newest on, as long as the worker has it.</summary>
    private async Task HearAsync(WatchedModel model, CancellationToken stop)
    {
        string? seen = null;
        while (!stop.IsCancellationRequested && IsThere(model))
        {
            try
            {
                using CancellationTokenSource end = Linked(stop);
                using var request = new HttpRequestMessage(HttpMethod.Get, $"/v1/models/{model.Id}/stream");
                if (seen is not null) request.Headers.TryAddWithoutValidation("Last-Event-ID", seen);
                using HttpResponseMessage answer =
                    await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, end.Token).ConfigureAwait(false);
                answer.EnsureSuccessStatusCode();
                using Stream body = await answer.Content.ReadAsStreamAsync(end.Token).ConfigureAwait(false);
                await foreach (SseItem<WatchedVersion> item in SseParser.Create(body, static (_, data) => WatchedVersion.Read(data))
                    .EnumerateAsync(end.Token).ConfigureAwait(false))
                {
                    seen = $"{item.Data.RunId}-{item.EventId}";
                    lock (_gate)
                    {
                        if (model.Take(item.Data)) _changed.Add(model.Id);
                    }
                }
            }
            catch (Exception failure) when (IsOutage(failure))
            {
                // The question for the models says what is wrong.
            }

            await PauseAsync(Pace, stop).ConfigureAwait(false);
        }
    }

    private CancellationTokenSource Linked(CancellationToken stop)
    {
        lock (_gate) return CancellationTokenSource.CreateLinkedTokenSource(stop, _connection.Token);
    }

    private bool IsThere(WatchedModel model)
    {
        lock (_gate) return _models.TryGetValue(model.Id, out WatchedModel? known) && ReferenceEquals(known, model);
    }

    private async Task<bool> PauseAsync(TimeSpan pause, CancellationToken stop)
    {
        try
        {
            await Task.Delay(pause, _time, stop).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private static string Reason(Exception failure) => failure is OperationCanceledException
        ? string.Create(CultureInfo.InvariantCulture, $"no answer within {Patience.TotalSeconds:0} s") : failure.Message;

    private static bool IsOutage(Exception failure) =>
        failure is HttpRequestException or IOException or JsonException or OperationCanceledException;

    private static JsonSerializerOptions CreateOptions()
    {
        var options = new JsonSerializerOptions();
        ApiJson.Configure(options);
        return options;
    }
}
