using System.Runtime.Intrinsics;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>
/// The Gaussian forms of ONE row, a SIMD lane being a component: what a block of 256 rows does for throughput, this does for the latency of a single
/// event. Coefficients are kept with the component as the fastest index, padded to whole vectors; the padding's constant is negative infinity.
/// </summary>
internal sealed unsafe class ComponentLanes
{
    /// <summary>Components are padded to a multiple of this: the widest vector.</summary>
    public const int Padding = 8;

    private readonly int _components, _dimension;
    private readonly AlignedDoubles _factors, _biases, _constants;
    private readonly bool _triangular;

    private ComponentLanes(
        int components, int dimension, ReadOnlySpan<double> factors, ReadOnlySpan<double> biases, ReadOnlySpan<double> constants, bool triangular)
    {
        (_components, _dimension, _triangular) = (Padded(components), dimension, triangular);
        _factors = Interleave(factors, components);
        _biases = Interleave(biases, components);
        _constants = Interleave(constants, components);
        foreach (ref double bias in _biases.Span) bias = -bias;
        _constants.Span[components..].Fill(double.NegativeInfinity);
    }

    /// <summary>Lanes for K components.</summary>
    public static int Padded(int components) => (components + Padding - 1) / Padding * Padding;

    /// <summary>For forms as in <see cref="QuadraticForms.AddTriangular(ReadOnlySpan{double}, int, int, ReadOnlySpan{double}, ReadOnlySpan{double}, ReadOnlySpan{double}, Span{double}, int)"/>.</summary>
    public static ComponentLanes Triangular(int components, int dimension, ReadOnlySpan<double> factors, ReadOnlySpan<double> biases, ReadOnlySpan<double> constants) =>
        new(components, dimension, factors, biases, constants, triangular: true);

    /// <summary>For forms as in <see cref="QuadraticForms.AddDiagonal(ReadOnlySpan{double}, int, int, ReadOnlySpan{double}, ReadOnlySpan{double}, ReadOnlySpan{double}, Span{double}, int)"/>.</summary>
    public static ComponentLanes Diagonal(int components, int dimension, ReadOnlySpan<double> factors, ReadOnlySpan<double> biases, ReadOnlySpan<double> constants) =>
        new(components, dimension, factors, biases, constants, triangular: false);

    /// <summary>Adds the form of <paramref name="row"/> (D complete values) to every component's entry of <paramref name="logJoint"/>.</summary>
    /// <param name="row">D.</param>
    /// <param name="logJoint"><see cref="Padded"/> values; those beyond K become negative infinity.</param>
    public void AddTo(ReadOnlySpan<double> row, Span<double> logJoint) => AddTo(Kernels.Path, row, logJoint);

    /// <summary>The same on a chosen path.</summary>
    internal void AddTo(KernelPath path, ReadOnlySpan<double> row, Span<double> logJoint)
    {
        KernelShape.Require(row.Length, 1, _dimension, nameof(row));
        KernelShape.Require(logJoint.Length, 1, _components, nameof(logJoint));
        fixed (double* x = row, joint = logJoint)
        {
            if (path == KernelPath.Avx512) Run<Lanes8, Vector512<double>>(x, joint);
            else if (path == KernelPath.Avx2) Run<Lanes4, Vector256<double>>(x, joint);
            else Run<Lanes2, Vector128<double>>(x, joint);
        }
    }

    private void Run<TLanes, TVector>(double* x, double* joint)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        double* factors = _factors.Pointer, biases = _biases.Pointer, constants = _constants.Pointer;
        TVector half = TLanes.Broadcast(-0.5);
        int k = 0;
        for (; k + 2 * TLanes.Count <= _components; k += 2 * TLanes.Count)
        {
            TVector p = TLanes.Broadcast(0), q = p;
            double* w = factors + k;
            double* b = biases + k;
            for (int i = 0; i < _dimension; i++, b += _components)
            {
                TVector y = TLanes.Load(b), z = TLanes.Load(b + TLanes.Count);
                for (int d = _triangular ? 0 : i; d <= i; d++, w += _components)
                {
                    TVector v = TLanes.Broadcast(x[d]);
                    y = TLanes.Fma(TLanes.Load(w), v, y);
                    z = TLanes.Fma(TLanes.Load(w + TLanes.Count), v, z);
                }
                p = TLanes.Fma(y, y, p);
                q = TLanes.Fma(z, z, q);
            }
            int next = k + TLanes.Count;
            TLanes.Store(TLanes.Add(TLanes.Load(joint + k), TLanes.Fma(half, p, TLanes.Load(constants + k))), joint + k);
            TLanes.Store(TLanes.Add(TLanes.Load(joint + next), TLanes.Fma(half, q, TLanes.Load(constants + next))), joint + next);
        }
        for (; k < _components; k += TLanes.Count)
        {
            TVector p = TLanes.Broadcast(0);
            double* w = factors + k;
            for (int i = 0; i < _dimension; i++)
            {
                TVector y = TLanes.Load(biases + i * _components + k);
                for (int d = _triangular ? 0 : i; d <= i; d++, w += _components) y = TLanes.Fma(TLanes.Load(w), TLanes.Broadcast(x[d]), y);
                p = TLanes.Fma(y, y, p);
            }
            TLanes.Store(TLanes.Add(TLanes.Load(joint + k), TLanes.Fma(half, p, TLanes.Load(constants + k))), joint + k);
        }
        GC.KeepAlive(this);
    }

    /// <summary>[K, n] to [n, padded K].</summary>
    private AlignedDoubles Interleave(ReadOnlySpan<double> values, int components)
    {
        int length = values.Length / components;
        var result = new AlignedDoubles(length * _components);
        for (int k = 0; k < components; k++)
            for (int at = 0; at < length; at++) result.Span[at * _components + k] = values[k * length + at];
        return result;
    }
}
