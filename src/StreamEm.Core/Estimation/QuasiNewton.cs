namespace StreamEm.Core.Estimation;

/// <summary>
/// The limited-memory BFGS approximation of the inverse of a curvature, from the last few steps and how the gradient changed along them
/// (Nocedal 1980; Nocedal &amp; Wright 2006, algorithm 7.4). Where it knows nothing it is that of the complete data, which EM's step is the
/// gradient times: its changes take the place of a multiple of the gradient's (Lange 1995; Jamshidian &amp; Jennrich 1997, section 3).
/// </summary>
/// <param name="length">How many coordinates.</param>
internal sealed class QuasiNewton(int length)
{
    private const int Steps = 10;

    private readonly List<Pair> _pairs = [];
    private readonly double[] _weights = new double[Steps], _rest = new double[length];

    /// <summary>Takes a step in; one along which the gradient does not fall says nothing and is left out.</summary>
    /// <param name="direction">Where to.</param>
    /// <param name="reach">How far.</param>
    /// <param name="before">Gradient and EM's step where it began.</param>
    /// <param name="after">Both where it ended.</param>
    public void Add(
        double[] direction, double reach, (double[] Gradient, double[] StepOfEm) before, (double[] Gradient, double[] StepOfEm) after)
    {
        Pair pair = _pairs.Count == Steps ? _pairs[0] : new Pair(length);
        if (_pairs.Count == Steps) _pairs.RemoveAt(0);
        for (int at = 0; at < length; at++)
        {
            pair.Step[at] = reach * direction[at];
            pair.Change[at] = before.Gradient[at] - after.Gradient[at];
            pair.ChangeOfEm[at] = before.StepOfEm[at] - after.StepOfEm[at];
        }
        pair.Product = Dot(pair.Step, pair.Change);
        if (pair.Product > 1e-12 * Math.Sqrt(Dot(pair.Step, pair.Step) * Dot(pair.Change, pair.Change))) _pairs.Add(pair);
    }

    /// <summary>Forgets all steps.</summary>
    public void Clear() => _pairs.Clear();

    /// <summary>The gradient times the approximation: where to go.</summary>
    /// <param name="gradient">Where it stands.</param>
    /// <param name="stepOfEm">EM's step from there.</param>
    /// <param name="result">Overwritten.</param>
    public void Direct(double[] gradient, double[] stepOfEm, double[] result)
    {
        gradient.CopyTo(_rest, 0);
        stepOfEm.CopyTo(result, 0);
        for (int at = _pairs.Count - 1; at >= 0; at--)
        {
            _weights[at] = Dot(_pairs[at].Step, _rest) / _pairs[at].Product;
            AddTimes(-_weights[at], _pairs[at].Change, _rest);
            AddTimes(-_weights[at], _pairs[at].ChangeOfEm, result);
        }
        for (int at = 0; at < _pairs.Count; at++)
            AddTimes(_weights[at] - Dot(_pairs[at].Change, result) / _pairs[at].Product, _pairs[at].Step, result);
    }

    /// <summary>The inner product, added in the order of the coordinates.</summary>
    public static double Dot(ReadOnlySpan<double> one, ReadOnlySpan<double> other)
    {
        double sum = 0;
        for (int at = 0; at < one.Length; at++) sum = Math.FusedMultiplyAdd(one[at], other[at], sum);
        return sum;
    }

    private static void AddTimes(double factor, double[] values, double[] result)
    {
        for (int at = 0; at < values.Length; at++) result[at] = Math.FusedMultiplyAdd(factor, values[at], result[at]);
    }

    private sealed class Pair(int length)
    {
        public double[] Step { get; } = new double[length];

        public double[] Change { get; } = new double[length];

        public double[] ChangeOfEm { get; } = new double[length];

        public double Product { get; set; }
    }
}
