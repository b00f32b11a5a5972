using StreamEm.Core.Estimation;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Worker.Checkpoints;
using StreamEm.Worker.Failures;

namespace StreamEm.Worker.Pipeline;

/// <summary>Makes the learner of a checkpoint, with the configuration as it is now.</summary>
internal static class StateRestore
{
    /// <summary>The learner, where the checkpoint's stood.</summary>
    /// <param name="options">The configuration.</param>
    /// <param name="checkpoint">The state.</param>
    /// <param name="binding">What is not as it was; null when nothing is known of that, and then nothing is.</param>
    /// <exception cref="CommandException">The state cannot be used (65).</exception>
    public static Learner Learner(ModelOptions options, Checkpoint checkpoint, StateBinding? binding)
    {
        bool isOtherModel = Has(binding, "model."), isOtherStart = isOtherModel || Has(binding, "learning.");
        if (checkpoint.Updates == 0 && isOtherStart)
        {
            // Nothing is learned yet: what is pending is all there is to go on with.
            Learner fresh = LearnerStart.Create(options);
            fresh.TakePending(Load(options, checkpoint, binding));
            return fresh;
        }

        Learner learner = Load(options, checkpoint, binding);
        try
        {
            if (isOtherModel) learner = learner.ChangeModel(options.Model, options.Schema, options.Learning);
        }
        catch (ArgumentException failure)
        {
            throw Unusable(checkpoint, failure);
        }

        if (Has(binding, "learning.recursion") && options.Learning.Recursion == Recursion.Statistics) learner.ImplyStatistics();
        if (learner.Updates != checkpoint.Updates)
            throw new CommandException(ExitCode.DataCorrupt,
                $"The checkpoint of model '{checkpoint.ModelId}' cannot be restored: it says {checkpoint.Updates} updates, and its state "
                    + $"has {learner.Updates}. Restore another from a backup, or forget what was learned: streamem state reset "
                    + $"{checkpoint.ModelId}.");
        return learner;
    }

    private static Learner Load(ModelOptions options, Checkpoint checkpoint, StateBinding? binding)
    {
        try
        {
            LatentModelOptions model = (Has(binding, "model.") ? binding?.Recorded : null) ?? options.Model;
            var learner = new Learner(model, options.Schema, options.Learning);
            using var reader = new BinaryReader(new MemoryStream(checkpoint.Learner.ToArray()));
            learner.Load(reader);
            return learner;
        }
        catch (Exception failure) when (failure is InvalidDataException or EndOfStreamException or ArgumentException)
        {
            throw Unusable(checkpoint, failure);
        }
    }

    private static bool Has(StateBinding? binding, string section) =>
        binding?.Changes.Any(change => change.Path.StartsWith(section, StringComparison.Ordinal)) ?? false;

    private static CommandException Unusable(Checkpoint checkpoint, Exception failure) => new(ExitCode.DataCorrupt,
        $"The checkpoint of model '{checkpoint.ModelId}' cannot be restored: {failure.Message} It may be of another release; use that one, "
            + $"or forget what was learned: streamem state reset {checkpoint.ModelId}.",
        failure);
}
