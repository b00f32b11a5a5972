using System.Globalization;
using Microsoft.Net.Http.Headers;
using Microsoft.OpenApi;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Snapshots;

namespace StreamEm.Worker.Api;

/// <summary>The models and their snapshots.</summary>
internal static class ModelEndpoints
{
    /// <summary>The group of the calls in the API's document.</summary>
    public const string Tag = "models";

    private const string AVersion = "a version, a whole number such as 118";

    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(60);

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapRead("/v1/models", (WorkerStatus status) => status.Models.Select(ModelSummary.Of))
            .Called("list_models", Tag, "Every model and where it stands").Produces<IEnumerable<ModelSummary>>();
        routes.MapRead("/v1/models/{id}", LatestAsync).Called("get_newest_snapshot", Tag, "The newest version, or the one that is pinned")
            .WithParameter("min_version", "The least version that is of use; an older one is not answered.", JsonSchemaType.Integer)
            .WithParameter("wait", "How long to wait for that version: 30s, 500ms, 1m; 60s at most.")
            .Produces<ApiShapes.Snapshot>(200, "application/json").Produces(304).ProducesProblems(400, 404);
        routes.MapRead("/v1/models/{id}/snapshots", Versions).Called("list_snapshots", Tag, "The versions kept")
            .WithParameter("after", "Only versions newer than this one.", JsonSchemaType.Integer)
            .WithParameter("components", "Whether the share of every component is told.", JsonSchemaType.Boolean)
            .Produces<IEnumerable<VersionSummary>>().ProducesProblems(400, 404);
        routes.MapRead("/v1/models/{id}/snapshots/{version}", Version).Called("get_snapshot", Tag, "One version")
            .WithParameter("version", "The version.", JsonSchemaType.Integer)
            .Produces<ApiShapes.Snapshot>(200, "application/json").Produces(304).ProducesProblems(400, 404);
    }

    private static async Task<IResult> LatestAsync(
        string id, HttpContext context, WorkerStatus status, TimeProvider time, IHostApplicationLifetime lifetime,
        string? min_version = null, string? wait = null)
    {
        if (status.Find(id) is not { } model) return ErrorAnswer.UnknownModel(id, status.Models.Select(known => known.Options.Id));
        if (!TryParseVersion(min_version ?? "0", out long wanted)) return ErrorAnswer.BadParameter("min_version", min_version, AVersion);
        TimeSpan patience = TimeSpan.Zero;
        if (wait is not null && !WaitTime.TryParse(wait, out patience))
            return ErrorAnswer.BadParameter("wait", wait, "a duration such as 30s, 500ms or 1m");
        SnapshotDocument? document = await NewestAsync(
            model, wanted, patience < LongestWait ? patience : LongestWait, context, time, lifetime).ConfigureAwait(false);
        if (document is null) return ErrorAnswer.NoSnapshot(model);
        if (document.Version < wanted)
        {
            return ErrorAnswer.Of(StatusCodes.Status404NotFound, "Not there yet",
                model.Feed.Pinned is null
                    ? $"The newest version of model '{id}' is {document.Version}."
                    : $"Model '{id}' is pinned to version {document.Version}; POST /v1/models/{id}/unpin serves the newest.",
                document.Version, string.Create(CultureInfo.InvariantCulture, $"at least {wanted}"));
        }

        return Snapshot(document, context);
    }

    private static IResult Versions(string id, WorkerStatus status, string? after = null, bool components = false)
    {
        if (status.Find(id) is not { } model) return ErrorAnswer.UnknownModel(id, status.Models.Select(known => known.Options.Id));
        if (!TryParseVersion(after ?? "0", out long seen)) return ErrorAnswer.BadParameter("after", after, AVersion);
        return Results.Ok(VersionSummary.AllOf(model, seen, components));
    }

    private static IResult Version(string id, string version, WorkerStatus status, HttpContext context)
    {
        if (status.Find(id) is not { } model) return ErrorAnswer.UnknownModel(id, status.Models.Select(known => known.Options.Id));
        if (!TryParseVersion(version, out long wanted)) return ErrorAnswer.BadParameter("version", version, AVersion);
        IReadOnlyList<SnapshotDocument> kept = model.Feed.Versions;
        if (model.Find(wanted) is { } found) return Snapshot(found, context);
        return kept.Count == 0
            ? ErrorAnswer.NoSnapshot(model)
            : ErrorAnswer.Of(StatusCodes.Status404NotFound, "Version not kept", $"Version {wanted} of model '{id}' is not kept.", wanted,
                $"{kept[0].Version} to {kept[^1].Version}");
    }

    /// <summary>The newest snapshot, waited for while it is older than wanted.</summary>
    private static async Task<SnapshotDocument?> NewestAsync(
        ModelPipeline model, long atLeast, TimeSpan patience, HttpContext context, TimeProvider time, IHostApplicationLifetime lifetime)
    {
        SnapshotDocument? newest = model.Feed.Served;
        if (newest?.Version >= atLeast || patience == TimeSpan.Zero) return newest;
        using var timeout = new CancellationTokenSource(patience, time);
        using var cancel =
            CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, context.RequestAborted, lifetime.ApplicationStopping);
        try
        {
            return await model.Feed.Snapshots.WaitForAsync(document => document.Version >= atLeast, cancel.Token).ConfigureAwait(false)
                ?? model.Feed.Served;
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // Waited long enough: the answer is what there is.
            return model.Feed.Served;
        }
    }

    private static IResult Snapshot(SnapshotDocument document, HttpContext context)
    {
        // The run too: after its state is deleted a model makes version 118 again, of other records.
        var tag = new EntityTagHeaderValue(
            string.Create(CultureInfo.InvariantCulture, $"\"{document.Snapshot.RunId}-{document.Version}\""));
        context.Response.Headers.CacheControl = "no-cache";
        return Results.Bytes(document.Json, "application/json", entityTag: tag);
    }

    private static bool TryParseVersion(string text, out long version) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out version);
}
