namespace StreamEm.Core.Models.Emissions;

/// <summary>
/// The spread of every feature's log-density under every component [K, D], for families whose features are independent given the component.
/// Made when first asked for, by a thread that may not be the only one.
/// </summary>
/// <param name="components">K.</param>
/// <param name="dimension">D.</param>
/// <param name="of">The spread of feature d under component k.</param>
internal sealed class FeatureSpreads(int components, int dimension, Func<int, int, LogDensitySpread> of)
{
    private readonly Lock _lock = new();
    private LogDensitySpread[] _table = [];
    private bool _isFilled;

    /// <summary>Forgets them: there are other parameters.</summary>
    public void Clear() => Volatile.Write(ref _isFilled, false);

    /// <summary>See <see cref="EmissionEStep.Spread"/>.</summary>
    public void Sum(ReadOnlySpan<double> row, Span<LogDensitySpread> spreads)
    {
        if (!Volatile.Read(ref _isFilled)) Fill();
        LogDensitySpread[] table = _table;
        spreads.Clear();
        for (int k = 0, at = 0; k < components; k++)
            for (int d = 0; d < dimension; d++, at++)
                if (row.IsEmpty || !double.IsNaN(row[d])) spreads[k] += table[at];
    }

    private void Fill()
    {
        lock (_lock)
        {
            if (_isFilled) return;
            if (_table.Length == 0) _table = new LogDensitySpread[components * dimension];
            for (int at = 0; at < _table.Length; at++) _table[at] = of(at / dimension, at % dimension);
            Volatile.Write(ref _isFilled, true);
        }
    }
}
