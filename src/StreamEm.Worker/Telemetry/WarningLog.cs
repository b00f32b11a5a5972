namespace StreamEm.Worker.Telemetry;

/// <summary>Logs what a model warns of: each warning once while it lasts, however its numbers change.</summary>
internal sealed class WarningLog(string modelId, ILogger log)
{
    private readonly Newcomers<string> _newcomers = new();
    private IReadOnlyList<string> _last = [];

    /// <summary>Takes the warnings of a version.</summary>
    public void Tell(IReadOnlyList<string> warnings)
    {
        if (warnings.SequenceEqual(_last)) return;
        _last = warnings;
        foreach (string warning in _newcomers.Among(warnings, MessageKind.Of)) WorkerLog.ModelWarning(log, modelId, warning);
    }
}
