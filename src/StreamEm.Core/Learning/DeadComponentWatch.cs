using StreamEm.Core.Data;
using StreamEm.Core.Estimation;
using StreamEm.Core.Models;

namespace StreamEm.Core.Learning;

/// <summary>
/// Watches for components that have lost their weight. One whose share has been worth less than D + 1 observations, or less than 1/1000 of
/// 1/K, for 50 updates is dead: it starts anew at the row of the minibatch that the model explains worst, or is kept, by policy.
/// </summary>
internal sealed class DeadComponentWatch(LatentModel model, DeadComponents policy)
{
    /// <summary>Updates without weight after which a component is dead.</summary>
    private const int DeadUpdates = 50;

    /// <summary>The share of 1/K below which it counts as without.</summary>
    private const double DeadShare = 1e-3;

    private ComponentModel? _model = model as ComponentModel;
    private readonly int[] _starved = new int[(model as ComponentModel)?.Components ?? 0];

    /// <summary>Goes on with the model in other units.</summary>
    public void Follow(LatentModel model) => _model = model as ComponentModel;

    /// <summary>Begins anew: components have been moved.</summary>
    public void Begin() => Array.Clear(_starved);

    /// <summary>Looks at the shares after an update from <paramref name="rows"/>, whose log-densities are given.</summary>
    /// <param name="state">Where the model stands.</param>
    /// <param name="rows">The rows, inside.</param>
    /// <param name="logDensities">Their log-densities.</param>
    /// <param name="bound">What rows were held back by, where no component starts anew.</param>
    public void Look(StepwiseState state, Minibatch rows, double[] logDensities, InfluenceBound? bound)
    {
        if (_model is null || _starved.Length < 2) return;
        for (int k = 0; k < _starved.Length; k++)
        {
            double share = state.Shares[k];
            bool starved = share * state.EffectiveRows < _model.Dimension + 1 || share < DeadShare / _starved.Length;
            _starved[k] = starved ? _starved[k] + 1 : 0;
            if (_starved[k] < DeadUpdates) continue;
            int worst = Worst(rows, logDensities, bound);
            if (policy == DeadComponents.Keep || !_model.CanReseed || worst < 0)
            {
                state.Events.Add(ModelEventKind.Dead, k, share);
                continue;
            }
            StepwiseEm.Reseed(state, _model, k, rows.Row(worst));
            logDensities = (double[])logDensities.Clone();
            logDensities[worst] = double.NaN;
            _starved[k] = 0;
        }
    }

    /// <summary>Writes for how many updates each component has been without weight.</summary>
    public void Save(BinaryWriter writer)
    {
        foreach (int updates in _starved) writer.Write(updates);
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    public void Load(BinaryReader reader)
    {
        for (int k = 0; k < _starved.Length; k++)
            if ((_starved[k] = reader.ReadInt32()) < 0)
                throw new InvalidDataException("A component's updates without weight are below 0.");
    }

    /// <summary>The row with the lowest finite log-density that is learned from; -1 where there is none.</summary>
    public static int Worst(Minibatch rows, double[] logDensities, InfluenceBound? bound)
    {
        int worst = -1;
        for (int row = 0; row < rows.Count; row++)
            if (double.IsFinite(logDensities[row]) && rows.Weight(row) > 0 && bound?.IsHeld(row) != true
                && (worst < 0 || logDensities[row] < logDensities[worst])) worst = row;
        return worst;
    }
}
