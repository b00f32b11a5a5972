using System.Runtime.Intrinsics;

namespace StreamEm.Core.LinearAlgebra;

/// <summary>
/// The arithmetic of one vector width, so that a kernel is written once. An implementation has no state: the JIT compiles a kernel per
/// width and inlines every operation to an instruction (on hardware without it, to an equivalent sequence with the same result).
/// </summary>
/// <typeparam name="TVector">The vector of doubles.</typeparam>
internal unsafe interface ILanes<TVector>
    where TVector : struct
{
    /// <summary>Doubles per vector.</summary>
    static abstract int Count { get; }

    /// <summary>Reads <see cref="Count"/> doubles, aligned or not.</summary>
    static abstract TVector Load(double* source);

    /// <summary>The first lane.</summary>
    static abstract double First(TVector a);

    /// <summary>Writes <see cref="Count"/> doubles, aligned or not.</summary>
    static abstract void Store(TVector value, double* target);

    /// <summary>The same value in every lane.</summary>
    static abstract TVector Broadcast(double value);

    /// <summary>a + b.</summary>
    static abstract TVector Add(TVector a, TVector b);

    /// <summary>a - b.</summary>
    static abstract TVector Subtract(TVector a, TVector b);

    /// <summary>a b.</summary>
    static abstract TVector Multiply(TVector a, TVector b);

    /// <summary>a / b.</summary>
    static abstract TVector Divide(TVector a, TVector b);

    /// <summary>a b + c, rounded once.</summary>
    static abstract TVector Fma(TVector a, TVector b, TVector c);

    /// <summary>a &gt; b ? a : b: the second where one is NaN, and of zeros of both signs.</summary>
    static abstract TVector Max(TVector a, TVector b);

    /// <summary>The largest integer not above, per lane.</summary>
    static abstract TVector Floor(TVector a);

    /// <summary>Per lane: a &lt; b ? whenTrue : whenFalse.</summary>
    static abstract TVector SelectLess(TVector a, TVector b, TVector whenTrue, TVector whenFalse);

    /// <summary>The bits as 64-bit integers: (a &gt;&gt; shift) + b, b given as an integer.</summary>
    static abstract TVector ShiftRightAdd(TVector a, int shift, long b);

    /// <summary>The bits as 64-bit integers: a &lt;&lt; shift.</summary>
    static abstract TVector ShiftLeft(TVector a, int shift);

    /// <summary>The bits as 64-bit integers: a - b.</summary>
    static abstract TVector SubtractBits(TVector a, TVector b);

    /// <summary>exp(x); see <see cref="VectorExp"/> for the range and the error.</summary>
    static abstract TVector Exp(TVector x);

    /// <summary>Overwrites four vectors by their exp.</summary>
    static abstract void Exp4(ref TVector x0, ref TVector x1, ref TVector x2, ref TVector x3);

    /// <summary>The sums over the lanes of four vectors, each as <see cref="LaneSums"/> says.</summary>
    static abstract Vector256<double> Sum4(TVector a, TVector b, TVector c, TVector d);

    /// <summary>The sum over the lanes, as <see cref="LaneSums"/> says.</summary>
    static abstract double Sum(TVector a);

    /// <summary>The sum over the lanes, in every lane.</summary>
    static abstract TVector SumOfLanes(TVector a);

    /// <summary>The largest lane, in every lane.</summary>
    static abstract TVector LargestLane(TVector a);
}
