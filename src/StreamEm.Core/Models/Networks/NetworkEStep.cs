using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Networks;

/// <summary>The E-step of a network under fixed tables.</summary>
internal sealed class NetworkEStep : EStep
{
    private readonly Network _network;
    private readonly int[] _starts;
    private readonly ReadOnlyMemory<double> _tables;
    private readonly double[] _logs;
    private readonly int _width;

    /// <summary>Takes tables.</summary>
    public NetworkEStep(Network network, int[] starts, ReadOnlyMemory<double> tables)
    {
        (_network, _starts, _tables, _logs) = (network, starts, tables, new double[tables.Length]);
        for (int at = 0; at < _logs.Length; at++) _logs[at] = ScalarMath.Log(tables.Span[at]);
        foreach (NetworkNode node in network.Nodes) _width += node.States;
    }

    /// <inheritdoc/>
    public override Workspace CreateWorkspace() => new Scratch(new NetworkInference(_network, _starts));

    /// <inheritdoc/>
    public override Evidence Accumulate(
        Minibatch batch, int first, int count, Span<double> statistics, Span<double> logDensities, Workspace workspace)
    {
        NetworkInference inference = ((Scratch)workspace).Inference;
        double weights = 0, logLikelihood = 0, entropy = 0;
        for (int row = 0; row < count; row++)
        {
            double logDensity = logDensities[row] = Infer(inference, batch.Row(first + row)), weight = batch.Weight(first + row);
            if (!double.IsFinite(logDensity)) continue;
            double energy = inference.AddFamilies(_logs, weight, statistics);
            weights += weight;
            logLikelihood = Math.FusedMultiplyAdd(weight, logDensity, logLikelihood);
            if (inference.HasUnobserved)
                entropy += weight * Math.Max(0, logDensity - energy - inference.LogObserved(_logs));
        }
        CompareAsTheyAre(batch, first, count, logDensities, workspace);
        return new Evidence(weights, logLikelihood) { Entropy = entropy };
    }

    /// <inheritdoc/>
    public override void Score(
        Minibatch batch, int first, int count, Span<double> logDensities, Span<double> scores, Workspace workspace)
    {
        NetworkInference inference = ((Scratch)workspace).Inference;
        for (int row = 0; row < count; row++)
        {
            ReadOnlySpan<double> values = batch.Row(first + row);
            logDensities[row] = Infer(inference, values);
            if (scores.IsEmpty) continue;
            Span<double> score = scores.Slice(row * _width, _width);
            // What cannot be, or not be worked out, leaves nothing to say of the nodes.
            bool isKnown = double.IsFinite(logDensities[row])
                || (!values.ContainsAnyExcept(double.NaN) && inference.See(values) && double.IsFinite(inference.Infer(_tables.Span)));
            if (isKnown) inference.Marginals(score);
            else score.Fill(double.NaN);
        }
        CompareAsTheyAre(batch, first, count, logDensities, workspace);
    }

    /// <summary>log p of a row; NaN for one without values, and where the tables would be too large.</summary>
    private double Infer(NetworkInference inference, ReadOnlySpan<double> row) =>
        row.ContainsAnyExcept(double.NaN) && inference.See(row) ? inference.Infer(_tables.Span) : double.NaN;

    private sealed class Scratch(NetworkInference inference) : Workspace
    {
        public NetworkInference Inference => inference;
    }
}
