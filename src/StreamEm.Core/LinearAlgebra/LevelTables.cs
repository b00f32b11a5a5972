using System.Runtime.Intrinsics;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>
/// Tables with a row per level, components side by side in as many lanes as fill whole eights: what a record's levels add up to, and the
/// converse. Every lane adds in the order of the features, whatever the width of a vector.
/// </summary>
internal static unsafe class LevelTables
{
    /// <summary>Lanes of a row for so many components.</summary>
    public static int Width(int components) => (components + 7) & ~7;

    /// <summary>Overwrites <paramref name="sums"/> [width] with the sum of the table's rows at these places.</summary>
    /// <param name="places">Where rows begin in the table.</param>
    /// <param name="table">The table.</param>
    /// <param name="sums">As many lanes as a row has.</param>
    public static void Sum(ReadOnlySpan<int> places, ReadOnlySpan<double> table, Span<double> sums) =>
        Sum(Kernels.Path, places, table, sums);

    /// <summary>The same on a chosen path.</summary>
    internal static void Sum(KernelPath path, ReadOnlySpan<int> places, ReadOnlySpan<double> table, Span<double> sums)
    {
        Require(places, table.Length, sums.Length);
        fixed (int* at = places)
        fixed (double* from = table, to = sums)
        {
            if (path == KernelPath.Avx512) Sum<Lanes8, Vector512<double>>(at, places.Length, from, to, sums.Length);
            else if (path == KernelPath.Avx2) Sum<Lanes4, Vector256<double>>(at, places.Length, from, to, sums.Length);
            else Sum<Lanes2, Vector128<double>>(at, places.Length, from, to, sums.Length);
        }
    }

    /// <summary>Adds <paramref name="values"/> [width] to the table's rows at these places.</summary>
    /// <param name="places">Where rows begin in the table.</param>
    /// <param name="values">As many lanes as a row has.</param>
    /// <param name="table">Added to.</param>
    public static void Add(ReadOnlySpan<int> places, ReadOnlySpan<double> values, Span<double> table) =>
        Add(Kernels.Path, places, values, table);

    /// <summary>The same on a chosen path.</summary>
    internal static void Add(KernelPath path, ReadOnlySpan<int> places, ReadOnlySpan<double> values, Span<double> table)
    {
        Require(places, table.Length, values.Length);
        fixed (int* at = places)
        fixed (double* from = values, to = table)
        {
            if (path == KernelPath.Avx512) Add<Lanes8, Vector512<double>>(at, places.Length, from, to, values.Length);
            else if (path == KernelPath.Avx2) Add<Lanes4, Vector256<double>>(at, places.Length, from, to, values.Length);
            else Add<Lanes2, Vector128<double>>(at, places.Length, from, to, values.Length);
        }
    }

    private static void Sum<TLanes, TVector>(int* places, int count, double* table, double* sums, int width)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        for (int lane = 0; lane < width; lane += TLanes.Count)
        {
            TVector sum = TLanes.Broadcast(0);
            for (int at = 0; at < count; at++) sum = TLanes.Add(sum, TLanes.Load(table + places[at] + lane));
            TLanes.Store(sum, sums + lane);
        }
    }

    private static void Add<TLanes, TVector>(int* places, int count, double* values, double* table, int width)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        for (int lane = 0; lane < width; lane += TLanes.Count)
        {
            TVector value = TLanes.Load(values + lane);
            for (int at = 0; at < count; at++)
            {
                double* to = table + places[at] + lane;
                TLanes.Store(TLanes.Add(TLanes.Load(to), value), to);
            }
        }
    }

    private static void Require(ReadOnlySpan<int> places, int length, int width)
    {
        if (width % 8 != 0) throw new ArgumentException($"A row has {width} lanes; expected whole eights.");
        foreach (int place in places)
            if ((uint)place > (uint)(length - width))
                throw new ArgumentOutOfRangeException(nameof(places), place, $"The table has {length} values, a row {width}.");
    }
}
