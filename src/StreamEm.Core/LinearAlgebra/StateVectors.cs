using System.Numerics;
using System.Runtime.Intrinsics;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>
/// Vectors of a few numbers, a state's or a record's: entry by entry, or sums in an order that no width of a register changes. Results may
/// be one of the vectors they are made of where they are made entry by entry.
/// </summary>
internal static class StateVectors
{
    /// <summary>result_j = a_j b_j.</summary>
    public static void Multiply(ReadOnlySpan<double> a, ReadOnlySpan<double> b, Span<double> result)
    {
        int at = 0, width = Vector<double>.Count;
        for (; at <= result.Length - width; at += width)
            (new Vector<double>(a[at..]) * new Vector<double>(b[at..])).CopyTo(result[at..]);
        for (; at < result.Length; at++) result[at] = a[at] * b[at];
    }

    /// <summary>values_j /= divisor.</summary>
    public static void Divide(Span<double> values, double divisor)
    {
        int at = 0, width = Vector<double>.Count;
        var by = new Vector<double>(divisor);
        for (; at <= values.Length - width; at += width) (new Vector<double>(values[at..]) / by).CopyTo(values[at..]);
        for (; at < values.Length; at++) values[at] /= divisor;
    }

    /// <summary>values_j *= b_j / divisor.</summary>
    public static void MultiplyByQuotient(Span<double> values, ReadOnlySpan<double> b, double divisor)
    {
        int at = 0, width = Vector<double>.Count;
        var by = new Vector<double>(divisor);
        for (; at <= values.Length - width; at += width)
            (new Vector<double>(values[at..]) * (new Vector<double>(b[at..]) / by)).CopyTo(values[at..]);
        for (; at < values.Length; at++) values[at] *= b[at] / divisor;
    }

    /// <summary>result_j += a_j b_j, rounded once.</summary>
    public static void AddProducts(ReadOnlySpan<double> a, ReadOnlySpan<double> b, Span<double> result)
    {
        int at = 0, width = Vector<double>.Count;
        for (; at <= result.Length - width; at += width)
            Vector.FusedMultiplyAdd(new Vector<double>(a[at..]), new Vector<double>(b[at..]), new Vector<double>(result[at..]))
                .CopyTo(result[at..]);
        for (; at < result.Length; at++) result[at] = Math.FusedMultiplyAdd(a[at], b[at], result[at]);
    }

    /// <summary>The largest; negative infinity of none. A NaN is passed over.</summary>
    public static double Largest(ReadOnlySpan<double> values)
    {
        double largest = double.NegativeInfinity;
        Vector256<double> most = Vector256.Create(largest);
        int at = 0;
        for (; at <= values.Length - 4; at += 4) most = Lanes4.Max(Vector256.Create(values.Slice(at, 4)), most);
        for (int lane = 0; lane < 4; lane++)
            if (most[lane] > largest) largest = most[lane];
        for (; at < values.Length; at++)
            if (values[at] > largest) largest = values[at];
        return largest;
    }

    /// <summary>sum_j a_j b_j: sixteen sums of every sixteenth product, then those, then what is left after the last four.</summary>
    public static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        b = b[..a.Length];
        int at = 0;
        Vector256<double> s0 = Vector256<double>.Zero, s1 = s0, s2 = s0, s3 = s0;
        for (; at <= a.Length - 16; at += 16)
        {
            s0 = Lanes4.Fma(Vector256.Create(a.Slice(at, 4)), Vector256.Create(b.Slice(at, 4)), s0);
            s1 = Lanes4.Fma(Vector256.Create(a.Slice(at + 4, 4)), Vector256.Create(b.Slice(at + 4, 4)), s1);
            s2 = Lanes4.Fma(Vector256.Create(a.Slice(at + 8, 4)), Vector256.Create(b.Slice(at + 8, 4)), s2);
            s3 = Lanes4.Fma(Vector256.Create(a.Slice(at + 12, 4)), Vector256.Create(b.Slice(at + 12, 4)), s3);
        }
        for (; at <= a.Length - 4; at += 4) s0 = Lanes4.Fma(Vector256.Create(a.Slice(at, 4)), Vector256.Create(b.Slice(at, 4)), s0);
        double sum = Lanes4.Sum(s0 + s1 + (s2 + s3));
        for (; at < a.Length; at++) sum = Math.FusedMultiplyAdd(a[at], b[at], sum);
        return sum;
    }

    /// <summary>result_j = sum_i v_i A_ij, in the order of i; A [K, K], no part of it or of v in the result.</summary>
    public static unsafe void Multiply(ReadOnlySpan<double> v, ReadOnlySpan<double> a, Span<double> result, int states)
    {
        KernelShape.Require(a.Length, states, states, nameof(a));
        KernelShape.Require(v.Length, states, 1, nameof(v));
        KernelShape.Require(result.Length, states, 1, nameof(result));
        int width = Vector<double>.Count, j = 0;
        fixed (double* x = v, matrix = a, to = result)
        {
            for (; j + 2 * width <= states; j += 2 * width)
            {
                Vector<double> left = Vector<double>.Zero, right = left;
                double* row = matrix + j;
                for (int i = 0; i < states; i++, row += states)
                {
                    var factor = new Vector<double>(x[i]);
                    left = Vector.FusedMultiplyAdd(factor, Vector.Load(row), left);
                    right = Vector.FusedMultiplyAdd(factor, Vector.Load(row + width), right);
                }
                Vector.Store(left, to + j);
                Vector.Store(right, to + j + width);
            }
            for (; j + width <= states; j += width)
            {
                Vector<double> sum = Vector<double>.Zero;
                for (int i = 0; i < states; i++)
                    sum = Vector.FusedMultiplyAdd(new Vector<double>(x[i]), Vector.Load(matrix + i * states + j), sum);
                Vector.Store(sum, to + j);
            }
            for (; j < states; j++)
            {
                double sum = 0;
                for (int i = 0; i < states; i++) sum = Math.FusedMultiplyAdd(x[i], matrix[i * states + j], sum);
                to[j] = sum;
            }
        }
    }

    /// <summary>sums_ij += v_i w_j factor; sums [K, K].</summary>
    public static unsafe void AddOuter(ReadOnlySpan<double> v, ReadOnlySpan<double> w, double factor, Span<double> sums, int states)
    {
        KernelShape.Require(sums.Length, states, states, nameof(sums));
        KernelShape.Require(v.Length, states, 1, nameof(v));
        KernelShape.Require(w.Length, states, 1, nameof(w));
        int width = Vector<double>.Count;
        fixed (double* x = v, y = w, to = sums)
        {
            double* row = to;
            for (int i = 0; i < states; i++, row += states)
            {
                double scaled = factor * x[i];
                var factors = new Vector<double>(scaled);
                int j = 0;
                for (; j + width <= states; j += width)
                    Vector.Store(Vector.FusedMultiplyAdd(factors, Vector.Load(y + j), Vector.Load(row + j)), row + j);
                for (; j < states; j++) row[j] = Math.FusedMultiplyAdd(scaled, y[j], row[j]);
            }
        }
    }
}
