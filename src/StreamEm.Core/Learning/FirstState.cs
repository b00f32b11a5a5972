using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Features;
using StreamEm.Core.Models;

namespace StreamEm.Core.Learning;

/// <summary>Reads the state that release 0.1.0 wrote, which knew numbers only: the worker goes on where that release stopped.</summary>
internal static class FirstState
{
    /// <summary>Adds the rows pending.</summary>
    public static void ReadMinibatch(BinaryReader reader, Minibatch batch)
    {
        double[] values = reader.ReadDoubles(), weights = reader.ReadDoubles(), targets = reader.ReadDoubles();
        int[] labels = reader.ReadArray<int>();
        StateBinary.RequireColumns(values.Length / batch.Dimension, weights.Length, targets.Length, labels.Length);
        for (int row = 0; row < values.Length / batch.Dimension; row++)
            batch.Add(
                values.AsSpan(row * batch.Dimension, batch.Dimension),
                weights.Length > 0 ? weights[row] : 1,
                labels.Length > 0 ? labels[row] : Minibatch.Unlabelled,
                targets.Length > 0 ? targets[row] : double.NaN);
    }

    /// <summary>Reads what there was once there were parameters.</summary>
    public static LearnerCore ReadCore(
        BinaryReader reader, LatentModelOptions options, FeatureSpace plan, LearningOptions learning, int threads)
    {
        double[] location = reader.ReadDoubles(), scale = reader.ReadDoubles(), variances = reader.ReadDoubles();
        if (variances.Length != plan.Dimension)
            throw new InvalidDataException($"The state has {variances.Length} variances; expected {plan.Dimension}.");
        FeatureSpace space = plan.WithScales(location, scale).WithVariances(variances);
        LatentModel model = options.Create(space);
        double[] parameters = reader.ReadDoubles(), statistics = reader.ReadDoubles(),
            shares = new double[(model as ComponentModel)?.Components ?? 0];
        if (parameters.Length == model.ParameterLayout.Length) (model as ComponentModel)?.Shares(parameters, shares);
        StepwiseState state = StepwiseState.Of(model, parameters, statistics, shares);
        state.Updates = reader.ReadInt64();
        state.Rows = reader.ReadInt64();
        state.Weight = double.NaN;
        state.EffectiveRows = reader.ReadDouble();
        state.LastStepSize = reader.ReadDouble();
        var core = new LearnerCore(options, learning, model, space, state, threads);
        core.LoadReport(reader);
        core.Watch.Load(reader);
        state.Events.Load(reader, shares.Length);
        core.Check();
        return core;
    }
}
