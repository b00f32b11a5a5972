using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>8 doubles at a time: AVX-512.</summary>
internal readonly unsafe struct Lanes8 : ILanes<Vector512<double>>
{
    /// <inheritdoc/>
    public static int Count => 8;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> Load(double* source) => Vector512.Load(source);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double First(Vector512<double> a) => a.ToScalar();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<double> value, double* target) => Vector512.Store(value, target);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> Broadcast(double value) => Vector512.Create(value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> Add(Vector512<double> a, Vector512<double> b) => a + b;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> Subtract(Vector512<double> a, Vector512<double> b) => a - b;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> Multiply(Vector512<double> a, Vector512<double> b) => a * b;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> Divide(Vector512<double> a, Vector512<double> b) => a / b;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> Fma(Vector512<double> a, Vector512<double> b, Vector512<double> c) =>
        Vector512.FusedMultiplyAdd(a, b, c);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> Max(Vector512<double> a, Vector512<double> b) =>
        Sse2.IsSupported ? Vector512.MaxNative(a, b) : Vector512.ConditionalSelect(Vector512.GreaterThan(a, b), a, b);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> Floor(Vector512<double> a) => Vector512.Floor(a);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> SelectLess(
        Vector512<double> a, Vector512<double> b, Vector512<double> whenTrue, Vector512<double> whenFalse) =>
        Vector512.ConditionalSelect(Vector512.LessThan(a, b), whenTrue, whenFalse);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> ShiftRightAdd(Vector512<double> a, int shift, long b) =>
        (Vector512.ShiftRightLogical(a.AsInt64(), shift) + Vector512.Create(b)).AsDouble();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> ShiftLeft(Vector512<double> a, int shift) => Vector512.ShiftLeft(a.AsInt64(), shift).AsDouble();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> SubtractBits(Vector512<double> a, Vector512<double> b) => (a.AsInt64() - b.AsInt64()).AsDouble();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> Exp(Vector512<double> x) => VectorExp.Polynomial<Lanes8, Vector512<double>>(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Exp4(ref Vector512<double> x0, ref Vector512<double> x1, ref Vector512<double> x2, ref Vector512<double> x3) =>
        VectorExp.FourPolynomials<Lanes8, Vector512<double>>(ref x0, ref x1, ref x2, ref x3);

    /// <summary>Four doubles, in the lower half and again in the upper.</summary>
    /// <remarks>
    /// The JIT of .NET 10.0 takes a displacement of 16 to 2032 bytes that it folds into this load for twice as far. Give it a pointer as it
    /// is, or one farther off; SameBytesTests fails otherwise.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> Twice(double* source) => Avx512F.IsSupported
        ? Avx512F.BroadcastVector256ToVector512(source)
        : Vector512.Create(Vector256.Load(source), Vector256.Load(source));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Sum(Vector512<double> a) => Lanes4.Sum(a.GetLower() + a.GetUpper());

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<double> Sum4(Vector512<double> a, Vector512<double> b, Vector512<double> c, Vector512<double> d)
        => Lanes4.Sum4(a.GetLower() + a.GetUpper(), b.GetLower() + b.GetUpper(), c.GetLower() + c.GetUpper(), d.GetLower() + d.GetUpper());

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> SumOfLanes(Vector512<double> a)
    {
        a = a + Vector512.Shuffle(a, Vector512.Create(4L, 5, 6, 7, 0, 1, 2, 3));
        a = a + Vector512.Shuffle(a, Vector512.Create(2L, 3, 0, 1, 6, 7, 4, 5));
        return a + Vector512.Shuffle(a, Vector512.Create(1L, 0, 3, 2, 5, 4, 7, 6));
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> LargestLane(Vector512<double> a)
    {
        a = Max(a, Vector512.Shuffle(a, Vector512.Create(4L, 5, 6, 7, 0, 1, 2, 3)));
        a = Max(a, Vector512.Shuffle(a, Vector512.Create(2L, 3, 0, 1, 6, 7, 4, 5)));
        return Max(a, Vector512.Shuffle(a, Vector512.Create(1L, 0, 3, 2, 5, 4, 7, 6)));
    }
}
