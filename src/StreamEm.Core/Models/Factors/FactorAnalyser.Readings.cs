namespace StreamEm.Core.Models.Factors;

/// <summary>What can be read off it.</summary>
internal sealed partial class FactorAnalyser
{
    /// <inheritdoc/>
    public override void Describe(ModelGraph graph, string record, IReadOnlyList<string> parents, string prefix = "")
    {
        string factors = graph.Add(new GraphVariable(record == "x" ? "f" : $"f {record}", GraphRole.Latent, []));
        IEnumerable<string> own = Components > 1 ? Parameters(graph, prefix, ParameterLayout.Blocks)
            : ParameterLayout.Blocks.Select(block => graph.Add(prefix + block.Name));
        graph.Add(new GraphVariable(record, GraphRole.Observed, [.. parents, factors, .. own]));
    }

    /// <inheritdoc/>
    /// <remarks>The factors of a component are known up to a rotation: q (q - 1) / 2 of its loadings say nothing.</remarks>
    public override int RedundantParameters => _loadingsAreFixed ? 0 : Components * (Factors * (Factors - 1) / 2);

    /// <inheritdoc/>
    /// <remarks>mu + W z + e.</remarks>
    public override void Sample(ReadOnlySpan<double> parameters, int component, RandomDraws draws, Span<double> row)
    {
        ReadOnlySpan<double> means = _means.Of(parameters), loadings = _loadings.Of(parameters), noise = _noise.Of(parameters);
        Span<double> factors = Factors <= 256 ? stackalloc double[Factors] : new double[Factors];
        for (int j = 0; j < factors.Length; j++) factors[j] = draws.Normal();
        for (int d = 0, at = component * Dimension; d < Dimension; d++, at++)
        {
            double value = Math.FusedMultiplyAdd(Math.Sqrt(noise[_isIsotropic ? component : at]), draws.Normal(), means[at]);
            for (int j = 0; j < factors.Length; j++) value = Math.FusedMultiplyAdd(loadings[at * Factors + j], factors[j], value);
            row[d] = value;
        }
    }

    /// <inheritdoc/>
    /// <remarks>W W' + Psi.</remarks>
    public override void Moments(ReadOnlySpan<double> parameters, int component, Span<double> mean, Span<double> covariance)
    {
        ReadOnlySpan<double> loadings = _loadings.Of(parameters).Slice(component * Dimension * Factors, Dimension * Factors);
        ReadOnlySpan<double> noise = _noise.Of(parameters);
        _means.Of(parameters).Slice(component * Dimension, Dimension).CopyTo(mean);
        for (int i = 0; i < Dimension; i++)
            for (int l = 0; l < Dimension; l++)
            {
                double sum = i == l ? noise[_isIsotropic ? component : component * Dimension + i] : 0;
                for (int j = 0; j < Factors; j++) sum = Math.FusedMultiplyAdd(loadings[i * Factors + j], loadings[l * Factors + j], sum);
                covariance[i * Dimension + l] = sum;
            }
    }
}
