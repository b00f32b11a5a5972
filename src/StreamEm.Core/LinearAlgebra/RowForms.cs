using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>
/// Linear and diagonal quadratic forms of rows as they come, for records so wide that their columns would not stay in the cache: a SIMD
/// lane is every eighth feature (<see cref="LaneSums"/>). Four rows at a time, which stay in the first-level cache for all forms; a loaded
/// w serves four rows, a loaded x up to four forms.
/// </summary>
internal static unsafe class RowForms
{
    /// <summary>Rows of a tile.</summary>
    private const int Rows = 4;

    /// <summary>Overwrites <c>result[j * Stride + i]</c> by constants[j] + sum_d w_jd x_id.</summary>
    /// <param name="rows">count x D, row-major.</param>
    /// <param name="count">Rows.</param>
    /// <param name="dimension">D.</param>
    /// <param name="slopes">w, q x D.</param>
    /// <param name="constants">q.</param>
    /// <param name="result">q x Stride; lanes from <paramref name="count"/> to the next multiple of 32 become 0.</param>
    public static void Linear(
        ReadOnlySpan<double> rows, int count, int dimension, ReadOnlySpan<double> slopes, ReadOnlySpan<double> constants,
        Span<double> result) =>
        Run(Kernels.Path, rows, count, dimension, slopes, constants, result, default, default, 0, default);

    /// <summary>
    /// The same, and <c>logJoint[i]</c> += constant - sum_d (a_d x_id - b_d)^2 / 2 in the same pass over the rows.
    /// </summary>
    public static void LinearAndDiagonal(
        ReadOnlySpan<double> rows, int count, int dimension, ReadOnlySpan<double> slopes, ReadOnlySpan<double> constants,
        Span<double> result, ReadOnlySpan<double> factors, ReadOnlySpan<double> biases, double constant, Span<double> logJoint) =>
        Run(Kernels.Path, rows, count, dimension, slopes, constants, result, factors, biases, constant, logJoint);

    /// <summary>Both on a chosen path; no quadratic form without <paramref name="factors"/>.</summary>
    internal static void Run(
        KernelPath path, ReadOnlySpan<double> rows, int count, int dimension, ReadOnlySpan<double> slopes, ReadOnlySpan<double> constants,
        Span<double> result, ReadOnlySpan<double> factors, ReadOnlySpan<double> biases, double constant, Span<double> logJoint)
    {
        KernelShape.Require(rows.Length, count, dimension, nameof(rows));
        KernelShape.Require(slopes.Length, constants.Length, dimension, nameof(slopes));
        KernelShape.Require(result.Length, constants.Length, RowBlock.Stride, nameof(result));
        KernelShape.Require(biases.Length, factors.IsEmpty ? 0 : 1, dimension, nameof(biases));
        KernelShape.Require(factors.Length, factors.IsEmpty ? 0 : 1, dimension, nameof(factors));
        KernelShape.Require(logJoint.Length, factors.IsEmpty ? 0 : 1, count, nameof(logJoint));
        fixed (double* x = rows, w = slopes, c = constants, to = result, a = factors, b = biases, joint = logJoint)
        {
            var forms = new Forms(dimension, constants.Length, w, c, to, a, b, constant, joint);
            if (path == KernelPath.Avx512) Run<Lanes8, Vector512<double>>(x, count, forms);
            else if (path == KernelPath.Avx2) Run<Lanes4, Vector256<double>>(x, count, forms);
            else Run<Lanes2, Vector128<double>>(x, count, forms);
        }
        int lanes = KernelShape.Lanes(count);
        for (int j = 0; j < constants.Length; j++) result.Slice(j * RowBlock.Stride + count, lanes - count).Clear();
    }

    private static void Run<TLanes, TVector>(double* rows, int count, in Forms forms)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        const int most = 4 * Rows;
        double* memory = stackalloc double[most * LaneSums.Eights + 8];
        double* sums = (double*)(((nint)memory + 63) & ~63);
        int dimension = forms.Dimension;
        for (int row = 0; row < count; row += Rows)
        {
            // Where there are fewer than four rows the first stands for those that are not there.
            double* x0 = rows + row * dimension, x1 = row + 1 < count ? x0 + dimension : x0,
                x2 = row + 2 < count ? x0 + 2 * dimension : x0, x3 = row + 3 < count ? x0 + 3 * dimension : x0;
            int j = 0;
            for (; TLanes.Count == LaneSums.Eights && j + 4 <= forms.Count; j += 4)
            {
                double* w = forms.Slopes + j * dimension;
                Four<TLanes, TVector>(x0, x1, x2, x3, w, w + dimension, w + 2 * dimension, w + 3 * dimension, dimension, sums);
                for (int form = 0; form < 4; form++) Finish(sums + form * Rows * LaneSums.Eights, x0, x1, x2, x3, forms, j + form, row);
            }
            for (; j < forms.Count; j += 2)
            {
                double* w = forms.Slopes + j * dimension, other = j + 1 < forms.Count ? w + dimension : w;
                for (int lane = 0; lane < LaneSums.Eights; lane += TLanes.Count)
                    Two<TLanes, TVector>(x0 + lane, x1 + lane, x2 + lane, x3 + lane, w + lane, other + lane, dimension & ~7, sums + lane);
                for (int form = 0; form < 2 && j + form < forms.Count; form++)
                    Finish(sums + form * Rows * LaneSums.Eights, x0, x1, x2, x3, forms, j + form, row);
            }
            if (forms.Factors == null) continue;
            for (int lane = 0; lane < LaneSums.Eights; lane += TLanes.Count)
                Squares<TLanes, TVector>(
                    x0 + lane, x1 + lane, x2 + lane, x3 + lane, forms.Factors + lane, forms.Biases + lane, dimension & ~7, sums + lane);
            FinishSquares(sums, x0, x1, x2, x3, forms, row, Math.Min(Rows, count - row));
        }
    }

    /// <summary>4 forms by 4 rows: 21 registers of 32.</summary>
    private static void Four<TLanes, TVector>(
        double* x0, double* x1, double* x2, double* x3, double* w0, double* w1, double* w2, double* w3, int dimension, double* sums)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        TVector s00, s01, s02, s03, s10, s11, s12, s13, s20, s21, s22, s23, s30, s31, s32, s33;
        s00 = s01 = s02 = s03 = s10 = s11 = s12 = s13 = s20 = s21 = s22 = s23 = s30 = s31 = s32 = s33 = TLanes.Broadcast(0);
        for (int d = 0; d + LaneSums.Eights <= dimension; d += LaneSums.Eights)
        {
            TVector a = TLanes.Load(x0 + d), b = TLanes.Load(x1 + d), c = TLanes.Load(x2 + d), e = TLanes.Load(x3 + d),
                w = TLanes.Load(w0 + d);
            s00 = TLanes.Fma(w, a, s00); s01 = TLanes.Fma(w, b, s01); s02 = TLanes.Fma(w, c, s02); s03 = TLanes.Fma(w, e, s03);
            w = TLanes.Load(w1 + d);
            s10 = TLanes.Fma(w, a, s10); s11 = TLanes.Fma(w, b, s11); s12 = TLanes.Fma(w, c, s12); s13 = TLanes.Fma(w, e, s13);
            w = TLanes.Load(w2 + d);
            s20 = TLanes.Fma(w, a, s20); s21 = TLanes.Fma(w, b, s21); s22 = TLanes.Fma(w, c, s22); s23 = TLanes.Fma(w, e, s23);
            w = TLanes.Load(w3 + d);
            s30 = TLanes.Fma(w, a, s30); s31 = TLanes.Fma(w, b, s31); s32 = TLanes.Fma(w, c, s32); s33 = TLanes.Fma(w, e, s33);
        }
        Store<TLanes, TVector>(sums, s00, s01, s02, s03);
        Store<TLanes, TVector>(sums + Rows * LaneSums.Eights, s10, s11, s12, s13);
        Store<TLanes, TVector>(sums + 2 * Rows * LaneSums.Eights, s20, s21, s22, s23);
        Store<TLanes, TVector>(sums + 3 * Rows * LaneSums.Eights, s30, s31, s32, s33);
    }

    /// <summary>2 forms by 4 rows: 13 registers of 16.</summary>
    private static void Two<TLanes, TVector>(
        double* x0, double* x1, double* x2, double* x3, double* w0, double* w1, int dimension, double* sums)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        TVector s00, s01, s02, s03, s10, s11, s12, s13;
        s00 = s01 = s02 = s03 = s10 = s11 = s12 = s13 = TLanes.Broadcast(0);
        for (int d = 0; d < dimension; d += LaneSums.Eights)
        {
            TVector a = TLanes.Load(x0 + d), b = TLanes.Load(x1 + d), c = TLanes.Load(x2 + d), e = TLanes.Load(x3 + d),
                w = TLanes.Load(w0 + d);
            s00 = TLanes.Fma(w, a, s00); s01 = TLanes.Fma(w, b, s01); s02 = TLanes.Fma(w, c, s02); s03 = TLanes.Fma(w, e, s03);
            w = TLanes.Load(w1 + d);
            s10 = TLanes.Fma(w, a, s10); s11 = TLanes.Fma(w, b, s11); s12 = TLanes.Fma(w, c, s12); s13 = TLanes.Fma(w, e, s13);
        }
        Store<TLanes, TVector>(sums, s00, s01, s02, s03);
        Store<TLanes, TVector>(sums + Rows * LaneSums.Eights, s10, s11, s12, s13);
    }

    /// <summary>(a x - b)^2 of 4 rows.</summary>
    private static void Squares<TLanes, TVector>(
        double* x0, double* x1, double* x2, double* x3, double* factors, double* biases, int dimension, double* sums)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        TVector s0, s1, s2, s3, zero;
        s0 = s1 = s2 = s3 = zero = TLanes.Broadcast(0);
        for (int d = 0; d < dimension; d += LaneSums.Eights)
        {
            TVector a = TLanes.Load(factors + d), b = TLanes.Subtract(zero, TLanes.Load(biases + d));
            TVector y0 = TLanes.Fma(a, TLanes.Load(x0 + d), b), y1 = TLanes.Fma(a, TLanes.Load(x1 + d), b);
            TVector y2 = TLanes.Fma(a, TLanes.Load(x2 + d), b), y3 = TLanes.Fma(a, TLanes.Load(x3 + d), b);
            s0 = TLanes.Fma(y0, y0, s0);
            s1 = TLanes.Fma(y1, y1, s1);
            s2 = TLanes.Fma(y2, y2, s2);
            s3 = TLanes.Fma(y3, y3, s3);
        }
        Store<TLanes, TVector>(sums, s0, s1, s2, s3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TLanes, TVector>(double* sums, TVector a, TVector b, TVector c, TVector d)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        TLanes.Store(a, sums);
        TLanes.Store(b, sums + LaneSums.Eights);
        TLanes.Store(c, sums + 2 * LaneSums.Eights);
        TLanes.Store(d, sums + 3 * LaneSums.Eights);
    }

    /// <summary>The sums over the lanes of four rows.</summary>
    private static Vector256<double> Total(double* sums) => Lanes4.Sum4(
        Vector256.Load(sums) + Vector256.Load(sums + 4), Vector256.Load(sums + 8) + Vector256.Load(sums + 12),
        Vector256.Load(sums + 16) + Vector256.Load(sums + 20), Vector256.Load(sums + 24) + Vector256.Load(sums + 28));

    /// <summary>Adds the features after the last eight, and the constant, and writes the form of four rows.</summary>
    private static void Finish(double* sums, double* x0, double* x1, double* x2, double* x3, in Forms forms, int form, int row)
    {
        Vector256<double> total = Total(sums);
        double* w = forms.Slopes + form * forms.Dimension;
        for (int d = forms.Dimension & ~7; d < forms.Dimension; d++)
            total = Lanes4.Fma(Vector256.Create(w[d]), Vector256.Create(x0[d], x1[d], x2[d], x3[d]), total);
        Vector256.Store(total + Vector256.Create(forms.Constants[form]), forms.Result + form * RowBlock.Stride + row);
    }

    private static void FinishSquares(
        double* sums, double* x0, double* x1, double* x2, double* x3, in Forms forms, int row, int count)
    {
        Vector256<double> total = Total(sums);
        for (int d = forms.Dimension & ~7; d < forms.Dimension; d++)
        {
            Vector256<double> y = Lanes4.Fma(
                Vector256.Create(forms.Factors[d]), Vector256.Create(x0[d], x1[d], x2[d], x3[d]), Vector256.Create(-forms.Biases[d]));
            total = Lanes4.Fma(y, y, total);
        }
        total = Lanes4.Fma(Vector256.Create(-0.5), total, Vector256.Create(forms.Constant));
        for (int i = 0; i < count; i++) forms.LogJoint[row + i] += total[i];
    }

    /// <summary>What is computed of every row.</summary>
    private readonly struct Forms(
        int dimension, int count, double* slopes, double* constants, double* result, double* factors, double* biases, double constant,
        double* logJoint)
    {
        public readonly int Dimension = dimension, Count = count;
        public readonly double* Slopes = slopes, Constants = constants, Result = result, Factors = factors, Biases = biases,
            LogJoint = logJoint;
        public readonly double Constant = constant;
    }
}
