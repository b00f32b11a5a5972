using System.Numerics;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>The stepwise recursion's arithmetic.</summary>
internal static class Interpolation
{
    /// <summary>values += gamma (target - values): (1 - gamma) values + gamma target, exact where both are equal.</summary>
    public static void Toward(Span<double> values, ReadOnlySpan<double> target, double gamma)
    {
        int at = 0, width = Vector<double>.Count;
        var step = new Vector<double>(gamma);
        for (; at <= values.Length - width; at += width)
        {
            var old = new Vector<double>(values[at..]);
            Vector.FusedMultiplyAdd(step, new Vector<double>(target[at..]) - old, old).CopyTo(values[at..]);
        }
        for (; at < values.Length; at++) values[at] = Math.FusedMultiplyAdd(gamma, target[at] - values[at], values[at]);
    }

    /// <summary>values += addend.</summary>
    public static void Add(Span<double> values, ReadOnlySpan<double> addend)
    {
        int at = 0, width = Vector<double>.Count;
        for (; at <= values.Length - width; at += width)
            (new Vector<double>(values[at..]) + new Vector<double>(addend[at..])).CopyTo(values[at..]);
        for (; at < values.Length; at++) values[at] += addend[at];
    }

    /// <summary>values *= factor.</summary>
    public static void Multiply(Span<double> values, double factor)
    {
        int at = 0, width = Vector<double>.Count;
        for (; at <= values.Length - width; at += width) (new Vector<double>(values[at..]) * factor).CopyTo(values[at..]);
        for (; at < values.Length; at++) values[at] *= factor;
    }
}
