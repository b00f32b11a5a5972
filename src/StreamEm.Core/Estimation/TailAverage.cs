using System.Numerics;
using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Vectors;

namespace StreamEm.Core.Estimation;

/// <summary>
/// The average of the iterates over the last half of the stream so far (Polyak &amp; Juditsky 1992; Cappé &amp; Moulines 2009, eq. 29): it
/// has the variance of step sizes 1 / t while the iterates move with larger ones. Two sums: at every power of two the one that began at the
/// power before takes over and the other begins, so that the window is the last half to three quarters, and never holds the first iterate.
/// Blocks are averaged in their <see cref="Coordinates"/>; all domains are convex there. Part of the state.
/// </summary>
/// <param name="layout">The parameters' blocks.</param>
internal sealed class TailAverage(VectorLayout layout)
{
    private readonly double[] _current = new double[layout.Length], _next = new double[layout.Length];
    private long _updates, _ofCurrent, _ofNext;

    /// <summary>Iterates in the average; below 2 there is none.</summary>
    public long Count => _ofCurrent;

    /// <summary>Takes Theta(t).</summary>
    public void Take(ReadOnlySpan<double> parameters)
    {
        if (++_updates < 2) return;
        if (BitOperations.IsPow2(_updates))
        {
            _next.CopyTo(_current, 0);
            _ofCurrent = _ofNext;
            Array.Clear(_next);
            _ofNext = 0;
        }
        Add(_current, parameters, ++_ofCurrent);
        Add(_next, parameters, ++_ofNext);
    }

    /// <summary>The average; null while there is none.</summary>
    public double[]? Average()
    {
        if (_ofCurrent < 2) return null;
        double[] result = [.. _current];
        foreach (VectorBlock block in layout.Blocks)
            if (block.Coordinates == Coordinates.Logarithm)
                foreach (ref double value in block.Of(result.AsSpan())) value = ScalarMath.Exp(value);
        return result;
    }

    /// <summary>What comes is no more of the same path: a component began anew, or the step size.</summary>
    public void BeginAgain()
    {
        (_updates, _ofCurrent, _ofNext) = (0, 0, 0);
        Array.Clear(_current);
        Array.Clear(_next);
    }

    public void Save(BinaryWriter writer)
    {
        foreach (long count in (ReadOnlySpan<long>)[_updates, _ofCurrent, _ofNext]) writer.Write(count);
        writer.WriteDoubles(_current);
        writer.WriteDoubles(_next);
    }

    /// <exception cref="InvalidDataException">It is of another shape.</exception>
    public void Load(BinaryReader reader)
    {
        (_updates, _ofCurrent, _ofNext) = (reader.ReadInt64(), reader.ReadInt64(), reader.ReadInt64());
        double[] current = reader.ReadDoubles(), next = reader.ReadDoubles();
        bool isValid = current.Length == _current.Length && next.Length == _next.Length && _updates >= _ofCurrent && _ofCurrent >= _ofNext
            && _ofNext >= 0 && current.Concat(next).All(double.IsFinite);
        if (!isValid) throw new InvalidDataException("The state is damaged: the average of the iterates is none of these parameters.");
        current.CopyTo(_current, 0);
        next.CopyTo(_next, 0);
    }

    /// <summary>mean += (value - mean) / count.</summary>
    private void Add(double[] means, ReadOnlySpan<double> parameters, long count)
    {
        double gain = 1.0 / count;
        foreach (VectorBlock block in layout.Blocks)
        {
            Span<double> of = block.Of(means.AsSpan());
            ReadOnlySpan<double> values = block.Of(parameters);
            if (block.Coordinates == Coordinates.Linear) Interpolation.Toward(of, values, gain);
            else
                for (int at = 0; at < of.Length; at++) of[at] += gain * (ScalarMath.Log(values[at]) - of[at]);
        }
    }
}
