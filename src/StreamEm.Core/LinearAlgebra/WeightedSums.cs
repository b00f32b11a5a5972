using System.Runtime.Intrinsics;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>
/// Sums over the lanes of a row block, weighted by responsibilities: the M-step's statistics. All add to their output. Lanes without a row
/// must have responsibility zero and a finite x. Both moments in one call cost about what the second alone does.
/// </summary>
internal static unsafe class WeightedSums
{
    /// <summary>masses[k] += sum_i r_ki.</summary>
    /// <param name="responsibilities">K x Stride.</param>
    /// <param name="components">K.</param>
    /// <param name="masses">K, added to.</param>
    /// <param name="count">Rows in the block; lanes from here on to the next multiple of 32 have responsibility zero, others are not
    /// read.</param>
    public static void AddMasses(
        ReadOnlySpan<double> responsibilities, int components, Span<double> masses, int count = RowBlock.Capacity) =>
        AddMasses(Kernels.Path, responsibilities, components, masses, count);

    /// <summary>sums[k, d] += sum_i r_ki x_id; sums is K x D.</summary>
    public static void AddFirstMoments(ReadOnlySpan<double> columns, int dimension, ReadOnlySpan<double> responsibilities, int components,
        Span<double> sums, int count = RowBlock.Capacity)
    {
        KernelShape.Require(sums.Length, components, dimension, nameof(sums));
        AddDiagonal(Kernels.Path, columns, dimension, responsibilities, components, sums, default, count);
    }

    /// <summary>sums[k, d] += sum_i r_ki x_id^2; sums is K x D.</summary>
    public static void AddSquares(ReadOnlySpan<double> columns, int dimension, ReadOnlySpan<double> responsibilities, int components,
        Span<double> sums, int count = RowBlock.Capacity)
    {
        KernelShape.Require(sums.Length, components, dimension, nameof(sums));
        AddDiagonal(Kernels.Path, columns, dimension, responsibilities, components, default, sums, count);
    }

    /// <summary><see cref="AddFirstMoments"/> and <see cref="AddSquares"/> in one pass.</summary>
    public static void AddMomentsAndSquares(
        ReadOnlySpan<double> columns, int dimension, ReadOnlySpan<double> responsibilities, int components, Span<double> moments,
        Span<double> squares, int count = RowBlock.Capacity)
    {
        KernelShape.Require(moments.Length, components, dimension, nameof(moments));
        KernelShape.Require(squares.Length, components, dimension, nameof(squares));
        AddDiagonal(Kernels.Path, columns, dimension, responsibilities, components, moments, squares, count);
    }

    /// <summary>sums[k, (i, j)] += sum_n r_kn x_ni x_nj; sums is K packed lower triangles.</summary>
    public static void AddOuterProducts(ReadOnlySpan<double> columns, int dimension, ReadOnlySpan<double> responsibilities, int components,
        Span<double> sums, int count = RowBlock.Capacity) =>
        AddOuter(Kernels.Path, columns, dimension, responsibilities, components, default, sums, count);

    /// <summary><see cref="AddFirstMoments"/> and <see cref="AddOuterProducts"/> in one pass.</summary>
    public static void AddMomentsAndOuterProducts(
        ReadOnlySpan<double> columns, int dimension, ReadOnlySpan<double> responsibilities, int components, Span<double> moments,
        Span<double> products, int count = RowBlock.Capacity)
    {
        KernelShape.Require(moments.Length, components, dimension, nameof(moments));
        AddOuter(Kernels.Path, columns, dimension, responsibilities, components, moments, products, count);
    }

    internal static void AddMasses(
        KernelPath path, ReadOnlySpan<double> responsibilities, int components, Span<double> masses, int count = RowBlock.Capacity)
    {
        KernelShape.Require(responsibilities.Length, components, RowBlock.Stride, nameof(responsibilities));
        KernelShape.Require(masses.Length, components, 1, nameof(masses));
        int lanes = KernelShape.Lanes(count);
        fixed (double* r = responsibilities)
        {
            if (path == KernelPath.Avx512) Masses<Lanes8, Vector512<double>>(r, components, masses, lanes);
            else if (path == KernelPath.Avx2) Masses<Lanes4, Vector256<double>>(r, components, masses, lanes);
            else Masses<Lanes2, Vector128<double>>(r, components, masses, lanes);
        }
    }

    /// <summary>Moments, squares or both on a chosen path; an empty output is not computed into.</summary>
    internal static void AddDiagonal(
        KernelPath path, ReadOnlySpan<double> columns, int dimension, ReadOnlySpan<double> responsibilities, int components,
        Span<double> moments, Span<double> squares, int count = RowBlock.Capacity)
    {
        KernelShape.Require(columns.Length, dimension, RowBlock.Stride, nameof(columns));
        KernelShape.Require(responsibilities.Length, components, RowBlock.Stride, nameof(responsibilities));
        int lanes = KernelShape.Lanes(count);
        fixed (double* x = columns, r = responsibilities, s = moments, q = squares)
        {
            if (q == null && s != null) AddFirst(path, x, dimension, r, components, s, lanes);
            else if (path == KernelPath.Avx512) DiagonalMoments.Add<Lanes8, Vector512<double>>(x, dimension, r, components, s, q, lanes);
            else if (path == KernelPath.Avx2) DiagonalMoments.Add<Lanes4, Vector256<double>>(x, dimension, r, components, s, q, lanes);
            else DiagonalMoments.Add<Lanes2, Vector128<double>>(x, dimension, r, components, s, q, lanes);
        }
    }

    private static void AddFirst(KernelPath path, double* x, int dimension, double* r, int components, double* sums, int lanes)
    {
        if (path == KernelPath.Avx512) FirstMoments.Add<Lanes8, Vector512<double>>(x, dimension, r, components, sums, lanes);
        else if (path == KernelPath.Avx2) FirstMoments.Add<Lanes4, Vector256<double>>(x, dimension, r, components, sums, lanes);
        else FirstMoments.Add<Lanes2, Vector128<double>>(x, dimension, r, components, sums, lanes);
    }

    /// <summary>Outer products, and first moments unless <paramref name="moments"/> is empty, on a chosen path.</summary>
    internal static void AddOuter(
        KernelPath path, ReadOnlySpan<double> columns, int dimension, ReadOnlySpan<double> responsibilities, int components,
        Span<double> moments, Span<double> products, int count = RowBlock.Capacity)
    {
        KernelShape.Require(columns.Length, dimension, RowBlock.Stride, nameof(columns));
        KernelShape.Require(responsibilities.Length, components, RowBlock.Stride, nameof(responsibilities));
        KernelShape.Require(products.Length, components, Packed.Length(dimension), nameof(products));
        int lanes = KernelShape.Lanes(count);
        fixed (double* x = columns, r = responsibilities, s = moments, q = products)
        {
            if (path == KernelPath.Avx512)
                PairedOuterProducts.Add(x, dimension, r, components, s, q, lanes);
            else if (path == KernelPath.Avx2)
                OuterProductSums.Add<Lanes4, Vector256<double>>(x, dimension, r, components, s, q, lanes);
            else OuterProductSums.Add<Lanes2, Vector128<double>>(x, dimension, r, components, s, q, lanes);
        }
    }

    /// <summary>Four times eight lanes, the four added first.</summary>
    private static void Masses<TLanes, TVector>(double* r, int components, Span<double> masses, int lanes)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        double* sums = stackalloc double[LaneSums.Eights];
        for (int k = 0; k < components; k++, r += RowBlock.Stride)
        {
            for (int offset = 0; offset < LaneSums.Eights; offset += TLanes.Count)
            {
                TVector s0, s1, s2, s3;
                s0 = s1 = s2 = s3 = TLanes.Broadcast(0);
                for (double* at = r + offset, end = at + lanes; at < end; at += 4 * LaneSums.Eights)
                {
                    s0 = TLanes.Add(s0, TLanes.Load(at));
                    s1 = TLanes.Add(s1, TLanes.Load(at + LaneSums.Eights));
                    s2 = TLanes.Add(s2, TLanes.Load(at + 2 * LaneSums.Eights));
                    s3 = TLanes.Add(s3, TLanes.Load(at + 3 * LaneSums.Eights));
                }
                TLanes.Store(TLanes.Add(TLanes.Add(s0, s1), TLanes.Add(s2, s3)), sums + offset);
            }
            masses[k] += Lanes4.Sum(Vector256.Load(sums) + Vector256.Load(sums + 4));
        }
    }
}
