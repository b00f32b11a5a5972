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

    /// <summary>Of these, rows that were not learned from: without weight or values, impossible, or held back.</summary>
    public long Unlearned { get; internal set; }

    /// <summary>Of these, rows held back because they are too far from every component.</summary>
    public long Bounded { get; internal set; }

    /// <summary>Updates before the parameters were last initialised: the step size counts from there.</summary>
    public long Begun { get; internal set; }

    /// <summary>Rows before the parameters were last initialised.</summary>
    public long RowsBegun { get; internal set; }

    /// <summary>Updates in a row of which no row could be used.</summary>
    public int BarrenUpdates { get; internal set; }

    /// <summary>n_eff: 1 / n_eff(t) = (1 - gamma)^2 / n_eff(t-1) + gamma^2 / m.</summary>
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
        (EffectiveRows, LastStepSize) = (other.EffectiveRows, other.LastStepSize);
    }

    /// <summary>Goes on counting where another state stopped, from parameters of its own.</summary>
    public void ContinueFrom(StepwiseState other)
    {
        (Updates, Rows, Unlearned, Bounded) = (other.Updates, other.Rows, other.Unlearned, other.Bounded);
        (Begun, RowsBegun) = (Updates, Rows);
    }

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
        foreach (long count in (ReadOnlySpan<long>)[Unlearned, Bounded, Begun, RowsBegun]) writer.Write(count);
        writer.Write(BarrenUpdates);
        writer.Write(EffectiveRows);
        writer.Write(LastStepSize);
        Events.Save(writer);
    }

    /// <summary>Reads what <see cref="Save"/> wrote for the same model.</summary>
    /// <exception cref="InvalidDataException">It is of another shape.</exception>
    /// <param name="reader">The state.</param>
    /// <param name="model">The model.</param>
    /// <param name="hasCounts">Whether it has the counts of rows that were not learned from.</param>
    public static StepwiseState Load(BinaryReader reader, LatentModel model, bool hasCounts = true)
    {
        StepwiseState state = Of(model, reader.ReadDoubles(), reader.ReadDoubles(), reader.ReadDoubles());
        state.Updates = reader.ReadInt64();
        state.Rows = reader.ReadInt64();
        if (hasCounts)
            (state.Unlearned, state.Bounded, state.Begun, state.RowsBegun) =
                (reader.ReadInt64(), reader.ReadInt64(), reader.ReadInt64(), reader.ReadInt64());
        state.BarrenUpdates = reader.ReadInt32();
        state.EffectiveRows = reader.ReadDouble();
        state.LastStepSize = reader.ReadDouble();
        state.Events.Load(reader);
        return state;
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
