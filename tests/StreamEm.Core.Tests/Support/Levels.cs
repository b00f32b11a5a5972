using StreamEm.Core.Data;
using StreamEm.Core.Features;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models;
using StreamEm.Core.Models.Emissions;
using StreamEm.Core.Models.Mixtures;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Tests.Support;

/// <summary>Options of <see cref="Levels"/>: a family that is nothing like a Gaussian, to hold the engine to knowing none.</summary>
internal sealed record LevelsOptions : EmissionOptions
{
    private static readonly EmissionEntry Own = new("levels", "levels of their own.", () => new LevelsOptions());

    public override EmissionEntry Entry => Own;

    public int MaxLevels { get; init; } = 4;

    /// <summary>Imaginary rows of every level of every feature of every component.</summary>
    public double Prior { get; init; }

    public static MixtureOptions Mixture(int components, int maxLevels = 4, double prior = 0) => new()
    {
        Entry = MixtureOptions.Shorthand(Own),
        Components = components,
        Emissions = EmissionParts.Of(new LevelsOptions { MaxLevels = maxLevels, Prior = prior }),
    };

    public override Feature Plan(string feature) => new(feature, FeatureKind.Level, FeatureScaling.None) { MaxLevels = MaxLevels };

    public override long RowsToStart(int components, int dimension) => components;

    public override Emission Create(IReadOnlyList<Feature> features, int components) =>
        new Levels(components, features.Count, Math.Max(1, features.Max(feature => feature.Levels.Count)), Prior);
}

/// <summary>
/// Features that are codes 0 .. L-1, independent given the component. Parameters <c>probabilities [K, D, L]</c>, statistics <c>level_masses
/// [K, D, L]</c>; a missing value is left out. M-step: p = (S + prior / n) / sum over the levels.
/// </summary>
/// <param name="components">K.</param>
/// <param name="dimension">D.</param>
/// <param name="levels">L.</param>
/// <param name="prior">Imaginary rows of every level.</param>
/// <param name="says">Whether a score has <c>likely [D]</c>: the probability of each value under the responsibilities, 0 where it is
/// missing.</param>
internal sealed class Levels(int components, int dimension, int levels, double prior = 0, bool says = false) : Emission
{
    public override int Dimension => dimension;

    public override int Components => components;

    public override VectorLayout ParameterLayout { get; } =
        new VectorLayout().Add("probabilities", Units.None, Domain.Simplex, components, dimension, levels);

    public override VectorLayout StatisticsLayout { get; } = new VectorLayout().Add("level_masses", components, dimension, levels);

    public override VectorLayout ScoreLayout { get; } =
        says ? new VectorLayout().Add("likely", Units.None, Domain.Probability, dimension) : new VectorLayout();

    public override EmissionEStep Prepare(ReadOnlyMemory<double> parameters, EmissionEStep? spent = null) =>
        new Prepared(this, parameters, levels);

    public override void Maximize(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> statistics, RowsWorth rows, ReadOnlySpan<double> previous, Span<double> result,
        ModelEvents events)
    {
        previous.CopyTo(result);
        for (int k = 0; k < components; k++)
        {
            if (!ComponentEvidence.IsEnough(masses[k], rows.Evidence, k, events, ComponentEvidence.Some)) continue;
            for (int d = 0; d < dimension; d++)
            {
                int first = (k * dimension + d) * levels;
                double total = 0;
                for (int l = 0; l < levels; l++) total += statistics[first + l] + prior / rows.Prior;
                for (int l = 0; l < levels && total > 0; l++) result[first + l] = (statistics[first + l] + prior / rows.Prior) / total;
            }
        }
    }

    public override void ImpliedStatistics(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> parameters, double effectiveRows, Span<double> result)
    {
        double imaginary = prior / effectiveRows;
        for (int at = 0; at < parameters.Length && at < result.Length; at++)
            result[at] = parameters[at] * (masses[at / (dimension * levels)] + levels * imaginary) - imaginary;
    }

    public override void Neutral(Span<double> result) => result[..ParameterLayout.Length].Fill(1.0 / levels);

    public override void Reseed(Span<double> parameters, int component, ReadOnlySpan<double> location, ReadOnlySpan<double> variances)
    {
        for (int d = 0; d < dimension; d++)
            for (int l = 0; l < levels; l++)
            {
                double own = double.IsNaN(location[d]) ? 0.5 / levels : (int)location[d] == l ? 0.5 : 0;
                parameters[(component * dimension + d) * levels + l] = 0.5 / levels + own;
            }
    }

    public override void Split(Span<double> parameters, int component, int other, ReadOnlySpan<double> units)
    {
        int size = dimension * levels;
        Span<double> one = parameters.Slice(component * size, levels), two = parameters.Slice(other * size, levels);
        double step = Math.Min(one[0], one[1]) / 2;
        (one[0], one[1], two[0], two[1]) = (one[0] + step, one[1] - step, two[0] - step, two[1] + step);
    }

    public override void Sample(ReadOnlySpan<double> parameters, int component, RandomDraws draws, Span<double> row)
    {
        for (int d = 0; d < dimension; d++) row[d] = draws.Category(parameters.Slice((component * dimension + d) * levels, levels));
    }

    private sealed class Prepared(Levels family, ReadOnlyMemory<double> parameters, int levels) : EmissionEStep
    {
        public override void LogDensities(RowBlock block, Span<double> logJoint)
        {
            for (int i = 0; i < block.Count; i++)
                for (int k = 0; k < family.Components; k++)
                    for (int d = 0; d < family.Dimension; d++)
                        if (!double.IsNaN(block.Row(i)[d]))
                            logJoint[k * RowBlock.Stride + i] += Math.Log(parameters.Span[Index(block, i, k, d)]);
        }

        public override void Accumulate(RowBlock block, ReadOnlySpan<double> responsibilities, Span<double> statistics)
        {
            for (int i = 0; i < block.Count; i++)
                for (int k = 0; k < family.Components; k++)
                    for (int d = 0; d < family.Dimension; d++)
                        if (!double.IsNaN(block.Row(i)[d])) statistics[Index(block, i, k, d)] += responsibilities[k * RowBlock.Stride + i];
        }

        public override void Score(RowBlock block, ReadOnlySpan<double> responsibilities, Span<double> scores, int width)
        {
            for (int i = 0; i < block.Count; i++)
                for (int d = 0; d < family.Dimension; d++)
                {
                    double sum = 0;
                    for (int k = 0; k < family.Components && !double.IsNaN(block.Row(i)[d]); k++)
                        sum += responsibilities[k * RowBlock.Stride + i] * parameters.Span[Index(block, i, k, d)];
                    scores[i * width + d] = sum;
                }
        }

        private int Index(RowBlock block, int row, int component, int feature) =>
            (component * family.Dimension + feature) * levels + (int)block.Row(row)[feature];
    }
}

/// <summary>Records of levels with known probabilities.</summary>
internal static class LevelRecords
{
    /// <summary>Codes of features with three levels, from three components that prefer one each.</summary>
    public static Minibatch Codes(int dimension, int count, ulong seed, double missing = 0)
    {
        var chance = new SplitMix64(seed);
        var batch = new Minibatch(dimension, count);
        double[] row = new double[dimension];
        for (int n = 0; n < count; n++)
        {
            int k = chance.NextInt32(3);
            for (int d = 0; d < dimension; d++)
            {
                double code = chance.NextDouble() < 0.7 ? (k + d) % 3 : chance.NextInt32(3);
                row[d] = chance.NextDouble() < missing ? double.NaN : code;
            }
            batch.Add(row, weight: 0.5 + chance.NextDouble());
        }
        return batch;
    }

    /// <summary>The same rows as a source delivers them: numbers of the texts <c>a</c>, <c>b</c>, <c>c</c>.</summary>
    public static Minibatch Texts(Minibatch codes)
    {
        var texts = new TextTable();
        var batch = new Minibatch(codes.Dimension, codes.Count, texts, [.. Enumerable.Range(0, codes.Dimension)]);
        for (int row = 0; row < codes.Count; row++)
        {
            IEnumerable<double> numbers = codes.Row(row).ToArray()
                .Select(code => double.IsNaN(code) ? code : texts.Number("abc"[(int)code].ToString()));
            batch.Add([.. numbers], codes.Weight(row));
        }
        return batch;
    }
}
