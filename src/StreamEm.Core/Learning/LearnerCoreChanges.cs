using System.Globalization;
using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Intervals;
using StreamEm.Core.Models;
using StreamEm.Core.Schedules;
using StreamEm.Core.Snapshots;

namespace StreamEm.Core.Learning;

/// <summary>How it answers what the records held back have come to.</summary>
internal sealed partial class LearnerCore
{
    /// <summary>Answers a change, or a cluster of records that are too few for one.</summary>
    /// <returns>Whether the log-densities are in the units of those before.</returns>
    private bool Answer(StreamGuard guard, Change change, double worth, bool mayStartAnew)
    {
        if (change is Change.Part or Change.Most or Change.Another && guard.Awaken(Space, Happened, State.Updates) is { } space)
        {
            Move(space);
            return false;
        }
        bool isAnswered = false;
        if (_model is ComponentModel components && guard.Cluster(change, components, Space, State.Parameters, worth) is { } cluster)
        {
            bool isLearned = mayStartAnew && TryPlace(components, cluster);
            guard.Answer(cluster, isLearned);
            isAnswered = isLearned && change == Change.Part;
        }
        if (change != Change.None && !isAnswered) guard.Answer(change, mayStartAnew, State, Happened);
        return true;
    }

    /// <summary>
    /// Widens the bound until the first records are within it that the parameters were found in: where they are spread wider about their
    /// components than the family says, as counts often are (overdispersion: McCullagh &amp; Nelder 1989, section 4.5), its own spread is
    /// no measure of what is far, and all of an ordinary stream would be held back.
    /// </summary>
    /// <param name="regular">The first records inside, without glitches.</param>
    private void ReachFirstRecords(Minibatch regular)
    {
        if (Guard is not { IsBlank: false } guard) return;
        double worth = State.Shares.Length == 0 ? State.EffectiveRows : State.EffectiveRows / State.Shares.Length;
        double[] averages = new double[State.Statistics.Length], logDensities = new double[regular.Count];
        while (true)
        {
            Evidence evidence = _em.Expect(
                State.Parameters, regular, averages, logDensities, new Pass(null) { Bound = guard.Measure(regular.Count, worth) });
            if (!guard.TryReach(evidence)) return;
            Happened.Add(LearnerEventKind.Overdispersed, State.Updates);
        }
    }

    /// <summary>Moves a component that can be spared to a cluster; it is another one from then on. Not in a chain, whose keys remember
    /// which component they were in.</summary>
    private bool TryPlace(ComponentModel model, HeldCluster cluster)
    {
        if (model.Order != RowOrder.Any || SpareComponent.Find(model, State) is not { } pair
            || !SpareComponent.TryMove(_modelOptions, Space, model, State, pair, cluster, out int gone)) return false;
        IReadOnlyList<string> before = Ids.Texts;
        Origin?.Break(BegunAnew(before[gone], State.Updates));
        Intervals?.BeginAgain();
        Ids = Ids.Remove(gone).Add();
        Health.Events.Follow(before, Ids.Texts, State.Updates);
        Watch.Begin();
        Happened.Add(LearnerEventKind.ClusterLearned, State.Updates);
        return true;
    }

    /// <summary>Answers a lasting fall of the log-likelihood as the options say.</summary>
    private void AnswerDrift(Minibatch rows, double[] logDensities, InfluenceBound? bound)
    {
        string restarted = "";
        Intervals?.BeginAgain();
        if (_options.Drift!.Then == DriftPolicy.RaiseStepSize) State.BeginAgain();
        else if (_options.Drift.Then == DriftPolicy.RestartComponent && State.Shares.Length > 1
            && _model is ComponentModel { CanReseed: true } components
            && DeadComponentWatch.Worst(rows, logDensities, bound) is >= 0 and var row)
        {
            int lightest = Array.IndexOf(State.Shares, State.Shares.Min());
            StepwiseEm.Reseed(State, components, lightest, rows.Row(row));
            restarted = Ids.Texts[lightest];
            Health.Events.Add(ComponentEventKind.Reseeded, restarted, State.Updates);
        }
        Happened.Add(LearnerEventKind.Drifted, State.Updates, restarted);
    }

    /// <summary>Goes on in another space, whose features that came to life have moments of their own.</summary>
    private void Move(FeatureSpace space)
    {
        Origin?.Break(string.Create(
            CultureInfo.InvariantCulture, $"a feature that had always had one value began to move at version {State.Updates}"));
        double[] before = State.Parameters.ToArray();
        for (int d = 0; d < space.Dimension; d++)
            if (space.Features[d] != Space.Features[d])
                SleepingFeatures.Move(_model.ParameterLayout, State.Parameters, d, space.Features[d]);
        Space = space;
        _model = _modelOptions.Create(space);
        _em = new StepwiseEm(
            _model, _options.Recursion, new PowerLaw(_options.StepSize), _threads, _options.Responsibilities.Rule);
        _units = new LogUnits(_model, space);
        Watch.Follow(_model);
        _absentFeatures = [.. _absentFeatures.Where(d => Guard!.IsAsleep(d))];
        _model.Follow(before, State.Parameters, State.EffectiveRows, State.Statistics);
        Health.BeginAgain();
        if (Intervals is not null) Intervals = new IntervalWatch(_model);
    }
}
