using System.Collections.Concurrent;

namespace StreamEm.Core.Models.Emissions;

/// <summary>
/// The conditional distributions of Gaussian components for the patterns of missing values met so far: each is factored once per E-step.
/// Thread-safe; what it returns does not depend on who asked first.
/// </summary>
/// <param name="components">K.</param>
/// <param name="dimension">D.</param>
/// <param name="means">K x D.</param>
/// <param name="covariances">K x D x D, or D x D for all of them; must stay as they are.</param>
/// <param name="tied">Whether there is one covariance for all.</param>
internal sealed class MissingPatterns(int components, int dimension, ReadOnlySpan<double> means, ReadOnlyMemory<double> covariances, bool tied)
{
    /// <summary>Patterns kept; those beyond are factored anew for every row.</summary>
    private const int MaxKept = 4096;
    private readonly double[] _means = means.ToArray();
    private readonly ConcurrentDictionary<ulong, MissingPattern> _kept = new();

    /// <summary>The pattern of a row's missing values (NaN).</summary>
    public MissingPattern Of(ReadOnlySpan<double> row)
    {
        ulong key = Key(row);
        if (_kept.TryGetValue(key, out MissingPattern? pattern) && pattern.Matches(row)) return pattern;
        var made = new MissingPattern(components, dimension, _means, covariances.Span, tied, row);
        if (_kept.Count < MaxKept) _kept.TryAdd(key, made);
        return made;
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
