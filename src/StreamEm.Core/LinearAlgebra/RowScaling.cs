using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>
/// Rows in other units: (x - location[d]) factor[d], held within a bound. Rows stay rows: the coefficients are repeated so that a vector
/// may begin at any feature.
/// </summary>
internal sealed unsafe class RowScaling
{
    /// <summary>Doubles of the widest vector.</summary>
    private const int Widest = 8;

    private readonly int _dimension;
    private readonly double _bound;
    private readonly AlignedDoubles _location, _factor;

    /// <summary>For rows of <paramref name="location"/>.Length features.</summary>
    /// <param name="location">D.</param>
    /// <param name="factor">D.</param>
    /// <param name="bound">The largest magnitude of a result.</param>
    public RowScaling(ReadOnlySpan<double> location, ReadOnlySpan<double> factor, double bound)
    {
        KernelShape.Require(factor.Length, location.Length, 1, nameof(factor));
        (_dimension, _bound) = (location.Length, bound);
        _location = Repeat(location);
        _factor = Repeat(factor);
    }

    /// <summary>
    /// Overwrites <paramref name="result"/> with whole rows of <paramref name="rows"/> in the other units; a NaN stays one.
    /// </summary>
    /// <returns>Whether there was no NaN.</returns>
    public bool Apply(ReadOnlySpan<double> rows, Span<double> result) => Apply(Kernels.Path, rows, result);

    /// <summary>The same on a chosen path.</summary>
    internal bool Apply(KernelPath path, ReadOnlySpan<double> rows, Span<double> result)
    {
        KernelShape.Require(result.Length, rows.Length, 1, nameof(result));
        fixed (double* from = rows, to = result)
        {
            bool complete = path switch
            {
                KernelPath.Avx512 => Run<Lanes8, Vector512<double>>(from, to, rows.Length),
                KernelPath.Avx2 => Run<Lanes4, Vector256<double>>(from, to, rows.Length),
                _ => Run<Lanes2, Vector128<double>>(from, to, rows.Length),
            };
            GC.KeepAlive(this);
            return complete;
        }
    }

    private bool Run<TLanes, TVector>(double* from, double* to, int length)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        TVector zero = TLanes.Broadcast(0), zeros = zero, moreZeros = zero;
        int at = 0, feature = 0, step = TLanes.Count % _dimension;
        for (; at <= length - 2 * TLanes.Count; at += 2 * TLanes.Count)
        {
            TVector a = Scaled<TLanes, TVector>(TLanes.Load(from + at), feature);
            feature = Next(feature, step);
            TVector b = Scaled<TLanes, TVector>(TLanes.Load(from + at + TLanes.Count), feature);
            feature = Next(feature, step);
            TLanes.Store(a, to + at);
            TLanes.Store(b, to + at + TLanes.Count);
            // 0 for every value but NaN.
            zeros = TLanes.Fma(a, zero, zeros);
            moreZeros = TLanes.Fma(b, zero, moreZeros);
        }
        double* rest = stackalloc double[Widest];
        double sum = TLanes.Sum(TLanes.Add(zeros, moreZeros));
        for (; at < length; at++, feature = Next(feature, 1 % _dimension))
        {
            TLanes.Store(Scaled<TLanes, TVector>(TLanes.Broadcast(from[at]), feature), rest);
            to[at] = rest[0];
            sum += 0 * rest[0];
        }
        return sum == 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private TVector Scaled<TLanes, TVector>(TVector x, int feature)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        TVector high = TLanes.Broadcast(_bound), low = TLanes.Broadcast(-_bound);
        x = TLanes.Multiply(TLanes.Subtract(x, TLanes.Load(_location.Pointer + feature)), TLanes.Load(_factor.Pointer + feature));
        x = TLanes.SelectLess(x, low, low, x);
        return TLanes.SelectLess(high, x, high, x);
    }

    private int Next(int feature, int step)
    {
        int next = feature + step;
        return next >= _dimension ? next - _dimension : next;
    }

    private AlignedDoubles Repeat(ReadOnlySpan<double> values)
    {
        var result = new AlignedDoubles(_dimension + Widest);
        for (int at = 0; at < result.Length; at++) result.Span[at] = values[at % _dimension];
        return result;
    }
}
