namespace StreamEm.Core.Models;

/// <summary>
/// How many observations averaged statistics stand for, in the two senses an M-step asks in. They differ in the parameter recursion, whose
/// averages are of one minibatch: a prior must weigh against the whole memory of the stream, or it is counted once per minibatch.
/// </summary>
/// <param name="Evidence">Observations in the averages: whether a component has any.</param>
/// <param name="Prior">Observations the parameters stand for (n_eff): a prior of a few imaginary rows weighs 1 / n_eff of it.</param>
public readonly record struct RowsWorth(double Evidence, double Prior)
{
    /// <summary>The same number in both senses.</summary>
    public static implicit operator RowsWorth(double rows) => FromDouble(rows);

    /// <summary>The same number in both senses.</summary>
    public static RowsWorth FromDouble(double rows) => new(rows, rows);
}
