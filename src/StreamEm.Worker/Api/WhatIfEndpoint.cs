using System.Text.Json;
using Microsoft.Net.Http.Headers;
using StreamEm.Core.Data;
using StreamEm.Worker.Failures;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.WhatIf;

namespace StreamEm.Worker.Api;

/// <summary>
/// <c>POST /v1/models/{id}/what-if</c>: the last records, learned once more under the configuration that runs and under another, beside the
/// model that runs, of which nothing changes. One at a time for the worker, on a thread that gives way to others.
/// </summary>
internal static class WhatIfEndpoint
{
    private const string Expected =
        """some of {"kappa": 0.6, "components": 6, "features": ["a", "b"], "alarm_threshold": 0.001, "false_discovery_rate": 0.1}, and """
            + """if not all records that are kept, "records": 100000""";

    /// <summary>The longest that both replays may take.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly JsonSerializerOptions Json = Options();

    public static void Map(IEndpointRouteBuilder routes) => routes.MapPost("/v1/models/{id}/what-if", AnswerAsync)
        .Called("what_if", ModelEndpoints.Tag, "Learns the last records once more, as they are and with changes, and compares")
        .WithDescription("Nothing of the running model changes. Both replays begin anew with the same records, each scored before it is "
            + "learned from. One change at least has to be named.")
        .TakesObject<WhatIfChanges>().Produces<WhatIfAnswer>().ProducesProblems(400, 404, 408, 409, 413, 429, 503);

    private static async Task<IResult> AnswerAsync(
        string id, HttpContext context, WorkerStatus status, TimeProvider time, IHostApplicationLifetime lifetime)
    {
        if (status.Find(id) is not { } model) return ErrorAnswer.UnknownModel(id, status.Models.Select(known => known.Options.Id));
        if (Obstacle(model) is { } obstacle)
            return ErrorAnswer.Of(StatusCodes.Status409Conflict, "Nothing to replay", obstacle);
        using RequestBody body = await RequestBody.ReadAsync(context.Request, isCompressed: false, time, lifetime.ApplicationStopping)
            .ConfigureAwait(false);
        if (body.Refusal is not null) return body.Refusal;
        if (!TryRead(body.Text, out WhatIfChanges? changes) || changes!.Records is <= 0)
            return ErrorAnswer.Of(StatusCodes.Status400BadRequest, "Not changes", "The body says nothing that can be changed.",
                expected: Expected);
        if (!status.TryBeginReplay())
        {
            context.Response.Headers[HeaderNames.RetryAfter] = "1";
            return ErrorAnswer.Of(StatusCodes.Status429TooManyRequests, "Busy", "The worker replays records for somebody else just now.");
        }

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        using var late = new CancellationTokenSource(Patience, time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop.Token, late.Token);
        try
        {
            return Results.Json(await OnThreadOfItsOwn(() => Compare(model, changes, time, end.Token)).ConfigureAwait(false));
        }
        catch (Exception refused) when (refused is CommandException or ArgumentException)
        {
            return ErrorAnswer.Of(StatusCodes.Status400BadRequest, "Not a configuration", refused.Message, expected: Expected);
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested)
        {
            return ErrorAnswer.Of(StatusCodes.Status503ServiceUnavailable, "Too slow",
                $"Replaying took longer than {Patience.TotalSeconds:0} s; ask for fewer records.", expected: "\"records\": 10000");
        }
        finally
        {
            status.EndReplay();
        }
    }

    private static WhatIfAnswer Compare(ModelPipeline model, WhatIfChanges changes, TimeProvider time, CancellationToken stop)
    {
        ModelOptions now = model.Options, changed = changes.Apply(now);
        IReadOnlyList<Minibatch> records = model.Memory!.Last(changes.Records ?? int.MaxValue);
        ReplayOutcome before = Replay.Run(now, records, now.Schema.Read, time, stop);
        ReplayOutcome after = Replay.Run(changed, records, now.Schema.Read, time, stop);
        return new WhatIfAnswer(records.Sum(part => (long)part.Count), before, after,
            changed.Schema.Features.Order(StringComparer.Ordinal).SequenceEqual(now.Schema.Features.Order(StringComparer.Ordinal)),
            changes.Settings(now), changes.Yaml(now));
    }

    private static string? Obstacle(ModelPipeline model) => model.Memory switch
    {
        null when model.Options.PerKey => $"Model '{model.Options.Id}' has a model for every key (per_key), of which none is replayed.",
        null => $"Model '{model.Options.Id}' keeps no records to replay: several workers learn it, each a part (scale_out).",
        { Count: 0 } => $"Model '{model.Options.Id}' has taken no record since the worker was started.",
        _ => null,
    };

    private static bool TryRead(ReadOnlyMemory<byte> text, out WhatIfChanges? changes)
    {
        changes = null;
        try
        {
            changes = JsonSerializer.Deserialize<WhatIfChanges>(text.Span, Json);
        }
        catch (JsonException)
        {
            // What was expected is said in the answer.
        }

        return changes is not null && changes with { Records = null } != new WhatIfChanges();
    }

    private static JsonSerializerOptions Options()
    {
        var options = new JsonSerializerOptions();
        ApiJson.Configure(options);
        return options;
    }

    private static Task<WhatIfAnswer> OnThreadOfItsOwn(Func<WhatIfAnswer> work)
    {
        var answer = new TaskCompletionSource<WhatIfAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() =>
        {
            try
            {
                answer.SetResult(work());
            }
            catch (Exception failure)
            {
                answer.SetException(failure);
            }
        })
        { IsBackground = true, Name = "what-if", Priority = ThreadPriority.BelowNormal };
        thread.Start();
        return answer.Task;
    }
}
