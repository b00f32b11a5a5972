using StreamEm.Sources.Stdin;
using StreamEm.Worker.Api;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Pipeline;

namespace StreamEm.Worker.Hosting;

/// <summary>What has to be done for a worker to run as another configuration says, found before anything is done.</summary>
/// <param name="Kept">Models that stay as they are.</param>
/// <param name="Stopped">Models that end: to go on with other settings, or for good.</param>
/// <param name="Started">Models that begin, or go on.</param>
/// <param name="Report">What it comes to when all goes well.</param>
internal sealed record ReloadPlan(
    IReadOnlyList<ModelPipeline> Kept, IReadOnlyList<ModelPipeline> Stopped, IReadOnlyList<ModelOptions> Started, ReloadReport Report)
{
    /// <summary>Compares.</summary>
    /// <param name="running">The models there are.</param>
    /// <param name="next">The configuration to come.</param>
    public static ReloadPlan Of(IReadOnlyList<ModelPipeline> running, WorkerOptions next)
    {
        List<ModelPipeline> kept = [], stopped = [];
        List<string> changed = [], removed = [];
        foreach (ModelPipeline model in running)
        {
            ModelOptions? options = next.Models.FirstOrDefault(options => options.Id == model.Options.Id);
            // One that has failed is tried again, as when the worker is started again.
            if (options is not null && options.IsSame(model.Options) && model.State != ModelState.Failed)
            {
                kept.Add(model);
                continue;
            }

            stopped.Add(model);
            (options is null ? removed : changed).Add(model.Options.Id);
        }

        ModelOptions[] started = [.. next.Models.Where(options => !kept.Exists(model => model.Options.Id == options.Id))];
        string[] added = [.. started.Select(options => options.Id).Except(changed, StringComparer.Ordinal)];
        return new ReloadPlan(kept, stopped, started,
            new ReloadReport(true, added, changed, removed, [.. kept.Select(model => model.Options.Id)], null));
    }

    /// <summary>Whether a model had failed and is tried again as it was: that it fails again is nothing to go back for.</summary>
    public bool IsRetried(ModelOptions options) =>
        Stopped.Any(model => model.State == ModelState.Failed && model.Options.Id == options.Id && options.IsSame(model.Options));

    /// <summary>What needs another start of the worker, or keeps a state from being gone on with, by name; null for nothing.</summary>
    /// <param name="now">The configuration that runs.</param>
    /// <param name="next">The configuration to come.</param>
    /// <param name="acceptsModelChange">Whether components may come and go.</param>
    public string? Refusal(WorkerOptions now, WorkerOptions next, bool acceptsModelChange)
    {
        List<string> restarts = [];
        if (now.Http.Address != next.Http.Address) restarts.Add("http.address");
        if (now.Http.AuthToken != next.Http.AuthToken) restarts.Add("http.auth_token");
        if (now.StateDirectory != next.StateDirectory) restarts.Add("state_directory");
        if (now.Serve != next.Serve) restarts.Add("serve");
        restarts.AddRange(Stopped.Where(model => model.Options.Source is StdinSourceOptions && model.End is null)
            .Select(model => $"models.{model.Options.Id} (standard input cannot be opened again)"));
        restarts.AddRange(Started.Where(model => model.Source is StdinSourceOptions && !Stopped.Any(old => old.Options.Id == model.Id))
            .Select(model => $"models.{model.Id} (standard input is opened at the start only)"));
        if (restarts.Count > 0)
            return $"These need another start of the worker: {string.Join(", ", restarts)}. Nothing was changed; restart it, or "
                + "restore the old values.";
        var states = new StateDirectory(next.StateDirectory);
        string[] refusals = [.. Started.Select(model => StateBinding.RefusalOf(model, states, acceptsModelChange)).OfType<string>()];
        return refusals.Length > 0 ? $"{string.Join('\n', refusals)}\nNothing was changed." : null;
    }
}
