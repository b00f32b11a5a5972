using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Mvc;
using Microsoft.OpenApi;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Api;

/// <summary>
/// What a person may do to a running worker and its models: keep the state, pause and go on, go back to an earlier version, serve one
/// version whatever is learned, end. Every call is answered when what it did is on disk, and leaves a line in the log.
/// </summary>
internal static class AdministrationEndpoints
{
    private const string Tag = "administration";
    private const string AVersion = "a version, a whole number such as 118: ?version=118 or {\"version\": 118}";

    /// <summary>How long an answer waits for the disk.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static void Map(IEndpointRouteBuilder routes)
    {
        OfModel(routes, "checkpoint", "Keeps the model's state now", (model, _) => model.Operations.CheckpointAsync());
        OfModel(routes, "pause", "Takes no more records: they wait in their source", (model, _) => model.Operations.PauseAsync());
        OfModel(routes, "resume", "Takes records again", (model, _) => model.Operations.ResumeAsync());
        OfModel(routes, "revert", "Goes back to a version that is kept: its parameters are the next version's",
            (model, version) => model.Operations.RevertAsync(version!.Value), VersionUse.Needed);
        OfModel(routes, "pin", "Serves and publishes one version, the present one where none is named, whatever is learned",
            (model, version) => model.Operations.PinAsync(version), VersionUse.Optional);
        OfModel(routes, "unpin", "Serves and publishes the newest version again", (model, _) => model.Operations.UnpinAsync());
        OfAll(routes, "checkpoint", "Keeps the state of every model now", model => model.Operations.CheckpointAsync());
        OfAll(routes, "pause", "Pauses every model", model => model.Operations.PauseAsync());
        OfAll(routes, "resume", "Has every model go on", model => model.Operations.ResumeAsync());
        routes.MapPost("/v1/admin/reload", ReloadAsync)
            .Called("reload", Tag, "Reads the configuration again, as SIGHUP does, and says what became of it")
            .Produces<ReloadReport>().ProducesProblem(409);
        routes.MapPost("/v1/admin/drain", Drain)
            .Called("drain", Tag, "Ends the worker in order, as SIGTERM does: what was taken is learned, kept and published")
            .Produces<Accepted>(202);
    }

    private static void OfModel(
        IEndpointRouteBuilder routes, string action, string summary, Func<ModelPipeline, long?, Task<OrderOutcome>> order,
        VersionUse version = VersionUse.None)
    {
        // What is not read is no parameter either.
        RouteHandlerBuilder route = routes.MapPost(
                $"/v1/models/{{id}}/{action}", version == VersionUse.None ? (Delegate)AnswerAsync : AnswerOfVersionAsync)
            .Called(action, Tag, summary).Produces<Done>().ProducesProblems(404, 409, 503);
        if (version != VersionUse.None)
            route.WithParameter("version", "The version.", JsonSchemaType.Integer)
                .TakesObject<ApiShapes.VersionName>(isRequired: false).ProducesProblems(400, 408, 413);

        Task<IResult> AnswerAsync(string id, HttpContext context, WorkerStatus status, AuditLog audit, TimeProvider time) =>
            CarryOutAsync(id, null, context, status, audit, time);

        async Task<IResult> AnswerOfVersionAsync(
            string id, HttpContext context, WorkerStatus status, AuditLog audit, TimeProvider time,
            [FromQuery(Name = "version")] string? named = null)
        {
            if (status.Find(id) is null) return ErrorAnswer.UnknownModel(id, status.Models.Select(known => known.Options.Id));
            (IResult? refusal, long? wanted) = await VersionAsync(named, context, version == VersionUse.Needed, time).ConfigureAwait(false);
            return refusal ?? await CarryOutAsync(id, wanted, context, status, audit, time).ConfigureAwait(false);
        }

        async Task<IResult> CarryOutAsync(
            string id, long? wanted, HttpContext context, WorkerStatus status, AuditLog audit, TimeProvider time)
        {
            if (status.Find(id) is not { } model) return ErrorAnswer.UnknownModel(id, status.Models.Select(known => known.Options.Id));
            string subject = wanted is null ? $"model {id}" : string.Create(CultureInfo.InvariantCulture, $"model {id}, version {wanted}");
            try
            {
                OrderOutcome outcome = await order(model, wanted).WaitAsync(Patience, time, context.RequestAborted).ConfigureAwait(false);
                audit.Tell(context, action, subject, outcome.HasChanged || action == "checkpoint" ? "done" : "nothing to change");
                return Results.Json(Done.Of(model, outcome));
            }
            catch (OrderRefusedException refused)
            {
                audit.Tell(context, action, subject, "refused");
                return Refused(refused);
            }
            catch (TimeoutException)
            {
                audit.Tell(context, action, subject, "not on disk yet");
                return NotKept(model);
            }
        }
    }

    private static void OfAll(IEndpointRouteBuilder routes, string action, string summary, Func<ModelPipeline, Task<OrderOutcome>> order) =>
        routes.MapPost($"/v1/admin/{action}",
            async (HttpContext context, WorkerStatus status, AuditLog audit, TimeProvider time) =>
            {
                ModelPipeline[] running = [.. status.Models.Where(model => model.End is null)];
                Task<(ModelPipeline Model, OrderOutcome? Outcome)>[] orders = [.. running.Select(async model =>
                {
                    try
                    {
                        return (model, await order(model).WaitAsync(Patience, time, context.RequestAborted).ConfigureAwait(false));
                    }
                    catch (Exception failure) when (failure is OrderRefusedException or TimeoutException)
                    {
                        // It ended meanwhile, or its disk is full: the answer says how it stands.
                        return (model, (OrderOutcome?)null);
                    }
                })];
                var answers = await Task.WhenAll(orders).ConfigureAwait(false);
                (ModelPipeline Model, OrderOutcome? Outcome) late = answers.FirstOrDefault(
                    answer => answer.Outcome is null && answer.Model.End is null);
                audit.Tell(context, action, "every model", late.Model is null ? "done" : "not on disk yet");
                return late.Model is not null
                    ? NotKept(late.Model)
                    : Results.Json(answers.Where(answer => answer.Outcome is not null)
                        .Select(answer => Done.Of(answer.Model, answer.Outcome!)));
            }).Called($"{action}_all", Tag, summary).Produces<IEnumerable<Done>>().ProducesProblem(503);

    private static async Task<IResult> ReloadAsync(HttpContext context, WorkerStatus status, AuditLog audit)
    {
        const string Subject = "the configuration";
        ReloadReport report = status.Reload is { } reload
            ? await reload().WaitAsync(context.RequestAborted).ConfigureAwait(false)
            : ReloadReport.Refused("The worker was started without a configuration file, so there is none to read again.");
        audit.Tell(context, "reload", Subject, report.Succeeded ? "done" : "refused");
        return report.Succeeded
            ? Results.Json(report)
            : ErrorAnswer.Of(StatusCodes.Status409Conflict, "Configuration not used", report.Problem ?? "");
    }

    private static IResult Drain(HttpContext context, WorkerStatus status, AuditLog audit)
    {
        audit.Tell(context, "drain", "the worker", "it ends");
        // Not before the answer has gone.
        context.Response.OnCompleted(() =>
        {
            status.RequestEnd();
            return Task.CompletedTask;
        });
        context.Response.Headers.Connection = "close";
        return Results.Json(new Accepted("draining"), statusCode: StatusCodes.Status202Accepted);
    }

    /// <summary>The version that a request names, in its query or its body.</summary>
    private static async Task<(IResult? Refusal, long? Version)> VersionAsync(
        string? text, HttpContext context, bool isNeeded, TimeProvider time)
    {
        if (text is null && context.Request.ContentLength is not 0)
        {
            using RequestBody body = await RequestBody.ReadAsync(context.Request, isCompressed: false, time, context.RequestAborted)
                .ConfigureAwait(false);
            if (body.Refusal is not null) return (body.Refusal, null);
            try
            {
                var given = body.Text.IsEmpty ? null : JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(body.Text.Span);
                text = given?.GetValueOrDefault("version").ToString();
            }
            catch (JsonException)
            {
                return (ErrorAnswer.BadParameter("version", "no JSON object", AVersion), null);
            }
        }

        if (string.IsNullOrEmpty(text)) return (isNeeded ? ErrorAnswer.BadParameter("version", null, AVersion) : null, null);
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long version) && version > 0
            ? (null, version)
            : (ErrorAnswer.BadParameter("version", text, AVersion), null);
    }

    private static IResult Refused(OrderRefusedException refused) => refused.Refusal switch
    {
        OrderRefusal.NotKept => ErrorAnswer.Of(StatusCodes.Status404NotFound, "Version not kept", refused.Message),
        OrderRefusal.Ended => ErrorAnswer.Of(StatusCodes.Status409Conflict, "Not done by this model", refused.Message),
        _ => ErrorAnswer.Of(StatusCodes.Status409Conflict, "Not possible", refused.Message),
    };

    private static IResult NotKept(ModelPipeline model) => ErrorAnswer.Of(StatusCodes.Status503ServiceUnavailable, "Not on disk yet",
        $"Model '{model.Options.Id}' was asked, and no checkpoint that holds it could be written within {Patience.TotalSeconds:0} s"
            + $"{(model.Obstacle is { } obstacle ? $": {obstacle.Text}" : "")}. It is done when the next one is; GET /v1/models tells.");

    private enum VersionUse
    {
        None,
        Optional,
        Needed,
    }

    /// <summary>What was done.</summary>
    /// <param name="Id">The model.</param>
    /// <param name="Status">Where it stands, as in GET /v1/models.</param>
    /// <param name="Version">Its newest version, which the checkpoint holds.</param>
    /// <param name="Records">Records learned from.</param>
    /// <param name="Paused">Whether it takes no records.</param>
    /// <param name="PinnedVersion">The version that is served and published whatever is learned; nothing for the newest.</param>
    /// <param name="Changed">Whether it stood otherwise before.</param>
    internal sealed record Done(string Id, string Status, long Version, long Records, bool Paused, long? PinnedVersion, bool Changed)
    {
        public static Done Of(ModelPipeline model, OrderOutcome outcome) => new(model.Options.Id, SnakeCase.Of(model.State),
            outcome.Version, outcome.Records, outcome.IsPaused, outcome.PinnedVersion, outcome.HasChanged);
    }

    /// <summary>What will be done.</summary>
    /// <param name="Status">What the worker does now.</param>
    internal sealed record Accepted(string Status);
}
