using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;

namespace StreamEm.Core.Learning;

/// <summary>Batch EM on the same model, data and start as a stream: the yardstick.</summary>
/// <param name="Snapshot">The converged parameters; version and updates are the iterations.</param>
/// <param name="MeanLogLikelihoods">Before every iteration and after the last: nats per record, user units.</param>
/// <param name="Converged">Whether the tolerance was reached.</param>
/// <param name="LargestFall">The largest fall of the mean log-likelihood met, 0 when it never fell.</param>
public sealed record BatchFit(ModelSnapshot Snapshot, IReadOnlyList<double> MeanLogLikelihoods, bool Converged, double LargestFall)
{
    /// <summary>Initialises from the first rows as a learner would (or starts at <paramref name="from"/>) and iterates over all of them.</summary>
    /// <param name="model">The model's options.</param>
    /// <param name="learning">Initialisation and standardisation; the recursion is not used.</param>
    /// <param name="rows">All rows, user units, at least one.</param>
    /// <param name="labels">The label of every row; null without.</param>
    /// <param name="features">Names of the features.</param>
    /// <param name="options">When to stop.</param>
    /// <param name="from">Parameters to start at; null initialises.</param>
    public static BatchFit Run(
        LatentModelOptions model, LearningOptions learning, Minibatch rows, IReadOnlyList<string?>? labels, IReadOnlyList<string> features,
        BatchEmOptions options, InitialParameters? from = null)
    {
        var names = new LabelNames(model.CreateForUnitVariances(rows.Dimension).Components);
        for (int row = 0; labels is not null && row < rows.Count; row++) rows.SetLabel(row, names.Component(labels[row]));
        LearnerCore core;
        if (from is not null)
        {
            core = LearnerCore.StartAt(model, rows.Dimension, learning, from, options.Threads);
        }
        else
        {
            var buffer = new Minibatch(rows.Dimension, Math.Min(rows.Count, learning.Initialization.Buffer));
            buffer.AddRange(rows, 0, Math.Min(rows.Count, learning.Initialization.Buffer));
            core = LearnerCore.Initialize(model, learning, buffer, options.Threads);
        }

        return core.RunBatch(rows, names, features, options);
    }
}
