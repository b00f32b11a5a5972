using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models;

/// <summary>
/// Which rows of a minibatch are too far from every component to be learned from: those whose squared distance d^2 (<see
/// cref="EmissionEStep.Distance"/>) from each of them is above c^2 = the chi-square value of as many degrees of freedom as values were
/// measured, with the tail that a normal value has beyond 6 standard deviations. Such a row is held back: it has a log-density like all
/// others and adds nothing to the statistics (a hard-rejection weight: Hampel, Ronchetti, Rousseeuw &amp; Stahel 1986, section 2.6;
/// Maronna, Martin, Yohai &amp; Salibian-Barrera 2019, section 6.4). One object serves all threads of a pass, whose rows are disjoint.
/// </summary>
internal sealed class InfluenceBound
{
    /// <summary>P(|x| > 6) of a standard normal x.</summary>
    public const double Tail = 1.973175290075e-9;

    private readonly double[] _limits;
    private bool[] _held = [];
    private double[] _squares = [];
    private double _slack = 1;

    /// <summary>Bounds for rows of up to <paramref name="dimension"/> values.</summary>
    public InfluenceBound(int dimension)
    {
        _limits = new double[dimension + 1];
        for (int values = 1; values <= dimension; values++) _limits[values] = ChiSquare(values);
    }

    private InfluenceBound(double[] limits) => _limits = limits;

    /// <summary>How many times as far as c a row may be and still be learned from: 1, more while a change is being learned.</summary>
    public double Reach { get; set; } = 1;

    /// <summary>Whether some row of the minibatch was held back before the E-step looked at any.</summary>
    public bool AnyHeldBefore { get; private set; }

    /// <summary>Bounds of the same rows, for a pass of its own.</summary>
    public InfluenceBound Another() => new(_limits);

    /// <summary>Begins a minibatch.</summary>
    /// <param name="rows">Its rows.</param>
    /// <param name="worth">Observations that a component stands for: few of them know their own spread badly, and c^2 grows as the square
    /// of Student's t does beside the normal (Cornish &amp; Fisher 1938, first term: t^2 = z^2 (1 + (z^2 + 1) / (2 n))).</param>
    public void Begin(int rows, double worth)
    {
        if (_held.Length < rows) (_held, _squares) = (new bool[rows], new double[rows]);
        Array.Clear(_held, 0, rows);
        AnyHeldBefore = false;
        double freedom = worth - (_limits.Length - 1);
        _slack = freedom > 1 ? 1 + (_limits[^1] + 1) / (2 * freedom) : double.PositiveInfinity;
    }

    /// <summary>Begins rows among which are those of another pass, as they stand there.</summary>
    /// <param name="other">The bounds of that pass.</param>
    /// <param name="rows">How many rows there are here.</param>
    /// <param name="places">Where the rows of that pass are among them.</param>
    public void BeginAs(InfluenceBound other, int rows, ReadOnlySpan<int> places)
    {
        Begin(rows, double.PositiveInfinity);
        (Reach, AnyHeldBefore, _slack) = (other.Reach, other.AnyHeldBefore, other._slack);
        for (int row = 0; row < places.Length; row++)
            (_held[places[row]], _squares[places[row]]) = (other._held[row], other._squares[row]);
    }

    /// <summary>Takes over which rows another pass held back.</summary>
    /// <param name="other">The bounds of that pass.</param>
    /// <param name="places">Where the rows here are among the rows there.</param>
    public void TakeFrom(InfluenceBound other, ReadOnlySpan<int> places)
    {
        for (int row = 0; row < places.Length; row++)
            (_held[row], _squares[row]) = (other._held[places[row]], other._squares[places[row]]);
    }

    /// <summary>Holds a row back whatever its distance: the E-step has still to count it.</summary>
    public void HoldBefore(int row) => (AnyHeldBefore, _held[row], _squares[row]) = (true, true, double.PositiveInfinity);

    /// <summary>Holds a row back that is as far as its relative square says.</summary>
    public void Hold(int row, double relativeSquare) => (_held[row], _squares[row]) = (true, relativeSquare);

    /// <summary>How far a row is that is held back, d^2 / c^2; infinite for one that was held back before its distance was known.</summary>
    public double Square(int row) => _squares[row];

    /// <summary>Whether a relative square is ten times as far as it takes to be held back.</summary>
    public bool IsRemote(double relativeSquare) => relativeSquare > 100 * Reach * Reach;

    /// <summary>Whether a row of the minibatch is held back.</summary>
    public bool IsHeld(int row) => _held[row];

    /// <summary>c^2 for a number of values.</summary>
    public double Limit(int values) => values == 0 ? double.PositiveInfinity : _limits[values] * _slack;

    /// <summary>How far a row is: the smallest d^2 / c^2 over the components, or any number up to 1 when one of them is near.</summary>
    /// <param name="emission">The components.</param>
    /// <param name="components">K.</param>
    /// <param name="block">The block.</param>
    /// <param name="index">The row in it.</param>
    /// <param name="first">The component that is looked at first.</param>
    public double RelativeSquare(EmissionEStep emission, int components, RowBlock block, int index, int first)
    {
        double least = double.PositiveInfinity;
        for (int at = 0; at < components && least > 1; at++)
        {
            int component = at == 0 ? first : at <= first ? at - 1 : at;
            MeasuredDistance distance = emission.Distance(block, index, component);
            if (distance.Values == 0) return 0;
            least = Math.Min(least, distance.Square / Limit(distance.Values));
        }
        return least;
    }

    /// <summary>
    /// How far a row is whose log-densities are given, as <see cref="RelativeSquare"/> says; one that is too far is held back.
    /// </summary>
    /// <param name="emission">The components.</param>
    /// <param name="block">The block.</param>
    /// <param name="index">The row in it.</param>
    /// <param name="logDensities">log p(x given z = k) [K].</param>
    /// <param name="peaks">What <see cref="EmissionEStep.AddPeaks"/> adds [K].</param>
    public double Judge(EmissionEStep emission, RowBlock block, int index, ReadOnlySpan<double> logDensities, ReadOnlySpan<double> peaks)
    {
        if (AnyHeldBefore && IsHeld(block.First + index)) return double.PositiveInfinity;
        int best = 0;
        for (int k = 1; k < logDensities.Length; k++)
            if (logDensities[k] > logDensities[best]) best = k;
        bool isWhole = !block.Row(index).Contains(double.NaN);
        if (isWhole && 2 * (peaks[best] - logDensities[best]) <= Limit(emission.MeasuredValues)) return 0;
        double square = RelativeSquare(emission, logDensities.Length, block, index, best);
        if (square > Reach * Reach) Hold(block.First + index, square);
        return square;
    }

    /// <summary>The value that chi-square of some degrees of freedom exceeds with probability <see cref="Tail"/>, by bisection.</summary>
    private static double ChiSquare(int freedom)
    {
        double low = freedom, high = freedom + 40 + 12 * Math.Sqrt(freedom);
        for (int step = 0; step < 100; step++)
        {
            double middle = 0.5 * (low + high);
            if (ScalarMath.GammaUpperRegularized(0.5 * freedom, 0.5 * middle) > Tail) low = middle;
            else high = middle;
        }
        return 0.5 * (low + high);
    }
}

/// <summary>How far a row is from a component.</summary>
/// <param name="Square">Squared distance: of a Gaussian Mahalanobis', else the deviance; chi-square distributed, nearly, where the row is
/// the component's.</param>
/// <param name="Values">The values measured, its degrees of freedom.</param>
public readonly record struct MeasuredDistance(double Square, int Values)
{
    /// <summary>The distance over the features of both.</summary>
    public static MeasuredDistance operator +(MeasuredDistance a, MeasuredDistance b) => new(a.Square + b.Square, a.Values + b.Values);
}
