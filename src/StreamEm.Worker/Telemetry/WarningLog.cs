using StreamEm.Core.Snapshots;

namespace StreamEm.Worker.Telemetry;

/// <summary>Logs what a model warns of: each warning once while it lasts, however its numbers change.</summary>
internal sealed class WarningLog(string modelId, ILogger log)
{
    private readonly Newcomers<(ModelWarningKind, string)> _newcomers = new();
    private IReadOnlyList<ModelWarning> _last = [];

    /// <summary>Takes the warnings of a version.</summary>
    public void Tell(IReadOnlyList<ModelWarning> warnings)
    {
        if (warnings.SequenceEqual(_last)) return;
        _last = warnings;
        foreach (ModelWarning warning in _newcomers.Among(warnings, warning => (warning.Kind, warning.Subject)))
            WorkerLog.ModelWarning(log, modelId, warning.Text);
    }
}
