using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models.Hierarchies;

/// <summary>
/// EM over moments of the data for mu, tau^2 and omega^2 (Dempster, Rubin &amp; Tsutakawa 1981): the posterior of (theta, eta) is normal
/// with precision P = n A + diag(1 / tau^2, 1 / omega^2), A the moments' precisions, and mean P^-1 (n b + mu / tau^2). M-step: mu = mean of
/// E[theta], tau^2 = mean of (E[theta] - mu)^2 + Var[theta] over the groups that have estimates, omega^2 = mean of E[eta]^2 + Var[eta].
/// </summary>
internal ref struct GroupPosterior
{
    private const int MaxIterations = 200;
    private const double Tolerance = 1e-10;

    private readonly int _groups, _houses;
    private readonly ReadOnlySpan<double> _statistics;
    private readonly double _records;
    private readonly double[] _factor, _effects, _variances, _ofHouses;

    /// <summary>Moments that stand for so many records.</summary>
    public GroupPosterior(int groups, int houses, ReadOnlySpan<double> statistics, double records)
    {
        (_groups, _houses, _records) = (groups, houses, records);
        _statistics = statistics;
        int all = groups + houses;
        (_factor, _effects, _variances) = (new double[Packed.Length(all)], new double[all], new double[all]);
        _ofHouses = new double[Packed.Length(houses)];
    }

    /// <summary>mu, from where EM starts; then where it ends.</summary>
    public double Mean { get; set; }

    /// <summary>tau^2.</summary>
    public double Variance { get; set; }

    /// <summary>omega^2.</summary>
    public double HouseVariance { get; set; }

    /// <summary>What variances are kept above.</summary>
    public double Floor { get; init; }

    /// <summary>What the maximum likelihood tau^2 is multiplied by.</summary>
    public double Widening { get; init; }

    /// <summary>Whether tau^2 is what it is kept above.</summary>
    public bool IsFloored { get; private set; }

    /// <summary>Iterates until the variances stay, and leaves the posterior under them.</summary>
    public void Run()
    {
        for (int iteration = 0; iteration < MaxIterations; iteration++)
        {
            Expect();
            (double variance, double house) = (Variance, HouseVariance);
            Maximize();
            if (Math.Abs(Variance - variance) <= Tolerance * variance && Math.Abs(HouseVariance - house) <= Tolerance * house) break;
        }
        Expect();
    }

    /// <summary>Writes the posterior's mean and covariance.</summary>
    public readonly void Write(Span<double> effects, Span<double> covariance)
    {
        int all = _effects.Length;
        _effects.CopyTo(effects);
        for (int i = 0; i < all; i++)
            for (int j = 0; j <= i; j++)
            {
                double sum = 0;
                for (int n = i; n < all; n++)
                    sum = Math.FusedMultiplyAdd(_factor[Packed.Index(n, i)], _factor[Packed.Index(n, j)], sum);
                covariance[i * all + j] = covariance[j * all + i] = sum;
            }
    }

    /// <summary>The moments under which a posterior is this one.</summary>
    public static void Imply(
        int groups, int houses, ReadOnlySpan<double> effects, ReadOnlySpan<double> covariance, double mean, double variance,
        double houseVariance, double records, Span<double> result)
    {
        int all = groups + houses;
        double[] factor = new double[Packed.Length(all)], precision = new double[all * all];
        SymmetricMatrix.Pack(covariance, all, factor);
        if (Cholesky.Factor(factor, all, out double pivot) >= 0)
            throw new ArithmeticException(FormattableString.Invariant($"The covariance is not positive definite (pivot {pivot:R})."));
        Cholesky.InvertLower(factor, all);
        for (int i = 0; i < all; i++)
            for (int j = 0; j < all; j++)
                for (int n = Math.Max(i, j); n < all; n++)
                    precision[i * all + j] =
                        Math.FusedMultiplyAdd(factor[Packed.Index(n, i)], factor[Packed.Index(n, j)], precision[i * all + j]);
        for (int i = 0; i < all; i++)
        {
            double prior = i < groups ? 1 / variance : 1 / houseVariance, product = i < groups ? -mean / variance : 0;
            for (int j = 0; j < all; j++) product = Math.FusedMultiplyAdd(precision[i * all + j], effects[j], product);
            result[i] = Math.Max(0, precision[i * (all + 1)] - prior) / records;
            result[all + i] = product / records;
            for (int h = 0; i < groups && h < houses; h++) result[2 * all + i * houses + h] = precision[i * all + groups + h] / records;
        }
    }

    /// <summary>The posterior under the variances there are; its precision's inverse factor stays.</summary>
    private readonly void Expect()
    {
        int all = _effects.Length;
        Array.Clear(_factor);
        for (int i = 0; i < all; i++)
        {
            double prior = i < _groups ? 1 / Variance : 1 / HouseVariance;
            _factor[Packed.Index(i, i)] = Math.FusedMultiplyAdd(_records, _statistics[i], prior);
            _effects[i] = Math.FusedMultiplyAdd(_records, _statistics[all + i], i < _groups ? Mean * prior : 0);
        }
        for (int h = 0; h < _houses; h++)
            for (int g = 0; g < _groups; g++)
                _factor[Packed.Index(_groups + h, g)] = _records * _statistics[2 * all + g * _houses + h];
        Invert();
        Solve();
    }

    /// <summary>
    /// The inverse factor of the precision, whose part of the groups is diagonal, in O(G H^2). With P = [D B'; B C] and S S' = C - B D^-1 B',
    /// L = [D^1/2 0; B D^-1/2 S] and L^-1 = [D^-1/2 0; -S^-1 B D^-1 S^-1].
    /// </summary>
    private readonly void Invert()
    {
        for (int g = 0; g < _groups; g++)
        {
            double root = Math.Sqrt(_factor[Packed.Index(g, g)]);
            _factor[Packed.Index(g, g)] = 1 / root;
            for (int h = _groups; h < _effects.Length; h++) _factor[Packed.Index(h, g)] /= root;
        }
        for (int i = 0; i < _houses; i++)
            for (int j = 0; j <= i; j++)
            {
                ReadOnlySpan<double> a = _factor.AsSpan(Packed.Index(_groups + i, 0), _groups),
                    b = _factor.AsSpan(Packed.Index(_groups + j, 0), _groups);
                double sum = _factor[Packed.Index(_groups + i, _groups + j)];
                for (int g = 0; g < _groups; g++) sum = Math.FusedMultiplyAdd(-a[g], b[g], sum);
                _ofHouses[Packed.Index(i, j)] = sum;
            }
        if (_houses == 0) return;
        if (Cholesky.Factor(_ofHouses, _houses, out double pivot) >= 0)
            throw new ArithmeticException(
                FormattableString.Invariant($"The precision of groups and houses is not positive definite (pivot {pivot:R})."));
        Cholesky.InvertLower(_ofHouses, _houses);
        // From the last house up, so that those before it still have what is multiplied.
        for (int i = _houses - 1; i >= 0; i--)
        {
            Span<double> row = _factor.AsSpan(Packed.Index(_groups + i, 0), _groups + i + 1);
            for (int g = 0; g < _groups; g++)
            {
                double sum = 0;
                for (int j = 0; j <= i; j++)
                    sum = Math.FusedMultiplyAdd(_ofHouses[Packed.Index(i, j)], _factor[Packed.Index(_groups + j, g)], sum);
                row[g] = -sum * _factor[Packed.Index(g, g)];
            }
            _ofHouses.AsSpan(Packed.Index(i, 0), i + 1).CopyTo(row[_groups..]);
        }
    }

    /// <summary>M = L^-1: effects = M' M b; variances = column sums of squares of M.</summary>
    private readonly void Solve()
    {
        int all = _effects.Length;
        for (int i = all - 1; i >= 0; i--)
        {
            double sum = 0;
            for (int j = 0; j <= i; j++) sum = Math.FusedMultiplyAdd(_factor[Packed.Index(i, j)], _effects[j], sum);
            _effects[i] = sum;
        }
        Array.Clear(_variances);
        for (int i = 0; i < all; i++)
        {
            double sum = 0;
            for (int n = i; n < all; n++)
            {
                double entry = _factor[Packed.Index(n, i)];
                sum = Math.FusedMultiplyAdd(entry, _effects[n], sum);
                _variances[i] = Math.FusedMultiplyAdd(entry, entry, _variances[i]);
            }
            _effects[i] = sum;
        }
    }

    private void Maximize()
    {
        int known = 0;
        double sum = 0, square = 0;
        for (int g = 0; g < _groups; g++)
            if (_statistics[g] > 0) (known, sum) = (known + 1, sum + _effects[g]);
        Mean = sum / known;
        for (int g = 0; g < _groups; g++)
            if (_statistics[g] > 0) square += (_effects[g] - Mean) * (_effects[g] - Mean) + _variances[g];
        // One group says nothing of how groups differ.
        if (known > 1)
        {
            double variance = Widening * square / known;
            (Variance, IsFloored) = (Math.Max(variance, Floor), variance < Floor);
        }
        known = 0;
        square = 0;
        for (int h = _groups; h < _groups + _houses; h++)
            if (_statistics[h] > 0) (known, square) = (known + 1, square + _effects[h] * _effects[h] + _variances[h]);
        if (known > 1) HouseVariance = Math.Max(square / known, Floor);
    }
}
