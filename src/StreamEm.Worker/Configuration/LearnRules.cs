using StreamEm.Core.Learning;
using StreamEm.Worker.Configuration.Binding;
using StreamEm.Worker.Pipeline;

namespace StreamEm.Worker.Configuration;

/// <summary>What cannot be learned as <c>learning.learn</c> says.</summary>
internal sealed class LearnRules(Binder binder)
{
    /// <summary>The fewest records from which a mixture that grows has told what is rare: those of its scale, and as many scores.</summary>
    private const int LeastGrown = 200;

    /// <summary>Reports what is broken.</summary>
    public void Check(ModelOptions model, string path)
    {
        LearningOptions learning = model.Learning;
        if (learning.Learn is LearnMode.Gated && model.Model.MaxKeys > 0)
            binder.Problems.Error(binder.OriginOf($"{path}.learning.learn"),
                $"learn: gated leaves single records out, which {model.Model.Type} would miss in their sequences; use always or frozen");
        if (model.Model.Growth is not null && model.InitializeFrom is not null)
            binder.Problems.Error(binder.OriginOf($"{path}.learning.initialization.from"),
                "a mixture that grows begins with its stream: leave initialization.from out, or give the number of components");
        if (model.Model.Growth is not null && learning.Drift is { Then: not DriftPolicy.Nothing })
            binder.Problems.Error(binder.OriginOf($"{path}.learning.drift.then"),
                "a mixture that grows has no step size and begins components by itself: set then: nothing");
        if (learning.Learn is not LearnMode.Frozen) return;
        int least = model.Model.Growth is null ? 1 : LeastGrown;
        if (learning.FreezeAfter is { } after && after < least)
            binder.Problems.Error(binder.OriginOf($"{path}.learning.freeze_after"),
                $"freeze_after is {after}: a mixture that grows can tell what is rare from {LeastGrown} records on; use at least that");
        if (learning.FreezeAfter is null && model.InitializeFrom is null)
            binder.Problems.Error(binder.OriginOf($"{path}.learning.learn"),
                "learn: frozen needs something that was learned: set freeze_after to the records to learn first, or initialization.from to "
                    + "a snapshot");
    }
}
