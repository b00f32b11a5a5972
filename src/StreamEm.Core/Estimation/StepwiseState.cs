using StreamEm.Core.Data;
using StreamEm.Core.Models;

namespace StreamEm.Core.Estimation;

/// <summary>
/// Where a recursion stands: parameters, running statistics and counters of one model. A <see cref="StepwiseEm"/> takes it from update to
/// update; one such machine can serve many states.
/// </summary>
internal sealed class StepwiseState
{
    /// <summary>Starts at given parameters.</summary>
    /// <param name="model">The model.</param>
    /// <param name="parameters">Theta(0), copied.</param>
    /// <param name="effectiveRows">The number of observations Theta(0) stands for; infinity takes it as exact.</param>
    public StepwiseState(LatentModel model, ReadOnlySpan<double> parameters, double effectiveRows = double.PositiveInfinity)
    {
        Parameters = parameters.ToArray();
        Statistics = new double[model.StatisticsLayout.Length];
        Shares = model is ComponentModel components ? new double[components.Components] : [];
        EffectiveRows = effectiveRows;
        model.ImpliedStatistics(parameters, effectiveRows, Statistics);
        (model as ComponentModel)?.Shares(parameters, Shares);
    }

    private StepwiseState(double[] parameters, double[] statistics, double[] shares) =>
        (Parameters, Statistics, Shares) = (parameters, statistics, shares);

    /// <summary>Theta(t), in the model's layout.</summary>
    public double[] Parameters { get; }

    /// <summary>s(t), in the model's layout: the running average in the statistics recursion, else the start value.</summary>
    public double[] Statistics { get; }

    /// <summary>
    /// The running average of every component's share of the minibatches [K], in both recursions; empty without components.
    /// </summary>
    public double[] Shares { get; }

    /// <summary>t: updates so far.</summary>
    public long Updates { get; internal set; }

    /// <summary>Rows seen so far.</summary>
    public long Rows { get; internal set; }

    /// <summary>Sum of the minibatches' weights in the records' own unit; NaN until one came, in a state that did not know it.</summary>
    public double Weight { get; internal set; }

    /// <summary>Of these, rows that were not learned from: without weight or values, impossible, or held back.</summary>
    public long Unlearned { get; internal set; }

    /// <summary>Of these, rows held back because they are too far from every component.</summary>
    public long Bounded { get; internal set; }

    /// <summary>Updates before the parameters were last initialised or a new level was met: the step size counts from there.</summary>
    public long Begun { get; internal set; }

    /// <summary>Rows before that.</summary>
    public long RowsBegun { get; internal set; }

    /// <summary>Updates in a row of which no row could be used.</summary>
    public int BarrenUpdates { get; internal set; }

    /// <summary>n_eff: 1 / n_eff(t) = (1 - gamma)^2 / n_eff(t-1) + gamma^2 / m, m the observations the minibatch is worth.</summary>
    public double EffectiveRows { get; internal set; }

    /// <summary>gamma of the last update.</summary>
    public double LastStepSize { get; internal set; }

    /// <summary>The degenerate cases of the last update.</summary>
    public ModelEvents Events { get; } = new();

    /// <summary>Begins s(t) anew at what Theta(t) implies.</summary>
    public void ImplyStatistics(LatentModel model) => model.ImpliedStatistics(Parameters, EffectiveRows, Statistics);

    /// <summary>Takes over where another state stands, but for what it knows.</summary>
    public void TakeCounts(StepwiseState other)
    {
        (Updates, Rows, Unlearned, Bounded) = (other.Updates, other.Rows, other.Unlearned, other.Bounded);
        (Begun, RowsBegun, BarrenUpdates) = (other.Begun, other.RowsBegun, other.BarrenUpdates);
        (EffectiveRows, LastStepSize, Weight) = (other.EffectiveRows, other.LastStepSize, other.Weight);
    }

    /// <summary>
    /// The part of a step that a minibatch is worth: its weight over the average of those before it, at most 1. Takes the weight into the
    /// average; a state that did not know it had minibatches like this one.
    /// </summary>
    /// <param name="weight">Its weight, in the unit of all minibatches.</param>
    /// <param name="isWeighted">Whether its rows have weights of their own.</param>
    public double ShareOf(double weight, bool isWeighted)
    {
        if (double.IsNaN(Weight)) Weight = isWeighted ? weight * (Updates - Begun) : Rows - RowsBegun;
        double average = Updates == Begun ? 0 : Weight / (Updates - Begun), share = average > 0 ? Math.Min(1, weight / average) : 1;
        Weight += weight;
        return share;
    }

    /// <summary>Goes on counting where another state stopped, from parameters of its own.</summary>
    public void ContinueFrom(StepwiseState other)
    {
        (Updates, Rows, Unlearned, Bounded) = (other.Updates, other.Rows, other.Unlearned, other.Bounded);
        BeginAgain();
    }

    /// <summary>From here on the step size is that of the first updates.</summary>
    public void BeginAgain() => (Begun, RowsBegun, Weight) = (Updates, Rows, 0);

    /// <summary>Counts rows that came before the parameters and were not learned from.</summary>
    public void SkipUnlearned(long rows) => (Rows, RowsBegun, Unlearned) = (Rows + rows, RowsBegun + rows, Unlearned + rows);

    /// <summary>Writes all of it, the last update's events included.</summary>
    public void Save(BinaryWriter writer)
    {
        writer.WriteDoubles(Parameters);
        writer.WriteDoubles(Statistics);
        writer.WriteDoubles(Shares);
        writer.Write(Updates);
        writer.Write(Rows);
        writer.Write(Weight);
        foreach (long count in (ReadOnlySpan<long>)[Unlearned, Bounded, Begun, RowsBegun]) writer.Write(count);
        writer.Write(BarrenUpdates);
        writer.Write(EffectiveRows);
        writer.Write(LastStepSize);
        Events.Save(writer);
    }

    /// <summary>Reads what <see cref="Save"/> wrote for the same model.</summary>
    /// <param name="reader">Where it is.</param>
    /// <param name="model">The model.</param>
    /// <exception cref="InvalidDataException">It is of another shape.</exception>
    /// <param name="isCurrent">Whether it was written by this release: with the weights and the counts of rows not learned from.</param>
    public static StepwiseState Load(BinaryReader reader, LatentModel model, bool isCurrent = true)
    {
        int components = (model as ComponentModel)?.Components ?? 0;
        StepwiseState state = Of(model, reader.ReadDoubles(), reader.ReadDoubles(), reader.ReadDoubles());
        state.Updates = reader.ReadInt64();
        state.Rows = reader.ReadInt64();
        state.Weight = isCurrent ? reader.ReadDouble() : double.NaN;
        if (isCurrent)
            (state.Unlearned, state.Bounded, state.Begun, state.RowsBegun) =
                (reader.ReadInt64(), reader.ReadInt64(), reader.ReadInt64(), reader.ReadInt64());
        state.BarrenUpdates = reader.ReadInt32();
        state.EffectiveRows = reader.ReadDouble();
        state.LastStepSize = reader.ReadDouble();
        state.Events.Load(reader, components);
        return state;
    }

    /// <summary>Throws unless every number is one that an update can leave behind.</summary>
    /// <exception cref="InvalidDataException">The state is damaged.</exception>
    public void Check()
    {
        Require(Updates >= 0 && Rows >= 0 && BarrenUpdates >= 0, "counts of updates and rows are below 0");
        Require(Unlearned >= 0 && Unlearned <= Rows && Bounded >= 0 && Bounded <= Unlearned, "more rows were not learned from than came");
        Require(Begun >= 0 && Begun <= Updates && RowsBegun >= 0 && RowsBegun <= Rows, "the parameters began after the last update");
        Require(Weight >= 0 || double.IsNaN(Weight), "the sum of the weights is below 0");
        Require(EffectiveRows > 0, "the number of effective rows is not above 0");
        Require(LastStepSize is >= 0 and <= 1, "the step size is not in [0, 1]");
        foreach (double value in Statistics) Require(double.IsFinite(value), "a statistic is not finite");
        foreach (double share in Shares) Require(share is >= -1e-9 and <= 1 + 1e-9, "a component's share is not in [0, 1]");
    }

    private static void Require(bool holds, string what)
    {
        if (!holds) throw new InvalidDataException($"The state is damaged: {what}.");
    }

    /// <summary>A state with the numbers of another, checked against the model.</summary>
    /// <exception cref="InvalidDataException">They are of another shape.</exception>
    internal static StepwiseState Of(LatentModel model, double[] parameters, double[] statistics, double[] shares)
    {
        int components = (model as ComponentModel)?.Components ?? 0;
        if (parameters.Length != model.ParameterLayout.Length || statistics.Length != model.StatisticsLayout.Length
            || shares.Length != components)
            throw new InvalidDataException(
                $"The state has {parameters.Length} parameters, {statistics.Length} statistics and {shares.Length} shares; the model has "
                    + $"{model.ParameterLayout.Length}, {model.StatisticsLayout.Length} and {components}.");
        return new StepwiseState(parameters, statistics, shares);
    }
}
