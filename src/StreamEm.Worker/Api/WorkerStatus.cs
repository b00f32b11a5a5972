using StreamEm.Worker.Failures;
using StreamEm.Worker.Pipeline;

namespace StreamEm.Worker.Api;

/// <summary>What the API shows of the process: its models, and whether it is starting, running or stopping.</summary>
public sealed class WorkerStatus(IReadOnlyList<ModelPipeline> models)
{
    private volatile bool _isStopping;

    /// <summary>The models, in the order of the configuration.</summary>
    public IReadOnlyList<ModelPipeline> Models => models;

    /// <summary>Whether a stop was asked for.</summary>
    public bool IsStopping
    {
        get => _isStopping;
        set => _isStopping = value;
    }

    /// <summary>Whether every model has restored its state, or failed to.</summary>
    public bool HasStarted => models.All(model => model.HasStarted || model.End is not null);

    /// <summary>Whether every source has ended, and all of it is learned, kept and published.</summary>
    public bool IsFinished => models.Count > 0 && models.All(model => model.State == ModelState.Finished);

    /// <summary>What keeps the worker from doing its work; empty when it is ready.</summary>
    public IReadOnlyList<Obstacle> Obstacles => ObstaclesOf(models);

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
    public ModelPipeline? Find(string id) => models.FirstOrDefault(model => model.Options.Id == id);
}
