using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Emissions;

/// <summary>The E-step of categorical components: a table of log-probabilities by level, components side by side.</summary>
internal sealed class CategoricalEStep : EmissionEStep
{
    /// <summary>The smallest probability whose logarithm is taken: given parameters may be 0.</summary>
    private const double Least = 1e-300;

    private readonly int _components;
    private readonly int[] _levels, _starts;
    private readonly double[] _table;
    private readonly FeatureSpreads _spreads;

    /// <summary>Memory for <see cref="Set"/>.</summary>
    public CategoricalEStep(int components, int[] levels)
    {
        (_components, _levels, _starts) = (components, levels, new int[levels.Length]);
        int total = 0;
        for (int f = 0; f < levels.Length; f++) (_starts[f], total) = (total, total + levels[f] * components);
        _table = new double[total];
        _spreads = new FeatureSpreads(components, levels.Length, SpreadOf);
    }

    /// <summary>Takes parameters, K x L for each feature; from here on immutable until it is spent.</summary>
    public void Set(ReadOnlySpan<double> probabilities)
    {
        _spreads.Clear();
        for (int f = 0; f < _levels.Length; f++)
            for (int k = 0; k < _components; k++)
                for (int level = 0; level < _levels[f]; level++)
                    _table[_starts[f] + level * _components + k] =
                        ScalarMath.Log(Math.Max(probabilities[_starts[f] + k * _levels[f] + level], Least));
    }

    public override void LogDensities(RowBlock block, Span<double> logJoint)
    {
        Span<double> sums = block.Scratch(_components);
        for (int i = 0; i < block.Count; i++)
        {
            Sum(block.Row(i), sums);
            for (int k = 0; k < sums.Length; k++) logJoint[k * RowBlock.Stride + i] += sums[k];
        }
    }

    public override bool TryLogJoint(ReadOnlySpan<double> row, ReadOnlySpan<double> logWeights, Span<double> logJoint)
    {
        // A row with missing values is compared with complete ones, which only a block does.
        if (row.Contains(double.NaN)) return false;
        logJoint.Fill(double.NegativeInfinity);
        Sum(row, logJoint[.._components]);
        Interpolation.Add(logJoint[.._components], logWeights);
        return true;
    }

    internal override void Spread(ReadOnlySpan<double> row, Span<LogDensitySpread> spreads) => _spreads.Sum(row, spreads);

    public override void Accumulate(RowBlock block, ReadOnlySpan<double> responsibilities, Span<double> statistics)
    {
        // Responsibilities row by row, so that those of a row are added to a level's counts side by side; the counts turned round at the
        // end.
        Span<double> scratch = block.Scratch(_table.Length + _components);
        Span<double> counts = scratch[.._table.Length], row = scratch[_table.Length..];
        counts.Clear();
        for (int i = 0; i < block.Count; i++)
        {
            for (int k = 0; k < row.Length; k++) row[k] = responsibilities[k * RowBlock.Stride + i];
            ReadOnlySpan<double> codes = block.Row(i);
            for (int f = 0; f < codes.Length; f++)
                if (!double.IsNaN(codes[f]))
                    Interpolation.Add(counts.Slice(_starts[f] + Code(codes[f], f) * _components, _components), row);
        }
        for (int f = 0; f < _levels.Length; f++)
            for (int k = 0; k < _components; k++)
                for (int level = 0; level < _levels[f]; level++)
                    statistics[_starts[f] + k * _levels[f] + level] += counts[_starts[f] + level * _components + k];
    }

    private LogDensitySpread SpreadOf(int component, int feature)
    {
        Span<double> logs = _levels[feature] <= 256 ? stackalloc double[_levels[feature]] : new double[_levels[feature]];
        for (int level = 0; level < logs.Length; level++) logs[level] = _table[_starts[feature] + level * _components + component];
        return LogDensitySpread.Of(logs);
    }

    /// <summary>Overwrites <paramref name="sums"/> [K] with the log-probabilities of a row's observed levels.</summary>
    private void Sum(ReadOnlySpan<double> row, Span<double> sums)
    {
        sums.Clear();
        for (int f = 0; f < row.Length; f++)
            if (!double.IsNaN(row[f])) Interpolation.Add(sums, _table.AsSpan(_starts[f] + Code(row[f], f) * _components, _components));
    }

    private int Code(double value, int feature) => Math.Clamp((int)value, 0, _levels[feature] - 1);
}
