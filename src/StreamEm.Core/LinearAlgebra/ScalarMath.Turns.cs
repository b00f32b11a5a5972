namespace StreamEm.Core.LinearAlgebra;

/// <summary>Sine and cosine of parts of a turn.</summary>
internal static partial class ScalarMath
{
    private const double TwoPi = 6.283185307179586;

    /// <summary>1 / n! with alternating signs: of sine from 1 / 1! on, of cosine from 1 / 0! on; the first one left out adds below 1e-18.
    /// </summary>
    private static readonly double[] SineTerms = AlternatingInverseFactorials(1, 10), CosineTerms = AlternatingInverseFactorials(0, 10);

    /// <summary>sin(2 pi t) and cos(2 pi t) of t in [0, 1], to 2 ulp of 1: Taylor's series within an eighth of a turn.</summary>
    public static (double Sine, double Cosine) Turn(double turns)
    {
        int quarter = (int)(4 * turns + 0.5);
        double angle = TwoPi * (turns - 0.25 * quarter), square = angle * angle, sine = 0, cosine = 0;
        for (int at = SineTerms.Length - 1; at >= 0; at--)
        {
            sine = Math.FusedMultiplyAdd(sine, square, SineTerms[at]);
            cosine = Math.FusedMultiplyAdd(cosine, square, CosineTerms[at]);
        }
        sine *= angle;
        return (quarter & 3) switch
        {
            0 => (sine, cosine),
            1 => (cosine, -sine),
            2 => (-sine, -cosine),
            _ => (-cosine, sine),
        };
    }

    private static double[] AlternatingInverseFactorials(int first, int count)
    {
        double[] terms = new double[count];
        double factorial = 1;
        for (int n = 1, at = 0; at < count; n++)
        {
            if ((n - 1) % 2 == first) terms[at++] = (at % 2 == 1 ? 1 : -1) / factorial;
            factorial *= n;
        }
        return terms;
    }
}
