using StreamEm.Worker.Api;
using StreamEm.Worker.Pipeline;

namespace StreamEm.Worker.Hosting;

/// <summary>
/// The models of a worker, which come and go with its configuration. A change is staged: what it takes is found and checked first; then the
/// models that change finish their update, keep their state and end, and go on from that state with their new settings. When one of them
/// cannot, all that changed goes back to how it was. Models that do not change are not touched. One thread at a time.
/// </summary>
internal sealed class RunningModels(WorkerOptions options, PipelineEnvironment environment, WorkerStatus status)
{
    /// <summary>The models, in the order of the configuration.</summary>
    public IReadOnlyList<ModelPipeline> All => status.Models;

    /// <summary>The configuration they run by.</summary>
    public WorkerOptions Options { get; private set; } = options;

    /// <summary>Starts all of them.</summary>
    public Task StartAsync(CancellationToken stop) => Task.WhenAll(All.Select(model => StartAsync(model, stop)));

    /// <summary>Runs by another configuration, or as before where that cannot be.</summary>
    /// <param name="next">The configuration, checked as one of a start is.</param>
    /// <param name="stop">A stop of the worker: what is under way is left as it is then.</param>
    public async Task<ReloadReport> ChangeToAsync(WorkerOptions next, CancellationToken stop)
    {
        ReloadPlan plan = ReloadPlan.Of(All, next);
        if (plan.Refusal(Options, next, environment.AcceptsModelChange) is { } refusal) return ReloadReport.Refused(refusal);
        WorkerOptions before = Options;
        List<string> problems = [.. await StopAsync(plan.Stopped).ConfigureAwait(false)];
        if (problems.Count == 0)
        {
            Options = next;
            ModelPipeline[] started = [.. plan.Started.Select(Create)];
            problems.AddRange(await StartAsync(started, plan, stop).ConfigureAwait(false));
            if (problems.Count == 0) return plan.Report;
            await StopAsync(started).ConfigureAwait(false);
        }

        // Back to how it was, from the same states: where nothing was learned with the new settings nothing has to be undone.
        Options = before;
        ModelPipeline[] again = [.. plan.Stopped.Select(model => Create(model.Options))];
        foreach (string problem in await StartAsync(again, plan, stop).ConfigureAwait(false)) problems.Add($"As it was before: {problem}");
        Show([.. plan.Kept, .. again]);
        return ReloadReport.Refused($"{string.Join('\n', problems)}\nEverything runs as before.");
    }

    /// <summary>Starts a model beside the others: one that waits for its broker, or cannot start, is not in their way.</summary>
    private static async Task StartAsync(ModelPipeline model, CancellationToken stop)
    {
        try
        {
            await Task.Run(() => model.StartAsync(stop), stop).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !stop.IsCancellationRequested)
        {
            model.Fail(failure);
        }
    }

    /// <summary>
    /// Starts models, waits until each has kept its state with its settings, or failed, and shows them in place of those that were stopped,
    /// which answer until then, if all went well.
    /// </summary>
    /// <returns>What kept any from it.</returns>
    private async Task<IReadOnlyList<string>> StartAsync(ModelPipeline[] models, ReloadPlan plan, CancellationToken stop)
    {
        try
        {
            await Task.WhenAll(models.Select(model => StartAsync(model, stop))).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Whoever stops the worker stops these too.
            Show([.. plan.Kept, .. models]);
            throw;
        }

        await Task.WhenAll(models.Select(model => Task.WhenAny(model.Resumed, model.Completion))).ConfigureAwait(false);
        string[] problems =
            [.. models.Where(model => model.End is { State: ModelState.Failed } && !plan.IsRetried(model.Options)).Select(Told)];
        if (problems.Length == 0) Show([.. plan.Kept, .. models]);
        return problems;
    }

    /// <summary>Has models finish their update, keep their state and end, and closes all they hold.</summary>
    /// <returns>What kept any from it; one that had failed before is none of these.</returns>
    private static async Task<IReadOnlyList<string>> StopAsync(IReadOnlyList<ModelPipeline> models)
    {
        ModelPipeline[] running = [.. models.Where(model => model.End is null)];
        foreach (ModelPipeline model in running) model.RequestStop();
        await Task.WhenAll(running.Select(model => model.Completion)).ConfigureAwait(false);
        await Task.WhenAll(models.Select(model => model.DisposeAsync().AsTask())).ConfigureAwait(false);
        return [.. running.Where(model => model.End is { State: ModelState.Failed }).Select(Told)];
    }

    private static string Told(ModelPipeline model) => $"Model '{model.Options.Id}': {model.End?.Failure ?? "it failed"}";

    private ModelPipeline Create(ModelOptions model) => new(model, environment);

    private void Show(ModelPipeline[] models)
    {
        foreach (string gone in All.Select(model => model.Options.Id).Except(models.Select(model => model.Options.Id)))
            environment.Histograms.Forget(gone);
        status.Show([.. Options.Models.Select(options => Array.Find(models, model => model.Options.Id == options.Id))
            .OfType<ModelPipeline>()]);
    }
}
