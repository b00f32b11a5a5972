using System.Runtime.Intrinsics;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>
/// The linear forms of ONE row, a SIMD lane being a component, to the bytes that <see cref="LinearForms"/> makes of it in a block. The
/// coefficients of eight components are one stream in the order in which they are used. Padding's constant is negative infinity.
/// </summary>
internal sealed unsafe class LinearLanes
{
    private const int Padding = ComponentLanes.Padding;
    private readonly int _components, _dimension;
    private readonly AlignedDoubles _stream;

    /// <summary>For forms as in <c>LinearForms.Add</c> with curvatures.</summary>
    /// <param name="components">K.</param>
    /// <param name="dimension">D.</param>
    /// <param name="slopes">K x D.</param>
    /// <param name="constants">K.</param>
    /// <param name="curvatures">K.</param>
    public LinearLanes(
        int components, int dimension, ReadOnlySpan<double> slopes, ReadOnlySpan<double> constants, ReadOnlySpan<double> curvatures)
    {
        (_components, _dimension) = (ComponentLanes.Padded(components), dimension);
        _stream = new AlignedDoubles(_components * (dimension + 2));
        Span<double> to = _stream.Span;
        for (int first = 0; first < _components; first += Padding, to = to[(Padding * (dimension + 2))..])
            for (int lane = 0; lane < Padding; lane++)
            {
                int k = first + lane;
                bool isOne = k < components;
                to[lane] = isOne ? constants[k] : double.NegativeInfinity;
                to[Padding + lane] = isOne ? curvatures[k] : 0;
                for (int d = 0; d < dimension; d++) to[(d + 2) * Padding + lane] = isOne ? slopes[k * dimension + d] : 0;
            }
    }

    /// <summary>Writes addend plus form of <paramref name="row"/> for every component.</summary>
    /// <param name="row">D complete values.</param>
    /// <param name="addends"><see cref="ComponentLanes.Padded"/> values, finite beyond K.</param>
    /// <param name="result"><see cref="ComponentLanes.Padded"/> values, overwritten; negative infinity beyond K.</param>
    public void Sum(ReadOnlySpan<double> row, ReadOnlySpan<double> addends, Span<double> result)
    {
        KernelShape.Require(row.Length, 1, _dimension, nameof(row));
        KernelShape.Require(addends.Length, 1, _components, nameof(addends));
        KernelShape.Require(result.Length, 1, _components, nameof(result));
        Vector256<double> norm = Vector256.Create(SquaredNorms.Of(row[.._dimension]));
        fixed (double* x = row, a = addends, to = result)
        {
            double* group = _stream.Pointer;
            for (int k = 0; k < _components; k += Padding, group += Padding * (_dimension + 2))
                Eight(x, group, norm, a + k, to + k);
        }
        GC.KeepAlive(this);
    }

    private void Eight(double* x, double* group, Vector256<double> norm, double* addends, double* result)
    {
        Vector256<double> p = Vector256.FusedMultiplyAdd(Vector256.Load(group + Padding), norm, Vector256.Load(group)),
            q = Vector256.FusedMultiplyAdd(Vector256.Load(group + Padding + 4), norm, Vector256.Load(group + 4));
        double* w = group + 2 * Padding;
        for (int d = 0; d < _dimension; d++, w += Padding)
        {
            Vector256<double> v = Vector256.Create(x[d]);
            p = Vector256.FusedMultiplyAdd(Vector256.Load(w), v, p);
            q = Vector256.FusedMultiplyAdd(Vector256.Load(w + 4), v, q);
        }
        Vector256.Store(Vector256.Load(addends) + p, result);
        Vector256.Store(Vector256.Load(addends + 4) + q, result + 4);
    }
}
