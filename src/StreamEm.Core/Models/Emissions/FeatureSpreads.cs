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
    private LogDensitySpread[]? _table;

    /// <summary>Forgets them: there are other parameters.</summary>
    public void Clear() => _table = null;

    /// <summary>See <see cref="EmissionEStep.Spread"/>.</summary>
    public void Sum(ReadOnlySpan<double> row, Span<LogDensitySpread> spreads)
    {
        LogDensitySpread[] table = Volatile.Read(ref _table) ?? Fill();
        spreads.Clear();
        for (int k = 0, at = 0; k < components; k++)
            for (int d = 0; d < dimension; d++, at++)
                if (row.IsEmpty || !double.IsNaN(row[d])) spreads[k] += table[at];
    }

    private LogDensitySpread[] Fill()
    {
        var table = new LogDensitySpread[components * dimension];
        for (int at = 0; at < table.Length; at++) table[at] = of(at / dimension, at % dimension);
        Volatile.Write(ref _table, table);
        return table;
    }
}
