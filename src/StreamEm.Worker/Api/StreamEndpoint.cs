using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Reactive.Linq;
using System.Text;
using Microsoft.AspNetCore.Mvc;
using StreamEm.Worker.Snapshots;

namespace StreamEm.Worker.Api;

/// <summary>
/// <c>GET /v1/models/{id}/stream</c>: snapshots as server-sent events, id = version. A reader that is slower than the learner gets the
/// newest each time, never a queue; one that comes back with <c>Last-Event-ID</c> does not get the same version again. A version alone may
/// be of an earlier run: where this one has taken the place of another it is sent again rather than left out. The header
/// <c>streamem-run-id</c> says which run is followed, and <c>Last-Event-ID: RUN-VERSION</c>, as the
/// <c>ETag</c> of a snapshot has it, is exact.
/// </summary>
internal static class StreamEndpoint
{
    private const int MaxReaders = 64;
    private const string ContentType = "text/event-stream", LastEventId = "Last-Event-ID";

    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(15);

    public static void Map(IEndpointRouteBuilder routes)
    {
        var places = new SemaphoreSlim(MaxReaders);
        routes.MapRead("/v1/models/{id}/stream",
            (string id, HttpContext context, WorkerStatus status, TimeProvider time, IHostApplicationLifetime lifetime,
                [FromHeader(Name = LastEventId)] string? lastSeen = null) =>
                StreamAsync(id, context, status, time, lifetime, places, lastSeen ?? ""))
            .Called("stream_snapshots", ModelEndpoints.Tag, "Versions as server-sent events")
            .WithDescription("Of every event, `event` is snapshot, `id` the version and `data` the snapshot on one line.")
            .WithParameter(LastEventId, "The last version that was seen, alone or as RUN-VERSION: it is not sent again.")
            .Produces<ApiShapes.Snapshot>(200, ContentType).ProducesProblems(404, 503);
    }

    private static async Task<IResult> StreamAsync(
        string id, HttpContext context, WorkerStatus status, TimeProvider time, IHostApplicationLifetime lifetime, SemaphoreSlim places,
        string lastSeen)
    {
        if (status.Find(id) is not { } model) return ErrorAnswer.UnknownModel(id, status.Models.Select(known => known.Options.Id));
        if (!await places.WaitAsync(0).ConfigureAwait(false))
            return ErrorAnswer.Of(StatusCodes.Status503ServiceUnavailable, "Too many streams",
                "All streams are taken; try again later or poll.", MaxReaders + 1, MaxReaders);
        if (HttpMethods.IsHead(context.Request.Method))
        {
            places.Release();
            context.Response.ContentType = ContentType;
            return Results.Empty;
        }

        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        try
        {
            context.Response.ContentType = ContentType;
            context.Response.Headers.CacheControl = "no-store";
            context.Response.Headers["X-Accel-Buffering"] = "no";
            if (model.RunId is { } run) context.Response.Headers["streamem-run-id"] = run;
            await context.Response.StartAsync(end.Token).ConfigureAwait(false);
            await SendAsync(model.Feed, context.Response.BodyWriter, document => IsSeen(document, lastSeen, model.HasPredecessors), time,
                end.Token).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is IOException || (failure is OperationCanceledException && end.IsCancellationRequested))
        {
            // The reader went away, or the worker is stopping.
        }
        finally
        {
            places.Release();
        }

        return Results.Empty;
    }

    private static async Task SendAsync(
        SnapshotFeed feed, PipeWriter output, Func<SnapshotDocument, bool> isSeen, TimeProvider time, CancellationToken end)
    {
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(end);
        await using IAsyncEnumerator<SnapshotDocument> snapshots = feed.Snapshots.SkipWhile(isSeen)
            .NewestAsync(leaving.Token).GetAsyncEnumerator(leaving.Token);
        await output.WriteAsync(": snapshots follow\n\n"u8.ToArray(), end).ConfigureAwait(false);
        Task<bool> next = snapshots.MoveNextAsync().AsTask();
        try
        {
            while (true)
            {
                using var idle = CancellationTokenSource.CreateLinkedTokenSource(end);
                if (await Task.WhenAny(next, Task.Delay(KeepAlive, time, idle.Token)).ConfigureAwait(false) != next)
                {
                    end.ThrowIfCancellationRequested();
                    await output.WriteAsync(": idle\n\n"u8.ToArray(), end).ConfigureAwait(false);
                    continue;
                }

                await idle.CancelAsync().ConfigureAwait(false);
                if (!await next.ConfigureAwait(false)) return;
                await SendAsync(output, snapshots.Current, end).ConfigureAwait(false);
                next = snapshots.MoveNextAsync().AsTask();
            }
        }
        finally
        {
            // No enumerator can be disposed while it looks for the next one.
            await leaving.CancelAsync().ConfigureAwait(false);
            await Task.WhenAny(next).ConfigureAwait(false);
        }
    }

    private static async Task SendAsync(PipeWriter output, SnapshotDocument document, CancellationToken end)
    {
        output.Write(Encoding.UTF8
            .GetBytes(string.Create(CultureInfo.InvariantCulture, $"event: snapshot\nid: {document.Version}\ndata: ")));
        output.Write(document.Json.Span);
        output.Write("\n\n"u8);
        await output.FlushAsync(end).ConfigureAwait(false);
    }

    /// <summary>Whether a reader has a version already, by the id of the last event it got.</summary>
    private static bool IsSeen(SnapshotDocument document, string lastSeen, bool mayBeOfAnotherRun)
    {
        string version = document.Version.ToString(CultureInfo.InvariantCulture);
        return lastSeen == $"{document.Snapshot.RunId}-{version}" || (!mayBeOfAnotherRun && lastSeen == version);
    }
}
