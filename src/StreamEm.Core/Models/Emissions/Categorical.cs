using StreamEm.Core.Features;
using StreamEm.Core.Settings;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models.Emissions;

/// <summary>Components of independent categorical features.</summary>
internal sealed record CategoricalOptions : EmissionOptions
{
    /// <summary>The family in the catalogue.</summary>
    public static EmissionEntry Catalogued { get; } = new(
        "categorical",
        "K sets of independent categorical features, each with its own levels; clusters of states, codes, answers.",
        () => new CategoricalOptions(),
        new Setting<CategoricalOptions, int>(
            "max_levels", new IntegerKind(2, 65_536), o => o.MaxLevels, (o, v) => o with { MaxLevels = v },
            "The most levels of a feature; a value beyond them counts as missing."),
        PriorSetting.Of<CategoricalOptions>(o => o.Prior, (o, v) => o with { Prior = v }));

    /// <inheritdoc/>
    public override EmissionEntry Entry => Catalogued;

    /// <summary>The most levels of a feature.</summary>
    public int MaxLevels { get; init; } = 256;

    /// <summary>Dirichlet(2) on every feature's levels, or nothing.</summary>
    public Prior Prior { get; init; }

    /// <inheritdoc/>
    public override Feature Plan(string feature) => new(feature, FeatureKind.Level, FeatureScaling.None) { MaxLevels = MaxLevels };

    /// <inheritdoc/>
    public override EmissionOptions WithoutPrior() => this with { Prior = Prior.None };

    /// <inheritdoc/>
    public override long RowsToStart(int components, int dimension) => 2L * components;

    /// <inheritdoc/>
    public override Emission Create(IReadOnlyList<Feature> features, int components) => new Categorical(components, features, Prior);
}

/// <summary>
/// Independent categorical features: log p(x given z = k) = sum_f log p_kf(x_f), x_f the code of a level. Parameters:
/// <c>probabilities.FEATURE [K, L]</c> for every feature. Statistics (averages): <c>counts.FEATURE [K, L]</c> = r where the level is
/// observed. M-step: p = (C + a / n) / (sum C + L a / n), a = 1 the Dirichlet prior's imaginary row a level (Laplace), n = n_eff. A missing
/// value is left out of its feature's counts, which is exact here.
/// </summary>
internal sealed class Categorical : Emission
{
    private readonly int[] _levels;
    private readonly double _priorRows;

    /// <summary>K components over features whose levels are known.</summary>
    public Categorical(int components, IReadOnlyList<Feature> features, Prior prior)
    {
        Components = components;
        _priorRows = prior == Prior.None ? 0 : 1;
        // A feature that had no value yet has one level, which it always has.
        _levels = [.. features.Select(feature => Math.Max(1, feature.Levels.Count))];
        (ParameterLayout, StatisticsLayout) = (new VectorLayout(), new VectorLayout());
        for (int f = 0; f < _levels.Length; f++)
        {
            ParameterLayout.Add(
                new VectorBlock($"probabilities.{features[f].Name}", 0, [components, _levels[f]],
                    Coordinates.Linear)
                { Domain = Domain.Simplex });
            StatisticsLayout.Add($"counts.{features[f].Name}", components, _levels[f]);
        }
    }

    /// <inheritdoc/>
    public override int Dimension => _levels.Length;

    /// <inheritdoc/>
    public override int Components { get; }

    /// <inheritdoc/>
    public override VectorLayout ParameterLayout { get; }

    /// <inheritdoc/>
    public override VectorLayout StatisticsLayout { get; }

    /// <inheritdoc/>
    public override bool HasIndependentFeatures => true;

    /// <inheritdoc/>
    public override EmissionEStep Prepare(ReadOnlyMemory<double> parameters, EmissionEStep? spent = null)
    {
        var result = spent as CategoricalEStep ?? new CategoricalEStep(Components, _levels);
        result.Set(parameters.Span);
        return result;
    }

    /// <inheritdoc/>
    public override void Maximize(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> statistics, RowsWorth rows, ReadOnlySpan<double> previous, Span<double> result,
        ModelEvents events)
    {
        previous.CopyTo(result);
        for (int k = 0; k < Components; k++)
        {
            if (!ComponentEvidence.IsEnough(masses[k], rows.Evidence, k, events, ComponentEvidence.Some)) continue;
            for (int f = 0; f < _levels.Length; f++)
            {
                ReadOnlySpan<double> counts = Of(StatisticsLayout, f, k, statistics);
                Span<double> probabilities = Of(ParameterLayout, f, k, result);
                double total = 0;
                foreach (double count in counts) total += count;
                if (total * rows.Evidence < ComponentEvidence.Some) continue;
                double imaginary = _priorRows / rows.Prior;
                for (int level = 0; level < counts.Length; level++)
                    probabilities[level] = (counts[level] + imaginary) / (total + counts.Length * imaginary);
            }
        }
    }

    /// <inheritdoc/>
    public override void ImpliedStatistics(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> parameters, double effectiveRows, Span<double> result)
    {
        double imaginary = _priorRows / effectiveRows;
        for (int f = 0; f < _levels.Length; f++)
            for (int k = 0; k < Components; k++)
            {
                ReadOnlySpan<double> probabilities = Of(ParameterLayout, f, k, parameters);
                Span<double> counts = Of(StatisticsLayout, f, k, result);
                for (int level = 0; level < counts.Length; level++)
                    counts[level] = probabilities[level] * (masses[k] + counts.Length * imaginary) - imaginary;
            }
    }

    /// <inheritdoc/>
    public override bool HasGradient => true;

    /// <inheritdoc/>
    public override void Gradient(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> statistics, ReadOnlySpan<double> parameters, Span<double> result)
    {
        for (int at = 0; at < parameters.Length; at++) result[at] = parameters[at] > 0 ? statistics[at] / parameters[at] : 0;
    }

    /// <inheritdoc/>
    public override void Neutral(Span<double> result)
    {
        for (int f = 0; f < _levels.Length; f++) ParameterLayout.Blocks[f].Of(result).Fill(1.0 / _levels[f]);
    }

    /// <inheritdoc/>
    /// <remarks>Half of the probability goes to the location's level, half to all.</remarks>
    public override void Reseed(Span<double> parameters, int component, ReadOnlySpan<double> location, ReadOnlySpan<double> variances)
    {
        for (int f = 0; f < _levels.Length; f++)
        {
            if (double.IsNaN(location[f])) continue;
            Span<double> probabilities = Of(ParameterLayout, f, component, parameters);
            probabilities.Fill(0.5 / _levels[f]);
            probabilities[(int)location[f]] += 0.5;
        }
    }

    /// <inheritdoc/>
    /// <remarks>In the feature whose levels are the most even.</remarks>
    public override void Split(Span<double> parameters, int component, int other, ReadOnlySpan<double> units)
    {
        int widest = 0;
        double evenness = double.NegativeInfinity;
        for (int f = 0; f < _levels.Length; f++)
        {
            double squares = 0;
            foreach (double value in Of(ParameterLayout, f, component, parameters)) squares += value * value;
            if (1 - squares > evenness) (widest, evenness) = (f, 1 - squares);
        }
        Simplex.MoveApart(Of(ParameterLayout, widest, component, parameters), Of(ParameterLayout, widest, other, parameters));
    }

    /// <inheritdoc/>
    public override void Sample(ReadOnlySpan<double> parameters, int component, RandomDraws draws, Span<double> row)
    {
        for (int f = 0; f < _levels.Length; f++) row[f] = draws.Category(Of(ParameterLayout, f, component, parameters));
    }

    /// <inheritdoc/>
    public override double Divergence(ReadOnlySpan<double> from, int component, Emission other, ReadOnlySpan<double> to, int reached)
    {
        if (other is not Categorical family || !family._levels.AsSpan().SequenceEqual(_levels)) return double.NaN;
        double sum = 0;
        for (int f = 0; f < _levels.Length; f++)
            sum += Simplex.Divergence(
                Of(ParameterLayout, f, component, from), family.Of(family.ParameterLayout, f, reached, to));
        return sum;
    }

    private Span<double> Of(VectorLayout layout, int feature, int component, Span<double> vector) =>
        layout.Blocks[feature].Of(vector).Slice(component * _levels[feature], _levels[feature]);

    private ReadOnlySpan<double> Of(VectorLayout layout, int feature, int component, ReadOnlySpan<double> vector) =>
        layout.Blocks[feature].Of(vector).Slice(component * _levels[feature], _levels[feature]);
}
