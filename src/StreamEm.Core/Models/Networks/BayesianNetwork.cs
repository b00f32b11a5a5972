using StreamEm.Core.Data;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models.Networks;

/// <summary>
/// A Bayesian network of discrete nodes: p(x) = sum over what is hidden or missing of prod_v P(x_v given its parents). Parameters:
/// <c>probabilities.NODE [parents' states ..., states]</c> for every node. E-step: the posterior of every family - a node and its parents -
/// given what the record holds, exactly (<see cref="NetworkInference"/>). Statistics (averages): <c>counts.NODE</c> of the same shape.
/// M-step: each table normalised for every state of the parents, with the BDeu prior's a / (states x parents' states) imaginary records in
/// every entry, worth 1 / n_eff each (Lauritzen 1995; Heckerman, Geiger &amp; Chickering 1995). A state of the parents that never came
/// keeps what it has.
/// </summary>
internal sealed class BayesianNetwork : LatentModel
{
    /// <summary>The share of the stream that a state of the parents has at least, where statistics are made of parameters.</summary>
    private const double LeastShare = 1e-6;

    private readonly double _imaginary;
    private readonly int[] _starts;

    /// <summary>A network whose nodes' states are known.</summary>
    /// <param name="type">The name in the catalogue.</param>
    /// <param name="network">The nodes: features, then hidden ones.</param>
    /// <param name="dimension">Number of features.</param>
    /// <param name="imaginary">a of the BDeu prior; 0 for maximum likelihood.</param>
    public BayesianNetwork(string type, Network network, int dimension, double imaginary)
    {
        (Type, Network, Dimension, _imaginary) = (type, network, dimension, imaginary);
        (ParameterLayout, StatisticsLayout, ScoreLayout) = (new VectorLayout(), new VectorLayout(), new VectorLayout());
        for (int node = 0; node < network.Nodes.Count; node++)
        {
            NetworkNode described = network.Nodes[node];
            int[] shape = [.. network.Members[node].Select(member => network.Nodes[member].States)];
            ParameterLayout.Add(new VectorBlock($"probabilities.{described.Name}", 0, shape, Coordinates.Linear)
            {
                Domain = Domain.Simplex,
                Entries = described.Levels,
                RowName = described.Parents.Count == 0 ? null : row => network.NameParents(described, row),
            });
            StatisticsLayout.Add($"counts.{described.Name}", shape);
            ScoreLayout.Add($"marginals.{described.Name}", Units.None, Domain.Simplex, described.States);
        }
        _starts = [.. ParameterLayout.Blocks.Select(block => block.Offset)];
    }

    /// <inheritdoc/>
    public override string Type { get; }

    /// <summary>The nodes.</summary>
    public Network Network { get; }

    /// <inheritdoc/>
    public override int Dimension { get; }

    /// <inheritdoc/>
    /// <remarks>The network itself; every node's table goes without saying.</remarks>
    public override ModelGraph Graph
    {
        get
        {
            var graph = new ModelGraph();
            foreach (int at in Network.Order)
            {
                NetworkNode node = Network.Nodes[at];
                graph.Add(new GraphVariable(node.Name, node.IsHidden ? GraphRole.Latent : GraphRole.Observed,
                    [.. node.Parents.Select(parent => Network.Nodes[parent].Name)]));
            }
            return graph;
        }
    }

    /// <inheritdoc/>
    public override VectorLayout ParameterLayout { get; }

    /// <inheritdoc/>
    public override VectorLayout StatisticsLayout { get; }

    /// <inheritdoc/>
    public override VectorLayout ScoreLayout { get; }

    /// <inheritdoc/>
    public override bool CanSample => true;

    /// <inheritdoc/>
    public override EStep Prepare(ReadOnlyMemory<double> parameters, EStep? spent = null) =>
        new NetworkEStep(Network, _starts, parameters);

    /// <inheritdoc/>
    public override void Maximize(
        ReadOnlySpan<double> statistics, RowsWorth rows, ReadOnlySpan<double> previous, Span<double> result, ModelEvents events)
    {
        previous.CopyTo(result);
        foreach (VectorBlock block in ParameterLayout.Blocks)
        {
            int states = block.Shape[^1];
            double imaginary = Imaginary(block, rows.Prior);
            for (int at = block.Offset; at < block.Offset + block.Length; at += states)
            {
                ReadOnlySpan<double> counts = statistics.Slice(at, states);
                double total = 0;
                foreach (double count in counts) total += count;
                if (total * rows.Evidence < ComponentEvidence.Some) continue;
                for (int state = 0; state < states; state++)
                    result[at + state] = (counts[state] + imaginary) / (total + states * imaginary);
            }
        }
        KeepFixed(previous, result);
    }

    /// <inheritdoc/>
    /// <remarks>The families' probabilities under these parameters, where they can be had; else as if the parents' states were
    /// even.</remarks>
    public override void ImpliedStatistics(ReadOnlySpan<double> parameters, double effectiveRows, Span<double> result)
    {
        result.Clear();
        var inference = new NetworkInference(Network, _starts);
        bool isExact = inference.See([]);
        if (isExact)
        {
            inference.Infer(parameters);
            inference.AddFamilies(parameters, 1, result);
        }
        foreach (VectorBlock block in ParameterLayout.Blocks)
        {
            int states = block.Shape[^1];
            double imaginary = Imaginary(block, effectiveRows), even = (double)states / block.Length;
            for (int at = block.Offset; at < block.Offset + block.Length; at += states)
            {
                double share = 0;
                for (int state = 0; state < states; state++) share += result[at + state];
                share = isExact ? Math.Max(share, LeastShare) : even;
                for (int state = 0; state < states; state++)
                    result[at + state] = parameters[at + state] * (share + states * imaginary) - imaginary;
            }
        }
    }

    /// <inheritdoc/>
    public override bool HasGradient => true;

    /// <inheritdoc/>
    public override void Gradient(ReadOnlySpan<double> averages, ReadOnlySpan<double> parameters, Span<double> result) =>
        Slopes(averages, parameters, result);

    /// <inheritdoc/>
    public override void Neutral(Span<double> result)
    {
        foreach (VectorBlock block in ParameterLayout.Blocks) block.Of(result).Fill(1.0 / block.Shape[^1]);
    }

    /// <inheritdoc/>
    /// <remarks>Every table is drawn about how often the levels come, so that hidden nodes' states begin apart.</remarks>
    public override double[] Start(Minibatch buffer, ModelStart start) => start.Best(this, buffer, chance =>
    {
        double[] theta = new double[ParameterLayout.Length];
        for (int node = 0; node < Network.Nodes.Count; node++)
        {
            VectorBlock block = ParameterLayout.Blocks[node];
            double[] often = Frequencies(buffer, node);
            Span<double> table = block.Of(theta.AsSpan());
            for (int at = 0; at < table.Length; at += often.Length)
            {
                double total = 0;
                for (int state = 0; state < often.Length; state++)
                    total += table[at + state] = often[state] * (0.25 + chance.NextDouble());
                for (int state = 0; state < often.Length; state++) table[at + state] /= total;
            }
        }
        return theta;
    });

    /// <inheritdoc/>
    public override void Sample(ReadOnlySpan<double> parameters, RandomDraws draws, ref int state, Span<double> row)
    {
        Span<int> drawn = Network.Nodes.Count <= 256 ? stackalloc int[Network.Nodes.Count] : new int[Network.Nodes.Count];
        foreach (int node in Network.Order)
        {
            int at = _starts[node];
            int[] members = Network.Members[node];
            for (int axis = 0; axis < members.Length - 1; axis++) at += drawn[members[axis]] * Network.Strides[node][axis];
            drawn[node] = draws.Category(parameters.Slice(at, Network.Nodes[node].States));
        }
        for (int d = 0; d < row.Length; d++) row[d] = drawn[d];
        state = 0;
    }

    private double Imaginary(VectorBlock block, double rows) => _imaginary / block.Length / rows;

    /// <summary>How often the states of a node come; even for a hidden one.</summary>
    private double[] Frequencies(Minibatch rows, int node)
    {
        double[] often = new double[Network.Nodes[node].States];
        Array.Fill(often, 1);
        for (int row = 0; row < rows.Count && node < Dimension; row++)
            if (rows.Row(row)[node] is var code && !double.IsNaN(code))
                often[Math.Clamp((int)code, 0, often.Length - 1)] += rows.Weight(row);
        return often;
    }
}
