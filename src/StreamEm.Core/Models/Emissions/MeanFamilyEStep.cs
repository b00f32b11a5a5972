using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Emissions;

/// <summary>
/// The E-step of families that are linear in x: one kernel over all lanes, incomplete rows summed over their observed features.
/// </summary>
internal sealed class MeanFamilyEStep : EmissionEStep
{
    private readonly MeanFamily _family;
    private readonly int _components, _dimension;
    private readonly double[] _slopes, _offsets, _constants, _means;
    private readonly FeatureSpreads _spreads;

    /// <summary>Memory for <see cref="Set"/>.</summary>
    public MeanFamilyEStep(MeanFamily family)
    {
        (_family, _components, _dimension) = (family, family.Components, family.Dimension);
        _slopes = new double[_components * _dimension];
        _offsets = new double[_slopes.Length];
        _constants = new double[_components];
        _means = new double[_slopes.Length];
        _spreads = new FeatureSpreads(_components, _dimension, (k, d) => _family.Spread(_means[k * _dimension + d]));
    }

    /// <summary>Takes parameters; from here on immutable until it is spent.</summary>
    public void Set(ReadOnlySpan<double> means)
    {
        Array.Clear(_constants);
        _spreads.Clear();
        means.CopyTo(_means);
        for (int at = 0; at < means.Length; at++)
        {
            _slopes[at] = _family.Slope(means[at]);
            _offsets[at] = _family.Offset(means[at]);
            _constants[at / _dimension] -= _offsets[at];
        }
    }

    public override void LogDensities(RowBlock block, Span<double> logJoint)
    {
        ReadOnlySpan<int> incomplete = block.Incomplete;
        ReadOnlySpan<double> kept = IncompleteLanes.Keep(block, logJoint, _components);
        LinearForms.Add(block.Columns, _dimension, _components, _slopes, _constants, logJoint, block.Count);
        if (_family.HasBaseMeasure) AddBaseMeasure(block, logJoint);
        for (int at = 0; at < incomplete.Length; at++)
        {
            ReadOnlySpan<double> row = block.Row(incomplete[at]);
            for (int k = 0; k < _components; k++)
                logJoint[k * RowBlock.Stride + incomplete[at]] = kept[at * _components + k] + LogDensity(row, k);
        }
    }

    public override bool TryLogJoint(ReadOnlySpan<double> row, ReadOnlySpan<double> logWeights, Span<double> logJoint)
    {
        double measure = 0;
        if (_family.HasBaseMeasure)
            foreach (double x in row) measure += _family.BaseMeasure(x);
        logJoint.Fill(double.NegativeInfinity);
        for (int k = 0; k < _components; k++)
        {
            double sum = _constants[k];
            for (int d = 0, at = k * _dimension; d < _dimension; d++, at++) sum = Math.FusedMultiplyAdd(_slopes[at], row[d], sum);
            logJoint[k] = logWeights[k] + sum + measure;
        }
        return true;
    }

    internal override void Spread(ReadOnlySpan<double> row, Span<LogDensitySpread> spreads) => _spreads.Sum(row, spreads);

    public override int MeasuredValues => _family.IsMeasured ? _dimension : 0;

    public override void AddPeaks(Span<double> peaks)
    {
        for (int at = 0; at < _means.Length; at++) peaks[at / _dimension] += _family.Peak(_means[at]);
    }

    public override MeasuredDistance Distance(RowBlock block, int index, int component)
    {
        if (!_family.IsMeasured) return default;
        ReadOnlySpan<double> row = block.Row(index);
        double half = 0;
        int values = 0;
        for (int d = 0, at = component * _dimension; d < _dimension; d++, at++)
        {
            if (double.IsNaN(row[d])) continue;
            half += _family.HalfDeviance(row[d], _means[at]);
            values++;
        }
        return new MeasuredDistance(2 * half, values);
    }

    public override void Accumulate(RowBlock block, ReadOnlySpan<double> responsibilities, Span<double> statistics)
    {
        int length = _components * _dimension;
        Span<double> observed = statistics[..length], sums = statistics[length..];
        WeightedSums.AddFirstMoments(block.Columns, _dimension, responsibilities, _components, sums, block.Count);
        ObservedMasses.AddComplete(block, responsibilities, _components, observed);
        foreach (int index in block.Incomplete)
        {
            ReadOnlySpan<double> row = block.Row(index);
            for (int k = 0, at = 0; k < _components; k++)
            {
                double r = responsibilities[k * RowBlock.Stride + index];
                for (int d = 0; d < _dimension; d++, at++)
                {
                    if (double.IsNaN(row[d])) continue;
                    observed[at] += r;
                    sums[at] = Math.FusedMultiplyAdd(r, row[d], sums[at]);
                }
            }
        }
    }

    /// <summary>Adds h(x), the same for every component, to every lane.</summary>
    private void AddBaseMeasure(RowBlock block, Span<double> logJoint)
    {
        Span<double> measures = stackalloc double[RowBlock.Capacity];
        measures.Clear();
        for (int d = 0; d < _dimension; d++)
            _family.AddBaseMeasures(block.Columns.Slice(d * RowBlock.Stride, block.Count), measures);
        for (int k = 0; k < _components; k++) Interpolation.Add(logJoint.Slice(k * RowBlock.Stride, block.Count), measures[..block.Count]);
    }

    /// <summary>log p of the observed features; 0 when there are none.</summary>
    private double LogDensity(ReadOnlySpan<double> row, int k)
    {
        double sum = 0;
        for (int d = 0, at = k * _dimension; d < _dimension; d++, at++)
            if (!double.IsNaN(row[d])) sum += Math.FusedMultiplyAdd(_slopes[at], row[d], _family.BaseMeasure(row[d]) - _offsets[at]);
        return sum;
    }
}
