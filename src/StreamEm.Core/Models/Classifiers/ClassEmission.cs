using StreamEm.Core.Features;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Models.Classifiers;

/// <summary>
/// The components of all classes, those of a class one after another: component k is component k mod K of class k / K, and every class has
/// parameters of its own. The blocks of a class begin with its name: <c>setosa.means</c>.
/// </summary>
internal sealed class ClassEmission : Emission
{
    private readonly Emission[] _classes;
    private readonly string[] _names;
    private readonly int _parameters, _statistics;

    /// <summary>Classes of as many components each, of the same families.</summary>
    /// <param name="names">The classes' names.</param>
    /// <param name="classes">Their components.</param>
    public ClassEmission(IReadOnlyList<string> names, IReadOnlyList<Emission> classes)
    {
        (_names, _classes, OfClass) = ([.. names], [.. classes], classes[0].Components);
        (_parameters, _statistics) = (classes[0].ParameterLayout.Length, classes[0].StatisticsLayout.Length);
        (ParameterLayout, StatisticsLayout) = (new VectorLayout(), new VectorLayout());
        foreach ((string name, Emission of) in names.Zip(classes))
        {
            ParameterLayout.Append(of.ParameterLayout, $"{name}.");
            StatisticsLayout.Append(of.StatisticsLayout, $"{name}.");
        }
    }

    /// <summary>Components of a class.</summary>
    public int OfClass { get; }

    /// <inheritdoc/>
    public override int Dimension => _classes[0].Dimension;

    /// <inheritdoc/>
    public override int Components => _classes.Length * OfClass;

    /// <inheritdoc/>
    public override VectorLayout ParameterLayout { get; }

    /// <inheritdoc/>
    public override VectorLayout StatisticsLayout { get; }

    /// <summary>The components of a class.</summary>
    public Emission Of(int number) => _classes[number];

    /// <summary>A class's part of the parameters.</summary>
    public Span<double> Parameters(Span<double> all, int number) => all.Slice(number * _parameters, _parameters);

    /// <inheritdoc/>
    public override void Hold(IReadOnlyCollection<string> blocks)
    {
        foreach ((string name, Emission of) in _names.Zip(_classes))
            of.Hold([.. blocks.Where(block => block.StartsWith($"{name}.", StringComparison.Ordinal))
                .Select(block => block[(name.Length + 1)..])]);
    }

    /// <inheritdoc/>
    public override void Describe(ModelGraph graph, string record, IReadOnlyList<string> parents, string prefix = "") =>
        _classes[0].Describe(graph, record, parents, prefix);

    /// <inheritdoc/>
    public override EmSteps Steps => _classes[0].Steps;

    /// <inheritdoc/>
    public override void Summarize(ReadOnlySpan<double> masses, Span<double> averages, ReadOnlySpan<double> parameters)
    {
        for (int c = 0; c < _classes.Length; c++)
            _classes[c].Summarize(masses.Slice(c * OfClass, OfClass), averages.Slice(c * _statistics, _statistics),
                parameters.Slice(c * _parameters, _parameters));
    }

    /// <inheritdoc/>
    public override EmissionEStep Prepare(ReadOnlyMemory<double> parameters, EmissionEStep? spent = null)
    {
        var result = spent as ClassEmissionEStep ?? new ClassEmissionEStep(_classes.Length, OfClass, _statistics);
        for (int c = 0; c < _classes.Length; c++)
            result.Set(c, _classes[c].Prepare(parameters.Slice(c * _parameters, _parameters), result.Of(c)));
        return result;
    }

    /// <inheritdoc/>
    public override void Maximize(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> statistics, RowsWorth rows, ReadOnlySpan<double> previous, Span<double> result,
        ModelEvents events)
    {
        for (int c = 0; c < _classes.Length; c++)
        {
            int met = events.All.Count;
            _classes[c].Maximize(masses.Slice(c * OfClass, OfClass), statistics.Slice(c * _statistics, _statistics), rows,
                previous.Slice(c * _parameters, _parameters), result.Slice(c * _parameters, _parameters), events);
            events.Renumber(met, c * OfClass);
        }
    }

    /// <inheritdoc/>
    public override void ImpliedStatistics(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> parameters, double effectiveRows, Span<double> result)
    {
        for (int c = 0; c < _classes.Length; c++)
            _classes[c].ImpliedStatistics(masses.Slice(c * OfClass, OfClass), parameters.Slice(c * _parameters, _parameters),
                effectiveRows, result.Slice(c * _statistics, _statistics));
    }

    /// <inheritdoc/>
    public override bool HasGradient => _classes[0].HasGradient;

    /// <inheritdoc/>
    public override void Gradient(
        ReadOnlySpan<double> masses, ReadOnlySpan<double> statistics, ReadOnlySpan<double> parameters, Span<double> result)
    {
        for (int c = 0; c < _classes.Length; c++)
            _classes[c].Gradient(masses.Slice(c * OfClass, OfClass), statistics.Slice(c * _statistics, _statistics),
                parameters.Slice(c * _parameters, _parameters), result.Slice(c * _parameters, _parameters));
    }

    /// <inheritdoc/>
    public override void Neutral(Span<double> result)
    {
        for (int c = 0; c < _classes.Length; c++) _classes[c].Neutral(Parameters(result, c));
    }

    /// <inheritdoc/>
    public override void Reseed(Span<double> parameters, int component, ReadOnlySpan<double> location, ReadOnlySpan<double> variances) =>
        _classes[component / OfClass].Reseed(
            Parameters(parameters, component / OfClass), component % OfClass, location, variances);

    /// <inheritdoc/>
    /// <remarks>Components of two classes stay as they are.</remarks>
    public override void Split(Span<double> parameters, int component, int other, ReadOnlySpan<double> units)
    {
        int c = component / OfClass;
        if (c == other / OfClass) _classes[c].Split(Parameters(parameters, c), component % OfClass, other % OfClass, units);
    }

    /// <inheritdoc/>
    public override int RedundantParameters => _classes.Sum(of => of.RedundantParameters);

    /// <inheritdoc/>
    public override void Sample(ReadOnlySpan<double> parameters, int component, RandomDraws draws, Span<double> row)
    {
        int c = component / OfClass;
        _classes[c].Sample(parameters.Slice(c * _parameters, _parameters), component % OfClass, draws, row);
    }

    /// <inheritdoc/>
    public override void ToUserUnits(ReadOnlySpan<double> parameters, FeatureSpace space, Span<double> result)
    {
        for (int c = 0; c < _classes.Length; c++)
            _classes[c].ToUserUnits(parameters.Slice(c * _parameters, _parameters), space, Parameters(result, c));
    }

    /// <inheritdoc/>
    public override void FromUserUnits(ReadOnlySpan<double> parameters, FeatureSpace space, Span<double> result)
    {
        for (int c = 0; c < _classes.Length; c++)
            _classes[c].FromUserUnits(parameters.Slice(c * _parameters, _parameters), space, Parameters(result, c));
    }

    /// <inheritdoc/>
    public override bool TryMoments(ReadOnlySpan<double> parameters, Span<double> means, Span<double> variances)
    {
        int length = OfClass * Dimension;
        for (int c = 0; c < _classes.Length; c++)
            if (!_classes[c].TryMoments(parameters.Slice(c * _parameters, _parameters), means.Slice(c * length, length),
                variances.Slice(c * length, length))) return false;
        return true;
    }

    /// <inheritdoc/>
    public override void PoolVariances(Span<double> variances) => _classes[0].PoolVariances(variances);

    /// <inheritdoc/>
    public override void Health(ReadOnlySpan<double> parameters, IDictionary<string, double> facts)
    {
        for (int c = 0; c < _classes.Length; c++) _classes[c].Health(parameters.Slice(c * _parameters, _parameters), facts);
    }
}

/// <summary>The E-step of all classes: each over its own components.</summary>
/// <param name="classes">Number of classes.</param>
/// <param name="ofClass">Components of a class.</param>
/// <param name="statistics">Length of a class's statistics.</param>
internal sealed class ClassEmissionEStep(int classes, int ofClass, int statistics) : EmissionEStep
{
    private readonly EmissionEStep?[] _prepared = new EmissionEStep?[classes];

    /// <summary>A class's E-step; null before <see cref="Set"/>.</summary>
    public EmissionEStep? Of(int number) => _prepared[number];

    /// <summary>Takes a class's E-step.</summary>
    public void Set(int number, EmissionEStep prepared) => _prepared[number] = prepared;

    public override void LogDensities(RowBlock block, Span<double> logJoint)
    {
        for (int c = 0; c < classes; c++)
            _prepared[c]!.LogDensities(block, logJoint.Slice(c * ofClass * RowBlock.Stride, ofClass * RowBlock.Stride));
    }

    internal override void Spread(ReadOnlySpan<double> row, Span<LogDensitySpread> spreads)
    {
        for (int c = 0; c < classes; c++) _prepared[c]!.Spread(row, spreads.Slice(c * ofClass, ofClass));
    }

    public override void Accumulate(RowBlock block, ReadOnlySpan<double> responsibilities, Span<double> result)
    {
        for (int c = 0; c < classes; c++)
            _prepared[c]!.Accumulate(block, responsibilities.Slice(c * ofClass * RowBlock.Stride, ofClass * RowBlock.Stride),
                result.Slice(c * statistics, statistics));
    }

    public override int MeasuredValues => _prepared[0]!.MeasuredValues;

    public override void AddPeaks(Span<double> peaks)
    {
        for (int c = 0; c < classes; c++) _prepared[c]!.AddPeaks(peaks.Slice(c * ofClass, ofClass));
    }

    public override MeasuredDistance Distance(RowBlock block, int index, int component) =>
        _prepared[component / ofClass]!.Distance(block, index, component % ofClass);
}
