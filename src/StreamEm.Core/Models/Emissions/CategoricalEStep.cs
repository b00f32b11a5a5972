using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Emissions;

/// <summary>The E-step of categorical components: a table of log-probabilities by level, components side by side.</summary>
internal sealed class CategoricalEStep : EmissionEStep
{
    /// <summary>The smallest probability whose logarithm is taken: given parameters may be 0.</summary>
    private const double Least = 1e-300;

    private const int FewFeatures = 256, FewComponents = 512;

    private readonly int _components, _width;
    private readonly int[] _levels, _starts, _rows;
    private readonly double[] _table;
    private readonly FeatureSpreads _spreads;

    /// <summary>Memory for <see cref="Set"/>.</summary>
    public CategoricalEStep(int components, int[] levels)
    {
        (_components, _width, _levels) = (components, LevelTables.Width(components), levels);
        (_starts, _rows) = (new int[levels.Length], new int[levels.Length]);
        int total = 0, rows = 0;
        for (int f = 0; f < levels.Length; f++)
        {
            (_starts[f], total) = (total, total + levels[f] * components);
            (_rows[f], rows) = (rows, rows + levels[f] * _width);
        }
        _table = new double[rows];
        _spreads = new FeatureSpreads(components, levels.Length, SpreadOf);
    }

    /// <summary>Takes parameters, K x L for each feature; from here on immutable until it is spent.</summary>
    public void Set(ReadOnlySpan<double> probabilities)
    {
        _spreads.Clear();
        for (int f = 0; f < _levels.Length; f++)
            for (int k = 0; k < _components; k++)
                for (int level = 0; level < _levels[f]; level++)
                    _table[_rows[f] + level * _width + k] =
                        ScalarMath.Log(Math.Max(probabilities[_starts[f] + k * _levels[f] + level], Least));
    }

    public override void LogDensities(RowBlock block, Span<double> logJoint)
    {
        Span<double> sums = block.Scratch(_width);
        Span<int> places = _levels.Length <= FewFeatures ? stackalloc int[_levels.Length] : new int[_levels.Length];
        for (int i = 0; i < block.Count; i++)
        {
            LevelTables.Sum(places[..Places(block.Row(i), places)], _table, sums);
            for (int k = 0; k < _components; k++) logJoint[k * RowBlock.Stride + i] += sums[k];
        }
    }

    public override bool TryLogJoint(ReadOnlySpan<double> row, ReadOnlySpan<double> logWeights, Span<double> logJoint)
    {
        // A row with missing values is compared with complete ones, which only a block does.
        if (row.Contains(double.NaN)) return false;
        Span<int> places = _levels.Length <= FewFeatures ? stackalloc int[_levels.Length] : new int[_levels.Length];
        Span<double> sums = _width <= FewComponents ? stackalloc double[_width] : new double[_width];
        LevelTables.Sum(places[..Places(row, places)], _table, sums);
        logJoint.Fill(double.NegativeInfinity);
        sums[.._components].CopyTo(logJoint);
        Interpolation.Add(logJoint[.._components], logWeights);
        return true;
    }

    internal override void Spread(ReadOnlySpan<double> row, Span<LogDensitySpread> spreads) => _spreads.Sum(row, spreads);

    public override void Accumulate(RowBlock block, ReadOnlySpan<double> responsibilities, Span<double> statistics)
    {
        // Responsibilities row by row, so that those of a row are added to a level's counts side by side; the counts turned round at the
        // end.
        Span<double> scratch = block.Scratch(_table.Length + _width);
        Span<double> counts = scratch[.._table.Length], row = scratch[_table.Length..];
        Span<int> places = _levels.Length <= FewFeatures ? stackalloc int[_levels.Length] : new int[_levels.Length];
        scratch.Clear();
        for (int i = 0; i < block.Count; i++)
        {
            for (int k = 0; k < _components; k++) row[k] = responsibilities[k * RowBlock.Stride + i];
            LevelTables.Add(places[..Places(block.Row(i), places)], row, counts);
        }
        for (int f = 0; f < _levels.Length; f++)
            for (int k = 0; k < _components; k++)
                for (int level = 0; level < _levels[f]; level++)
                    statistics[_starts[f] + k * _levels[f] + level] += counts[_rows[f] + level * _width + k];
    }

    private LogDensitySpread SpreadOf(int component, int feature)
    {
        Span<double> logs = _levels[feature] <= 256 ? stackalloc double[_levels[feature]] : new double[_levels[feature]];
        for (int level = 0; level < logs.Length; level++) logs[level] = _table[_rows[feature] + level * _width + component];
        return LogDensitySpread.Of(logs);
    }

    /// <summary>Where the rows of a record's observed levels begin in the table; how many these are.</summary>
    private int Places(ReadOnlySpan<double> row, Span<int> places)
    {
        int observed = 0;
        for (int f = 0; f < row.Length; f++)
            if (!double.IsNaN(row[f])) places[observed++] = _rows[f] + Math.Clamp((int)row[f], 0, _levels[f] - 1) * _width;
        return observed;
    }
}
