using System.Collections.Concurrent;

namespace StreamEm.Core.Models.Emissions;

/// <summary>
/// The conditional distributions of Gaussian components for the patterns of missing values met so far: each is factored once per E-step, in
/// the memory it had in the one before. Thread-safe; what it returns does not depend on who asked first.
/// </summary>
/// <param name="components">K.</param>
/// <param name="dimension">D.</param>
/// <param name="tied">Whether there is one covariance for all.</param>
internal sealed class MissingPatterns(int components, int dimension, bool tied)
{
    /// <summary>Patterns kept; those beyond are factored anew for every row, in memory that is handed back.</summary>
    private const int MaxKept = 4096;

    private readonly ConcurrentDictionary<ulong, MissingPattern> _kept = new();
    private readonly ConcurrentBag<MissingPattern> _spare = [];
    private ReadOnlyMemory<double> _means, _covariances;
    private long _generation;
    private int _keptCount;

    /// <summary>Takes other parameters, which must stay as they are: K x D means, and K x D x D covariances or one for all.</summary>
    public void Set(ReadOnlyMemory<double> means, ReadOnlyMemory<double> covariances)
    {
        (_means, _covariances) = (means, covariances);
        _generation++;
    }

    /// <summary>The pattern of a row's missing values (NaN), to be handed back.</summary>
    public MissingPattern Rent(ReadOnlySpan<double> row)
    {
        ulong key = Key(row);
        if (_kept.TryGetValue(key, out MissingPattern? pattern) && pattern.Matches(row))
        {
            pattern.Condition(_means, _covariances, _generation);
            return pattern;
        }
        if (pattern is null && Volatile.Read(ref _keptCount) < MaxKept)
        {
            var made = new MissingPattern(components, dimension, tied) { IsKept = true };
            made.Take(row);
            pattern = _kept.GetOrAdd(key, made);
            if (pattern == made) Interlocked.Increment(ref _keptCount);
            if (pattern.Matches(row))
            {
                pattern.Condition(_means, _covariances, _generation);
                return pattern;
            }
        }
        if (!_spare.TryTake(out MissingPattern? spare)) spare = new MissingPattern(components, dimension, tied);
        spare.Take(row);
        spare.Condition(_means, _covariances, _generation);
        return spare;
    }

    /// <summary>Takes back what was rented.</summary>
    public void Return(MissingPattern pattern)
    {
        if (!pattern.IsKept) _spare.Add(pattern);
    }

    private static ulong Key(ReadOnlySpan<double> row)
    {
        // The mask itself up to 64 features; beyond, mixed, and Matches() tells collisions apart.
        ulong key = 0;
        for (int d = 0; d < row.Length; d++)
        {
            if (d % 64 == 0) key *= 0x9E3779B97F4A7C15;
            if (double.IsNaN(row[d])) key ^= 1UL << (d % 64);
        }
        return key;
    }
}
