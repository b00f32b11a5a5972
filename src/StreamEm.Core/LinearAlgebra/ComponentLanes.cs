using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>
/// The Gaussian forms of ONE row, a SIMD lane being a component: what a block of 256 rows does for throughput, this does for the latency of
/// a single event, and to the same bytes: every component's squares are added in the order of the features. All coefficients of eight
/// components are one stream in the order in which they are used: at D = 8 instructions are what counts, so one pointer walks over it, two
/// features at a time, and eight lanes are two vectors on AVX-512 as well. Padding's constant is negative infinity.
/// </summary>
internal sealed unsafe class ComponentLanes
{
    /// <summary>Components are padded to a multiple of this.</summary>
    public const int Padding = 8;

    private readonly int _components, _dimension, _groupLength;
    private readonly bool _triangular;
    private readonly AlignedDoubles _stream;

    private ComponentLanes(
        int components, int dimension, ReadOnlySpan<double> factors, ReadOnlySpan<double> biases, ReadOnlySpan<double> constants,
        bool triangular)
    {
        (_components, _dimension, _triangular) = (Padded(components), dimension, triangular);
        int length = factors.Length / components;
        _groupLength = Padding * (length + dimension + 1);
        _stream = new AlignedDoubles(_components / Padding * _groupLength);
        double[] negated = new double[biases.Length];
        for (int at = 0; at < negated.Length; at++) negated[at] = -biases[at];
        Span<double> to = _stream.Span;
        for (int first = 0; first < _components; first += Padding)
        {
            int i = dimension % 2;
            if (i != 0)
            {
                Put(ref to, negated, dimension, 0, first);
                Put(ref to, factors, length, 0, first);
            }
            for (; i < dimension; i += 2)
            {
                Put(ref to, negated, dimension, i, first);
                Put(ref to, negated, dimension, i + 1, first);
                for (int d = triangular ? 0 : i; d <= i; d++)
                {
                    Put(ref to, factors, length, triangular ? Packed.Index(i, d) : i, first);
                    Put(ref to, factors, length, triangular ? Packed.Index(i + 1, d) : i + 1, first);
                }
                if (triangular) Put(ref to, factors, length, Packed.Index(i + 1, i + 1), first);
            }
            Put(ref to, constants, 1, 0, first, double.NegativeInfinity);
        }
    }

    /// <summary>Lanes for K components.</summary>
    public static int Padded(int components) => (components + Padding - 1) / Padding * Padding;

    /// <summary>For forms as in <c>QuadraticForms.AddTriangular</c>.</summary>
    public static ComponentLanes Triangular(
        int components, int dimension, ReadOnlySpan<double> factors, ReadOnlySpan<double> biases, ReadOnlySpan<double> constants) =>
        new(components, dimension, factors, biases, constants, triangular: true);

    /// <summary>For forms as in <c>QuadraticForms.AddDiagonal</c>.</summary>
    public static ComponentLanes Diagonal(
        int components, int dimension, ReadOnlySpan<double> factors, ReadOnlySpan<double> biases, ReadOnlySpan<double> constants) =>
        new(components, dimension, factors, biases, constants, triangular: false);

    /// <summary>Writes addend plus form of <paramref name="row"/> for every component.</summary>
    /// <param name="row">D complete values.</param>
    /// <param name="addends"><see cref="Padded"/> values, finite beyond K.</param>
    /// <param name="result"><see cref="Padded"/> values, overwritten; negative infinity beyond K.</param>
    public void Sum(ReadOnlySpan<double> row, ReadOnlySpan<double> addends, Span<double> result) => Sum(Kernels.Path, row, addends, result);

    /// <summary>The same on a chosen path.</summary>
    internal void Sum(KernelPath path, ReadOnlySpan<double> row, ReadOnlySpan<double> addends, Span<double> result)
    {
        KernelShape.Require(row.Length, 1, _dimension, nameof(row));
        KernelShape.Require(addends.Length, 1, _components, nameof(addends));
        KernelShape.Require(result.Length, 1, _components, nameof(result));
        fixed (double* x = row, a = addends, to = result)
        {
            if (path == KernelPath.Portable) Run<Lanes2, Vector128<double>>(x, a, to);
            else Run<Lanes4, Vector256<double>>(x, a, to);
        }
        GC.KeepAlive(this);
    }

    private void Run<TLanes, TVector>(double* x, double* addends, double* result)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        double* group = _stream.Pointer;
        for (int k = 0; k < _components; k += Padding, group += _groupLength)
        {
            for (int lane = 0; lane < Padding; lane += 2 * TLanes.Count)
            {
                if (_triangular) Triangle<TLanes, TVector>(x, group + lane, addends + k + lane, result + k + lane);
                else Independent<TLanes, TVector>(x, group + lane, addends + k + lane, result + k + lane);
            }
        }
    }

    /// <summary>Rows i and i + 1 of the factor at a time; the first alone where D is odd.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Triangle<TLanes, TVector>(double* x, double* w, double* addends, double* result)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        int next = TLanes.Count;
        TVector p = TLanes.Broadcast(0), q = p;
        double* end = x + _dimension;
        double* last = x;
        if (_dimension % 2 != 0)
        {
            TVector v = TLanes.Broadcast(*last++);
            TVector y = TLanes.Fma(TLanes.Load(w + Padding), v, TLanes.Load(w)),
                z = TLanes.Fma(TLanes.Load(w + Padding + next), v, TLanes.Load(w + next));
            (p, q) = (TLanes.Multiply(y, y), TLanes.Multiply(z, z));
            w += 2 * Padding;
        }
        for (; last < end; last += 2)
        {
            TVector a = TLanes.Load(w), b = TLanes.Load(w + next), c = TLanes.Load(w + Padding), d = TLanes.Load(w + Padding + next), v;
            w += 2 * Padding;
            for (double* at = x; at <= last; at++, w += 2 * Padding)
            {
                v = TLanes.Broadcast(*at);
                a = TLanes.Fma(TLanes.Load(w), v, a);
                b = TLanes.Fma(TLanes.Load(w + next), v, b);
                c = TLanes.Fma(TLanes.Load(w + Padding), v, c);
                d = TLanes.Fma(TLanes.Load(w + Padding + next), v, d);
            }
            v = TLanes.Broadcast(last[1]);
            c = TLanes.Fma(TLanes.Load(w), v, c);
            d = TLanes.Fma(TLanes.Load(w + next), v, d);
            w += Padding;
            p = TLanes.Fma(c, c, TLanes.Fma(a, a, p));
            q = TLanes.Fma(d, d, TLanes.Fma(b, b, q));
        }
        Finish<TLanes, TVector>(p, q, w, addends, result);
    }

    /// <summary>Features i and i + 1 at a time; the first alone where D is odd.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Independent<TLanes, TVector>(double* x, double* w, double* addends, double* result)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        int next = TLanes.Count;
        TVector p = TLanes.Broadcast(0), q = p, y, z, v;
        double* end = x + _dimension;
        if (_dimension % 2 != 0)
        {
            v = TLanes.Broadcast(*x++);
            y = TLanes.Fma(TLanes.Load(w + Padding), v, TLanes.Load(w));
            z = TLanes.Fma(TLanes.Load(w + Padding + next), v, TLanes.Load(w + next));
            (p, q) = (TLanes.Multiply(y, y), TLanes.Multiply(z, z));
            w += 2 * Padding;
        }
        for (; x < end; x += 2, w += 4 * Padding)
        {
            v = TLanes.Broadcast(x[0]);
            y = TLanes.Fma(TLanes.Load(w + 2 * Padding), v, TLanes.Load(w));
            z = TLanes.Fma(TLanes.Load(w + 2 * Padding + next), v, TLanes.Load(w + next));
            p = TLanes.Fma(y, y, p);
            q = TLanes.Fma(z, z, q);
            v = TLanes.Broadcast(x[1]);
            y = TLanes.Fma(TLanes.Load(w + 3 * Padding), v, TLanes.Load(w + Padding));
            z = TLanes.Fma(TLanes.Load(w + 3 * Padding + next), v, TLanes.Load(w + Padding + next));
            p = TLanes.Fma(y, y, p);
            q = TLanes.Fma(z, z, q);
        }
        Finish<TLanes, TVector>(p, q, w, addends, result);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish<TLanes, TVector>(TVector p, TVector q, double* constants, double* addends, double* result)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        int next = TLanes.Count;
        TVector half = TLanes.Broadcast(-0.5);
        TLanes.Store(TLanes.Add(TLanes.Load(addends), TLanes.Fma(half, p, TLanes.Load(constants))), result);
        TLanes.Store(TLanes.Add(TLanes.Load(addends + next), TLanes.Fma(half, q, TLanes.Load(constants + next))), result + next);
    }

    /// <summary>Appends entry <paramref name="at"/> of the eight components from <paramref name="first"/> on, out of [K, length].</summary>
    private static void Put(ref Span<double> to, ReadOnlySpan<double> values, int length, int at, int first, double padding = 0)
    {
        int components = values.Length / length;
        for (int lane = 0; lane < Padding; lane++) to[lane] = first + lane < components ? values[(first + lane) * length + at] : padding;
        to = to[Padding..];
    }
}
