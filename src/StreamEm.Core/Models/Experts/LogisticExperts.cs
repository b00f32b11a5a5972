using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models.Experts;

/// <summary>
/// K experts that classify: P(y = c given x) = softmax(U_k [1, x])_c, the last column y a class's code. Parameters: <c>coefficients [K, C,
/// D + 1]</c> = U, the last class's row 0. Statistics (averages, weighted by responsibilities): what one Newton step of each expert is made
/// of (<see cref="SoftmaxNewton"/>).
/// </summary>
internal sealed class LogisticExperts : Emission
{
    private readonly VectorBlock _coefficients;
    private readonly SoftmaxNewton _newton;
    private readonly double _precision;

    /// <summary>K experts over the columns of a row.</summary>
    /// <param name="components">K.</param>
    /// <param name="dimension">Columns: the features and the class.</param>
    /// <param name="classes">C.</param>
    /// <param name="precision">Of the coefficients' normal prior; 0 for none.</param>
    public LogisticExperts(int components, int dimension, int classes, double precision)
    {
        (Components, Dimension, Classes, _precision) = (components, dimension, classes, precision);
        _newton = new SoftmaxNewton(classes, dimension);
        ParameterLayout = new VectorLayout().Add("coefficients", Units.Logits, Domain.Real, components, classes, dimension);
        StatisticsLayout = new VectorLayout().Add("newton", components, _newton.Length);
        ScoreLayout = new VectorLayout().Add("class_probabilities", Units.None, Domain.Simplex, classes);
        _coefficients = ParameterLayout["coefficients"];
    }

    /// <inheritdoc/>
    public override int Dimension { get; }

    /// <inheritdoc/>
    public override int Components { get; }

    /// <summary>C.</summary>
    public int Classes { get; }

    /// <inheritdoc/>
    public override VectorLayout ParameterLayout { get; }

    /// <inheritdoc/>
    public override VectorLayout StatisticsLayout { get; }

    /// <inheritdoc/>
    public override VectorLayout ScoreLayout { get; }

    /// <inheritdoc/>
    public override int RedundantParameters => Components * Dimension;

    /// <inheritdoc/>
    public override EmissionEStep Prepare(ReadOnlyMemory<double> parameters, EmissionEStep? spent = null)
    {
        var result = spent as LogisticExpertsEStep ?? new LogisticExpertsEStep(Components, _newton);
        result.Set(_coefficients.Of(parameters.Span));
        return result;
    }

    /// <inheritdoc/>
    /// <remarks>Newton steps.</remarks>
    public override EmSteps Steps => EmSteps.Generalized;

    /// <inheritdoc/>
    public override void Summarize(ReadOnlySpan<double> masses, Span<double> averages, ReadOnlySpan<double> parameters)
    {
        for (int k = 0; k < Components; k++) _newton.Aim(OfExpert(parameters, k), averages.Slice(k * _newton.Length, _newton.Length));
    }

    /// <inheritdoc/>
    public override void Maximize(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> statistics, RowsWorth rows, ReadOnlySpan<double> previous, Span<double> result,
        ModelEvents events)
    {
        previous.CopyTo(result);
        int each = Classes * Dimension;
        for (int k = 0; k < Components; k++)
            if (ComponentEvidence.IsEnough(masses[k], rows.Evidence, k, events))
                _newton.Take(
                    statistics.Slice(k * _newton.Length, _newton.Length), _precision / rows.Prior, result.Slice(k * each, each));
    }

    /// <inheritdoc/>
    public override void ImpliedStatistics(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> parameters, double effectiveRows, Span<double> result)
    {
        for (int k = 0; k < Components; k++)
            _newton.Imply(
                OfExpert(parameters, k), _precision / effectiveRows, masses[k], result.Slice(k * _newton.Length, _newton.Length));
    }

    /// <inheritdoc/>
    public override void Neutral(Span<double> result) => result.Clear();

    /// <inheritdoc/>
    /// <remarks>For the class there, twice as probable as any other.</remarks>
    public override void Reseed(Span<double> parameters, int component, ReadOnlySpan<double> location, ReadOnlySpan<double> variances)
    {
        Span<double> own = parameters.Slice(component * Classes * Dimension, Classes * Dimension);
        own.Clear();
        if (double.IsNaN(location[^1])) return;
        int favoured = (int)location[^1];
        double odds = ScalarMath.Log(2);
        if (favoured < Classes - 1) own[favoured * Dimension] = odds;
        else for (int c = 0; c < Classes - 1; c++) own[c * Dimension] = -odds;
    }

    /// <inheritdoc/>
    /// <remarks>The first class a little less, and a little more, probable.</remarks>
    public override void Split(Span<double> parameters, int component, int other, ReadOnlySpan<double> units)
    {
        parameters[component * Classes * Dimension] -= 0.5;
        parameters[other * Classes * Dimension] += 0.5;
    }

    /// <inheritdoc/>
    /// <exception cref="NotSupportedException">The features are conditioned on, not drawn.</exception>
    public override void Sample(ReadOnlySpan<double> parameters, int component, RandomDraws draws, Span<double> row) =>
        throw new NotSupportedException("Experts predict a target; the features it is predicted from cannot be drawn.");

    /// <inheritdoc/>
    /// <remarks>Coefficients have nothing to be told of.</remarks>
    public override void Health(ReadOnlySpan<double> parameters, IDictionary<string, double> facts)
    {
    }

    private ReadOnlySpan<double> OfExpert(ReadOnlySpan<double> parameters, int component) =>
        parameters.Slice(component * Classes * Dimension, Classes * Dimension);
}
