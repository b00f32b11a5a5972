using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Models;

namespace StreamEm.Core.Learning;

/// <summary>Minibatches that one contributes and another folds.</summary>
internal sealed partial class LearnerCore
{
    private ContributedCut? _contributed;

    /// <summary>What a minibatch says under these parameters, which stay as they are.</summary>
    /// <param name="pending">Rows in the user's units, levels as codes.</param>
    /// <param name="count">How many of them.</param>
    /// <param name="states">Where the sequences of their keys stand, read and written; null for a model of none.</param>
    /// <param name="rows">Overwritten with the same inside.</param>
    /// <param name="surprise">Overwritten with what they say of the rows.</param>
    /// <param name="calibrate">Makes what is remembered of their scores, once both are filled.</param>
    public Contribution Contribute(
        Minibatch pending, int count, KeyStates? states, Minibatch rows, Surprise surprise, Func<byte[]> calibrate)
    {
        ContributedCut? sequences = ContributedSequences(states);
        Minibatch minibatch = sequences?.Take(pending, states!, out _) ?? pending;
        bool complete = Space.Encode(minibatch, 0, count, rows);
        double unit = RelativeWeights.Normalize(rows);
        surprise.Begin(count, complete, unit);
        double[] averages = new double[_model.StatisticsLayout.Length], logDensities = surprise.LogDensities;
        Evidence evidence = Expect(sequences, rows, averages, logDensities, complete ? null : surprise.Comparable);
        long impossible = 0, unlearned = 0;
        double units = _units.Sum(rows, complete, evidence, logDensities, bound: null, ref impossible);
        for (int row = 0; row < count; row++)
            if (!double.IsFinite(logDensities[row]) || !(rows.Weight(row) > 0)) unlearned++;
        sequences?.Give(states!);
        return new Contribution(averages, evidence with { LogLikelihood = evidence.LogLikelihood - units }, calibrate())
        {
            Records = count,
            Unlearned = unlearned,
            Impossible = impossible,
            Weight = rows.TotalWeight * unit,
            IsWeighted = !rows.Weights.IsEmpty,
            Unit = unit,
            Worth = StepwiseEm.WorthOf(rows, logDensities, evidence),
        };
    }

    private Evidence Expect(
        ContributedCut? sequences, Minibatch rows, double[] averages, double[] logDensities, double[]? comparable)
    {
        var pass = new Pass(sequences?.Memory, State.Updates + 1, comparable) { Numbers = sequences?.Numbers };
        try
        {
            Evidence evidence = _em.Expect(State.Parameters, rows, averages, logDensities, pass);
            return sequences is null || !(evidence.Weight > 0) || averages.All(double.IsFinite) ? evidence
                : throw new InvalidDataException("Under the states of their keys records have statistics that are not finite.");
        }
        catch (ArithmeticException failure) when (sequences is not null)
        {
            throw new InvalidDataException($"Records cannot be learned from under the states of their keys: {failure.Message}", failure);
        }
    }

    private ContributedCut? ContributedSequences(KeyStates? states) => Cut switch
    {
        PlainCut => null,
        KeyedCut when states is not null => _contributed ??= new(_options.MinibatchSize, _model, _modelOptions.Sequences),
        KeyedCut => throw new InvalidOperationException($"{_model.Type} goes on from the states of its keys: give them."),
        _ => throw new InvalidOperationException($"Sequences of {_model.Type} that wait for records to come are not contributed."),
    };

    /// <summary>Takes a contribution: one update without its rows.</summary>
    /// <param name="contribution">The contribution.</param>
    /// <param name="damping">What its step is multiplied by.</param>
    /// <exception cref="InvalidDataException">It is of another model.</exception>
    public void Fold(Contribution contribution, double damping)
    {
        if (contribution.Averages.Length != State.Statistics.Length)
            throw new InvalidDataException(
                $"A contribution has {contribution.Averages.Length} statistics; the model has {State.Statistics.Length}.");
        Evidence evidence = contribution.Evidence;
        double share = State.ShareOf(contribution.Weight, contribution.IsWeighted) * damping;
        _em.Fold(State, contribution.Averages, evidence, contribution.Records, share, contribution.Worth);
        State.Unlearned += contribution.Unlearned;
        _impossible += contribution.Impossible;
        _meanLogLikelihood = evidence.Weight > 0 ? evidence.LogLikelihood / evidence.Weight : double.NaN;
        Health.Take(State, evidence, _meanLogLikelihood, Ids.Texts);
        if (Origin is not null) Follow(Origin, evidence.Weight * contribution.Unit);
    }
}
