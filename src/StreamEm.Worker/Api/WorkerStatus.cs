using StreamEm.Worker.Failures;
using StreamEm.Worker.Pipeline;
using StreamEm.Worker.Telemetry;

namespace StreamEm.Worker.Api;

/// <summary>What the API shows of the process: its models, and whether it is starting, running or stopping.</summary>
public sealed class WorkerStatus(IReadOnlyList<ModelPipeline> models)
{
    private volatile IReadOnlyList<ModelPipeline> _models = models;
    private readonly TaskCompletionSource _endAsked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _isStopping;
    private int _replays;

    /// <summary>The models, in the order of the configuration.</summary>
    public IReadOnlyList<ModelPipeline> Models => _models;

    /// <summary>Where what happens is counted.</summary>
    internal WorkerHistograms Histograms { get; } = models.Count > 0 ? models[0].Histograms : new WorkerHistograms();

    /// <summary>What became of the last reading of the configuration, and when it last was of use; the first was at the start.</summary>
    internal (bool Succeeded, DateTimeOffset LastSuccess) LastReload { get; private set; } = (true, default);

    /// <summary>Has the configuration read again; null where the worker has none to read, or is not up yet.</summary>
    internal Func<Task<ReloadReport>>? Reload { get; set; }

    /// <summary>Completes when somebody asks the worker to end in order.</summary>
    internal Task EndAsked => _endAsked.Task;

    /// <summary>Whether a stop was asked for.</summary>
    public bool IsStopping
    {
        get => _isStopping;
        set => _isStopping = value;
    }

    /// <summary>Shows other models, of a configuration that was read again.</summary>
    internal void Show(IReadOnlyList<ModelPipeline> models) => _models = models;

    /// <summary>Notes what became of reading the configuration.</summary>
    internal void Reloaded(bool succeeded, DateTimeOffset now) => LastReload = (succeeded, succeeded ? now : LastReload.LastSuccess);

    /// <summary>Takes the turn to replay records, which one request at a time has.</summary>
    internal bool TryBeginReplay() => Interlocked.CompareExchange(ref _replays, 1, 0) == 0;

    /// <summary>Gives it back.</summary>
    internal void EndReplay() => Volatile.Write(ref _replays, 0);

    /// <summary>Asks the worker to end in order.</summary>
    internal void RequestEnd() => _endAsked.TrySetResult();

    /// <summary>Whether every model has restored its state, or failed to.</summary>
    public bool HasStarted => Models.All(model => model.HasStarted || model.End is not null);

    /// <summary>Whether every source has ended, and all of it is learned, kept and published.</summary>
    public bool IsFinished => Models.Count > 0 && Models.All(model => model.State == ModelState.Finished);

    /// <summary>What keeps the worker from doing its work; empty when it is ready.</summary>
    public IReadOnlyList<Obstacle> Obstacles => ObstaclesOf(Models);

    /// <summary>What keeps some of the models from their work; empty when they are ready.</summary>
    public IReadOnlyList<Obstacle> ObstaclesOf(IEnumerable<ModelPipeline> some)
    {
        var obstacles = new List<Obstacle>();
        if (IsStopping) obstacles.Add(new Obstacle(ObstacleKind.Stopping, "the worker is stopping"));
        foreach (ModelPipeline model in some)
        {
            string id = model.Options.Id;
            if (model.Obstacle is { } obstacle) obstacles.Add(obstacle.OfModel(id));
            else if (!model.HasStarted)
                obstacles.Add(new Obstacle(ObstacleKind.Starting, $"model '{id}' is restoring its state") { Subject = id });
        }

        return obstacles;
    }

    /// <summary>The model with an id; null when there is none.</summary>
    public ModelPipeline? Find(string id) => Models.FirstOrDefault(model => model.Options.Id == id);
}
