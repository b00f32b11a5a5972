using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Learning;
using StreamEm.Core.Models;
using StreamEm.Core.Schedules;

namespace StreamEm.Core.Tests.Contracts;

/// <summary>What states learned apart adds up, of every model.</summary>
public abstract partial class ModelContract
{
    /// <summary>With steps 1 / (t + 2): half of the start, and a quarter of each minibatch where both weigh the same.</summary>
    [Fact]
    public void Merge_OfAMinibatchEach_IsTheAverageOfStartAndBoth()
    {
        if (!IsExact) return;
        LatentModel model = Create(3, 3);
        Minibatch one = Rows(3, 300, 31), other = Rows(3, 450, 32);
        double[] theta = Theta(model, Rows(3, 500, 33));
        var options = new LearningOptions { StepSize = new() { Kappa = 1, T0 = 2 } };
        MergedPart Learned(Minibatch rows)
        {
            var state = new StepwiseState(model, theta, 1000);
            LearningOrigin origin = LearningOrigin.Of(model, Recursion.Statistics, state);
            Evidence evidence = new StepwiseEm(model, Recursion.Statistics, new PowerLaw(options.StepSize), 1)
                .Update(state, rows, new double[rows.Count], model.CreateMemory(rows.Count));
            origin.Take(state.LastStepSize, evidence.Weight);
            return new MergedPart(state, origin);
        }

        MergedPart[] parts = [Learned(one), Learned(other)];
        StepwiseState merged = StateMerge.Of(model, options, parts, out LearningOrigin start);

        double[] ofOne = Averages(model, theta, one, out Evidence first), ofOther = Averages(model, theta, other, out Evidence second);
        double share = first.Weight / (first.Weight + second.Weight);
        double[] expected = [.. start.Vector.Select((value, at) => 0.5 * (value + share * ofOne[at] + (1 - share) * ofOther[at]))];
        Near(expected, merged.Statistics, 1e-10);
        double[] parameters = new double[theta.Length], previous = parts.MaxBy(part => part.Origin.Learned).State.Parameters;
        model.Maximize(merged.Statistics, merged.EffectiveRows, previous, parameters, new ModelEvents());
        Assert.Equal(parameters, merged.Parameters);
        Assert.Equal((2L, 750L), (merged.Updates, merged.Rows));
        Assert.Equal(0.5, start.Retained, 1e-15);
    }
}
