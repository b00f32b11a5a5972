using StreamEm.Worker.Api;

namespace StreamEm.Worker.Watching;

/// <summary>What was last heard of a model, and of its past what a picture needs.</summary>
/// <param name="id">Its id.</param>
internal sealed class WatchedModel(string id)
{
    /// <summary>Versions whose likelihood is remembered.</summary>
    public const int MostLikelihoods = 60;

    /// <summary>How far back the records a second look.</summary>
    private static readonly TimeSpan RateWindow = TimeSpan.FromSeconds(10);

    private readonly Queue<double> _likelihoods = new();
    private readonly Queue<(DateTimeOffset When, long Records)> _taken = new();
    private string _runId = "";

    /// <summary>Its id.</summary>
    public string Id => id;

    /// <summary>What the worker says of it; null before it was asked.</summary>
    public ModelSummary? Summary { get; private set; }

    /// <summary>The newest version heard of.</summary>
    public long Version { get; private set; }

    /// <summary>Records it has learned from.</summary>
    public long Records { get; private set; }

    /// <summary>Log-likelihood of the newest version; NaN without.</summary>
    public double MeanLogLikelihood { get; private set; } = double.NaN;

    /// <summary>Those of the versions heard of, oldest first.</summary>
    public IReadOnlyList<double> Likelihoods => [.. _likelihoods];

    /// <summary>Weights of its components; empty where it has none.</summary>
    public IReadOnlyList<double> Weights { get; private set; } = [];

    /// <summary>Records taken a second, lately; null before that can be told.</summary>
    public double? RecordsPerSecond { get; private set; }

    /// <summary>Takes what the worker says of it.</summary>
    /// <returns>Whether a person would call it a change.</returns>
    public bool Take(ModelSummary summary, DateTimeOffset when)
    {
        ModelSummary? before = Summary;
        Summary = summary;
        if (summary.Version >= Version || summary.RunId != _runId) (Version, Records) = (summary.Version, summary.Records);
        if (double.IsNaN(MeanLogLikelihood)) MeanLogLikelihood = summary.MeanLogLikelihood ?? double.NaN;
        long taken = summary.Records + summary.Unlearned + summary.RecordsPending;
        if (_taken.Count > 0 && taken < _taken.Last().Records) _taken.Clear();
        _taken.Enqueue((when, taken));
        while (_taken.Count > 2 && when - _taken.ElementAt(1).When >= RateWindow) _taken.Dequeue();
        (DateTimeOffset since, long then) = _taken.Peek();
        RecordsPerSecond = when > since ? (taken - then) / (when - since).TotalSeconds : null;
        return before is null || before.Status != summary.Status || before.Version != summary.Version || before.Alarms != summary.Alarms
            || before.Problem != summary.Problem || !before.Warnings.SequenceEqual(summary.Warnings);
    }

    /// <summary>Takes a version.</summary>
    /// <returns>Whether it is another than the newest heard of.</returns>
    public bool Take(WatchedVersion version)
    {
        bool isNew = version.Version != Version || (_runId.Length > 0 && version.RunId != _runId);
        if (version.RunId != _runId) _likelihoods.Clear();
        (_runId, Version, Records, Weights) = (version.RunId, version.Version, version.Records, version.Weights);
        MeanLogLikelihood = version.MeanLogLikelihood;
        _likelihoods.Enqueue(version.MeanLogLikelihood);
        while (_likelihoods.Count > MostLikelihoods) _likelihoods.Dequeue();
        return isNew;
    }
}
