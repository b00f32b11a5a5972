using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Regression;

/// <summary>
/// EM over the coefficients of a sparse regression on moments of the data G = z z', c = z y: E-step p_j = E[1 / tau_j^2 given w_j], M-step
/// (G + sigma^2 / n diag(p)) w = c. In the stable form w = D (D G D + sigma^2 / n I)^-1 D c, D = diag(p^-1/2), no number is divided by what
/// may be 0, and a zero stays one. The Laplace prior's maximum is one; where its zeros can be told from the iterations, it is found exactly
/// from its optimality conditions (Osborne, Presnell &amp; Turlach 2000).
/// </summary>
internal sealed class SparseCoefficients
{
    private const int MaxIterations = 2000;

    /// <summary>EM has ended where the coefficients move by less than this, relative to the largest.</summary>
    private const double Tolerance = 1e-12;

    /// <summary>A smaller coefficient, relative to the largest, is a zero that the iterations have not reached.</summary>
    private const double Vanishing = 1e-8;

    private readonly double[] _gram, _products, _factor, _scales, _next;
    private readonly double _rows, _penalty;
    private readonly SparsePrior _prior;
    private readonly int _first;

    /// <summary>Moments, their weight, and the prior.</summary>
    /// <param name="gram">G [P(S)].</param>
    /// <param name="products">c [S].</param>
    /// <param name="rows">n.</param>
    /// <param name="hasIntercept">Whether the first coefficient has no prior.</param>
    /// <param name="prior">Of the others.</param>
    /// <param name="penalty">gamma.</param>
    public SparseCoefficients(double[] gram, double[] products, double rows, bool hasIntercept, SparsePrior prior, double penalty)
    {
        (_gram, _products, _rows, _prior, _penalty) = (gram, products, rows, prior, penalty);
        _first = hasIntercept ? 1 : 0;
        _factor = new double[gram.Length];
        (_scales, _next) = (new double[products.Length], new double[products.Length]);
    }

    private int Size => _products.Length;

    private bool HasPrior => _prior != SparsePrior.None && double.IsFinite(_rows);

    /// <summary>Overwrites coefficients by the fixed point of EM that is reached from them, zeros moved off.</summary>
    /// <param name="noise">sigma^2.</param>
    /// <param name="w">[S].</param>
    public void Solve(double noise, Span<double> w)
    {
        if (!HasPrior)
        {
            Step(noise, w);
            return;
        }
        Leave(w);
        for (int iteration = 1; iteration <= MaxIterations; iteration++)
        {
            w.CopyTo(_next);
            Step(noise, w);
            double largest = 0, moved = 0;
            for (int j = 0; j < w.Length; j++)
            {
                largest = Math.Max(largest, Math.Abs(w[j]));
                moved = Math.Max(moved, Math.Abs(w[j] - _next[j]));
            }
            bool isDone = !(moved > Tolerance * largest);
            if (_prior == SparsePrior.Laplace && (isDone || iteration % 8 == 0) && TryFinish(noise, w)) return;
            if (isDone) break;
        }
        if (_prior != SparsePrior.Student) Drop(w);
    }

    /// <summary>One iteration of EM.</summary>
    public void Step(double noise, Span<double> w)
    {
        double ridge = HasPrior ? noise / _rows : 0;
        for (int j = 0; j < Size; j++)
            _scales[j] = HasPrior && j >= _first ? w[j] == 0 && _prior != SparsePrior.Student ? 0
                : 1 / Math.Sqrt(ScaleMixture.Precision(_prior, _penalty, w[j])) : 1;
        for (int i = 0, at = 0; i < Size; i++)
            for (int j = 0; j <= i; j++, at++)
                _factor[at] = _scales[i] * _scales[j] * _gram[at] + (i == j && i >= _first ? ridge : 0);
        Cholesky.FactorRaised(_factor, Size);
        for (int j = 0; j < Size; j++) w[j] = _scales[j] * _products[j];
        Cholesky.Solve(_factor, Size, w);
        for (int j = 0; j < Size; j++) w[j] *= _scales[j];
    }

    /// <summary>|y - Z w|^2 / n.</summary>
    /// <param name="square">y^2.</param>
    /// <param name="w">[S].</param>
    public double Residual(double square, ReadOnlySpan<double> w)
    {
        double sum = square;
        for (int i = 0; i < w.Length; i++) sum = Math.FusedMultiplyAdd(w[i], Gradient(i, w) - _products[i], sum);
        return Math.Max(0, sum);
    }

    /// <summary>(G w - c)_i.</summary>
    private double Gradient(int i, ReadOnlySpan<double> w)
    {
        double sum = -_products[i];
        for (int j = 0; j < w.Length; j++)
            sum = Math.FusedMultiplyAdd(_gram[Packed.Index(Math.Max(i, j), Math.Min(i, j))], w[j], sum);
        return sum;
    }

    /// <summary>Moves zeros off, in the direction that the data pull: a zero would stay one.</summary>
    private void Leave(Span<double> w)
    {
        w.CopyTo(_next);
        for (int j = _first; j < Size; j++)
        {
            if (w[j] != 0) continue;
            double own = _gram[Packed.Index(j, j)], pull = own > 0 ? -Gradient(j, _next) / own : 0;
            w[j] = pull == 0 ? 1e-12 : 0.1 * pull;
        }
    }

    /// <summary>Makes what has vanished zero.</summary>
    private static void Drop(Span<double> w)
    {
        double largest = 0;
        foreach (double value in w) largest = Math.Max(largest, Math.Abs(value));
        foreach (ref double value in w)
            if (Math.Abs(value) < Vanishing * largest) value = 0;
    }

    /// <summary>
    /// The LASSO's solution with the signs that the coefficients have and zeros where they are small, if the optimality conditions hold: of
    /// the others G w = c - (gamma sigma^2 / n) sign(w), and |c - G w| at most that where w is 0.
    /// </summary>
    private bool TryFinish(double noise, Span<double> w)
    {
        double largest = 0, pull = _penalty * noise / _rows;
        for (int j = _first; j < Size; j++) largest = Math.Max(largest, Math.Abs(w[j]));
        for (double least = 1e-1; least >= 1e-12; least *= 1e-1)
            if (TryActive(least * largest, pull, w)) return true;
        return false;
    }

    private bool TryActive(double least, double pull, Span<double> w)
    {
        int[] active = new int[Size];
        int count = 0;
        for (int j = 0; j < Size; j++)
            if (j < _first || Math.Abs(w[j]) > least) active[count++] = j;
        Span<double> found = new double[count], factor = new double[Packed.Length(count)];
        for (int a = 0, at = 0; a < count; a++)
        {
            found[a] = _products[active[a]] - (active[a] < _first ? 0 : pull * Math.Sign(w[active[a]]));
            for (int b = 0; b <= a; b++, at++) factor[at] = _gram[Packed.Index(active[a], active[b])];
        }
        if (Cholesky.Factor(factor, count, out _) >= 0) return false;
        Cholesky.Solve(factor, count, found);
        Array.Clear(_next);
        for (int a = 0; a < count; a++)
        {
            if (active[a] >= _first && Math.Sign(found[a]) != Math.Sign(w[active[a]])) return false;
            _next[active[a]] = found[a];
        }
        for (int j = _first; j < Size; j++)
            if (_next[j] == 0 && Math.Abs(Gradient(j, _next)) > pull * (1 + 1e-9)) return false;
        _next.CopyTo(w);
        return true;
    }
}
