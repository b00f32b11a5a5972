using System.Globalization;
using StreamEm.Core.Models;

namespace StreamEm.Core.Learning;

/// <summary>Where it began, and what it is with others that began there.</summary>
internal sealed partial class LearnerCore
{
    /// <summary>One with what several learned from the same start.</summary>
    /// <param name="parts">At least one, each with an <see cref="Origin"/> that is not broken.</param>
    public static LearnerCore Merge(IReadOnlyList<LearnerCore> parts)
    {
        LearnerCore first = parts[0];
        MergedPart[] states = [.. parts.Select(part => new MergedPart(part.State, part.Origin!))];
        var core = new LearnerCore(first._modelOptions, first._options, first._model, first.Space,
            StateMerge.Of(first._model, first._options, states, out LearningOrigin origin), first._threads)
        {
            Ids = first.Ids,
            Origin = origin,
            _meanLogLikelihood = MeanLogLikelihoodOf(parts),
            _impossible = parts.Sum(part => part._impossible),
            _absentFeatures = [.. first._absentFeatures.Where(d => parts.All(part => part._absentFeatures.Contains(d)))],
            _bufferedRecords = first._bufferedRecords,
        };
        core.Check();
        return core;
    }

    /// <summary>Of their last minibatches, by the weight of what each learned.</summary>
    private static double MeanLogLikelihoodOf(IReadOnlyList<LearnerCore> parts)
    {
        double sum = 0, weight = 0;
        foreach (LearnerCore part in parts)
        {
            if (!double.IsFinite(part._meanLogLikelihood)) continue;
            sum += part.Origin!.Learned * part._meanLogLikelihood;
            weight += part.Origin.Learned;
        }

        return weight > 0 ? sum / weight : double.NaN;
    }

    /// <summary>Remembers where it begins.</summary>
    private static LearnerCore Begun(LearnerCore core)
    {
        core.Origin = LearningOrigin.Of(core._model, core._options.Recursion, core.State);
        return core;
    }

    /// <summary>Notes an update of so much weight.</summary>
    private void Follow(LearningOrigin origin, double weight)
    {
        if (weight > 0) origin.Take(State.LastStepSize, weight);
        foreach (ModelEvent item in State.Events.All)
            if (item.Kind == ModelEventKind.Reseeded)
                origin.Break(item.Component < 0 ? BegunAnew("each", State.Updates) : BegunAnew(Ids.Texts[item.Component], State.Updates));
    }

    private static string BegunAnew(string component, long version) => string.Create(CultureInfo.InvariantCulture,
        $"component {component} began anew at version {version}, and is another one than in the others since");
}
