using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Models;
using StreamEm.Core.Snapshots;

namespace StreamEm.Core.Learning;

/// <summary>EM over all data, by one of its engines, on the same model, data and start as a stream: the yardstick.</summary>
/// <param name="Learned">The converged parameters; version and updates are the iterations.</param>
/// <param name="MeanLogLikelihoods">Before every iteration and after the last: nats per record, user units.</param>
/// <param name="Converged">Whether the tolerance was reached.</param>
/// <param name="LargestFall">The largest fall of the mean log-likelihood met, 0 when it never fell.</param>
/// <param name="Evaluations">E-steps of single rows that it took.</param>
public sealed record BatchFit(
    LearnedModel Learned, IReadOnlyList<double> MeanLogLikelihoods, bool Converged, double LargestFall, long Evaluations)
{
    /// <summary>
    /// Initialises from the first rows as a learner would (or starts at <paramref name="from"/>) and iterates over all of them.
    /// </summary>
    /// <param name="model">The model's options.</param>
    /// <param name="schema">The features and what else the records have.</param>
    /// <param name="learning">Initialisation and standardisation; the recursion is not used.</param>
    /// <param name="records">All records as a source delivers them, at least one.</param>
    /// <param name="options">When to stop.</param>
    /// <param name="from">Parameters to start at; null initialises.</param>
    public static BatchFit Run(
        LatentModelOptions model, RecordSchema schema, LearningOptions learning, Minibatch records, BatchEmOptions options,
        InitialParameters? from = null)
    {
        FeatureSpace plan = from?.Plan(model, schema) ?? model.Plan(schema);
        model = model.For(learning.Responsibilities.Kind);
        if (from is not null) model = model.WithClasses(model.ClassesIn(from.Blocks.Keys, plan));
        var names = LabelNames.Of(model, (model.CreateLargest(schema) as ComponentModel)?.Components ?? 0);
        var intake = new RecordIntake(plan, names);
        var rows = new Minibatch(records.Dimension, records.Count, new TextTable());
        intake.Take(records, 0, records.Count, rows);
        if (names.AreClasses)
            model = names.Known.Count > 0 ? model.WithClasses(names.Known)
                : throw new ArgumentException($"{model.Type} learns classes from labels, and no record has one.", nameof(records));
        LearnerCore core;
        if (from is not null)
        {
            core = LearnerCore.StartAt(model, plan, learning, from, options.Threads);
        }
        else
        {
            var buffer = new Minibatch(rows.Dimension, Math.Min(rows.Count, learning.Initialization.Buffer));
            buffer.Append(rows, 0, Math.Min(rows.Count, learning.Initialization.Buffer));
            core = LearnerCore.Initialize(model, plan.WithLevels(intake.LevelsOf), learning, buffer, options.Threads);
        }

        return core.RunBatch(rows, schema, names, intake, options);
    }
}
