using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Models;
using StreamEm.Core.Schedules;

namespace StreamEm.Core.Tests.Contracts;

/// <summary>What labels mean to every model with components.</summary>
public abstract partial class ComponentContract
{
    /// <summary>Whether rows that all have labels leave nothing latent.</summary>
    protected virtual bool IsClosedWhenLabelled => true;

    [Fact]
    public void Labels_OneHotAndOfEveryComponent_AreTheComponentAndNone()
    {
        ComponentModel model = Model(3, 2);
        Minibatch rows = Rows(2, 300, 31, 0.1);
        double[] theta = Possible(model, rows);
        double[] With(Func<int, Minibatch, int> label) => Averages(model, theta, Labelled(rows, label), out _);

        Assert.Equal(With((row, _) => row % 3),
            With((row, to) => to.AddEvidence(Says(k => k == row % 3 ? 1 : 0))));
        Near(With((_, _) => Minibatch.Unlabelled), With((_, to) => to.AddEvidence(Says(_ => 1))), 1e-13);
        Near(With((_, to) => to.AddEvidence(Says(k => k == 1 ? 0 : 1))), With((_, to) => to.AddEvidence(Says(k => k == 1 ? 0 : 0.5))),
            1e-12);

        double[] Says(Func<int, double> of) => [.. Enumerable.Range(0, model.Components).Select(of)];
    }

    [Fact]
    public void Labels_OfSeveralComponents_AreWorthTheSumOfEachAndWeighThem()
    {
        ComponentModel model = Model(3, 2);
        Minibatch rows = Rows(2, 40, 32);
        double[] theta = Possible(model, rows), says = [1, 0.25, .. new double[model.Components - 2]];
        for (int row = 0; row < 20; row++)
        {
            double[] joint = new double[model.Components];
            double[] MassesOf(Func<Minibatch, int> label, out double logLikelihood)
            {
                var one = new Minibatch(2);
                one.BeginSequence();
                one.Add(rows.Row(row), label: label(one), key: 0);
                double[] averages = Averages(model, theta, one, out Evidence evidence);
                logLikelihood = evidence.LogLikelihood;
                return Masses(model, averages);
            }
            for (int k = 0; k < joint.Length; k++) MassesOf(_ => k, out joint[k]);
            double first = says[0] * Math.Exp(joint[0]), second = says[1] * Math.Exp(joint[1]);

            double[] masses = MassesOf(to => to.AddEvidence(says), out double together);

            Near([Math.Log(first + second)], [together], 1e-12);
            Near([first / (first + second), second / (first + second), .. new double[model.Components - 2]], masses, 1e-12);
        }
    }

    [Fact]
    public void Labels_LeftOutOneByOne_GoFromTheClosedFormToTheModelsOwn()
    {
        ComponentModel model = Model(3, 2);
        Minibatch rows = Rows(2, 240, 33);
        double[] theta = Possible(model, rows), other = Possible(model, Rows(2, 240, 34)), own = Averages(model, theta, rows, out _);
        double before = double.NegativeInfinity;
        for (int labelled = 240; labelled >= 0; labelled -= 40)
        {
            Minibatch some = Labelled(rows, (row, _) => row < labelled ? row % 3 : Minibatch.Unlabelled);
            double[] averages = Averages(model, theta, some, out Evidence evidence);
            // log p(x, z) of a row is never above its log p(x).
            Assert.True(evidence.LogLikelihood >= before - 1e-9, $"{labelled} labels: {evidence.LogLikelihood:R} after {before:R}");
            before = evidence.LogLikelihood;
            if (labelled == 0) Near(own, averages, 1e-12);
            if (labelled < 240 || !IsClosedWhenLabelled) continue;
            // All labelled: what the parameters were does not matter.
            double[] elsewhere = Averages(model, other, some, out _), one = new double[theta.Length], two = new double[theta.Length];
            Near(averages, elsewhere, 1e-12);
            model.Maximize(averages, 240.0, theta, one, new ModelEvents());
            model.Maximize(elsewhere, 240.0, other, two, new ModelEvents());
            Near(one, two, 1e-12);
        }
    }

    [Fact]
    public void LogDensity_OfEqualComponents_IsThatOfOne()
    {
        ComponentModel three = Model(3, 2), one = Model(1, 2);
        Minibatch rows = Rows(2, 200, 35, 0.1);
        double[] Densities(ComponentModel model)
        {
            double[] theta = new double[model.ParameterLayout.Length], densities = new double[rows.Count];
            model.Neutral(theta);
            EStep eStep = model.Prepare(theta);
            eStep.Score(rows, 0, rows.Count, densities, new double[rows.Count * model.ScoreLayout.Length], eStep.CreateWorkspace());
            return [.. densities.Select(density => double.IsNaN(density) ? 0 : density)];
        }
        Near(Densities(one), Densities(three), 1e-12);
    }

    [Fact]
    public void LogDensity_OfTwoComponentsAtMinus420_IsMinus420PlusLog2()
    {
        // Far below the smallest double: exp(-420) is, and a sum that is not in logarithms knows nothing of it after a product or two.
        ComponentModel model = Model(2, 2);
        if (model.MixingBlocks.FirstOrDefault() is not { } mixing) return;
        Minibatch rows = Rows(2, 20, 42);
        double[] theta = new double[model.ParameterLayout.Length], scores = new double[model.ScoreLayout.Length], density = new double[1];
        model.Neutral(theta);
        for (int row = 0; row < rows.Count; row++)
        {
            var one = new Minibatch(2);
            one.BeginSequence();
            one.Add(rows.Row(row), key: 0);
            double Score(double weight)
            {
                double[] weighed = [.. theta];
                for (int k = 0; k < 2; k++) weighed[mixing.Offset + k] = weight;
                EStep eStep = model.Prepare(weighed);
                eStep.Score(one, 0, 1, density, scores, eStep.CreateWorkspace());
                return density[0];
            }
            // Both components are alike: with weights of a half each is as dense as both.
            double alike = Score(0.5);
            Assert.Equal(-420 + Math.Log(2), Score(Math.Exp(-420 - alike)), 1e-10);
        }
    }

    [Fact]
    public void Updates_Many_KeepTheMassOfTheStatistics()
    {
        ComponentModel model = Model(3, 2);
        var em = new StepwiseEm(model, Recursion.Statistics, new PowerLaw(new StepSizeOptions { Kappa = 0.6 }), 1);
        var state = new StepwiseState(model, Possible(model, Rows(2, 300, 36)), 300);
        for (ulong update = 0; update < 60; update++)
        {
            Minibatch rows = Rows(2, 50, 37 + update);
            em.Update(state, rows, new double[rows.Count], model.CreateMemory(rows.Count));
            Assert.Equal(1, Masses(model, state.Statistics).Sum(), 1e-12);
        }
    }

    /// <summary>The rows with labels; of a sequence the same one.</summary>
    private static Minibatch Labelled(Minibatch rows, Func<int, Minibatch, int> label)
    {
        var result = new Minibatch(rows.Dimension, rows.Count);
        for (int row = 0; row < rows.Count; row++)
        {
            if (rows.SequenceStarts.Contains(row)) result.BeginSequence();
            result.Add(rows.Row(row), rows.Weight(row), label(row, result), key: rows.Key(row));
        }
        return result;
    }
}
