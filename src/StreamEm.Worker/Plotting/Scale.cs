using System.Globalization;

namespace StreamEm.Worker.Plotting;

/// <summary>An axis, linear or in powers of ten.</summary>
/// <param name="axis">Of the values or of their logarithms to base 10.</param>
/// <param name="isLog">Whether it is of logarithms.</param>
internal sealed class Scale(Axis axis, bool isLog)
{
    /// <summary>An axis over some values.</summary>
    public static Scale Over(IEnumerable<double> values, bool isLog, double from, double to) =>
        new(Axis.Over(isLog ? values.Where(value => value > 0).Select(Math.Log10) : values, from, to), isLog);

    /// <summary>The pixel of a value.</summary>
    public double At(double value) => axis.At(isLog ? Math.Log10(value) : value);

    /// <summary>Whether a value has a place on it.</summary>
    public bool Has(double value) => double.IsFinite(value) && (!isLog || value > 0);

    /// <summary>Whether a value lies on it.</summary>
    public bool Shows(double value) => Has(value) && axis.Shows(isLog ? Math.Log10(value) : value);

    /// <summary>Round values.</summary>
    public IEnumerable<(double Value, string Text)> Ticks()
    {
        if (!isLog) return axis.Ticks();
        double decades = axis.High - axis.Low;
        int every = Math.Max(1, (int)Math.Ceiling(decades / 7));
        // An axis over less than a power of ten is read like any other.
        if (decades < 0.5)
            return new Axis(Math.Pow(10, axis.Low), Math.Pow(10, axis.High), axis.From, axis.To).Ticks();
        double[] parts = decades < 1.2 ? [1, 2, 3, 5] : decades < 2.5 ? [1, 3] : [1];
        return from power in Enumerable.Range((int)Math.Floor(axis.Low), (int)Math.Ceiling(decades) + 2)
               where power % every == 0
               from part in parts
               let value = part * Math.Pow(10, power)
               where axis.Shows(Math.Log10(value))
               select (value, value.ToString(value is >= 0.001 and < 1e5 ? "G5" : "0E+0", CultureInfo.InvariantCulture));
    }
}
