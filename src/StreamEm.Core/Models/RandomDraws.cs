using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Core.Models;

/// <summary>
/// Draws from the standard distributions by a seeded generator: the same seed gives the same numbers on every machine. One is made for one
/// set of parameters, of which it keeps what has to be worked out once.
/// </summary>
/// <param name="seed">The seed.</param>
public sealed class RandomDraws(ulong seed)
{
    /// <summary>From this mean on Poisson draws are by rejection: one by one they cost as many uniforms as the mean.</summary>
    private const double ManyEvents = 10;

    private readonly SplitMix64 _chance = new(seed);
    private readonly Dictionary<(object Owner, int Component), double[]> _kept = [];
    private double _spare = double.NaN;
    private double[] _latent = [];

    /// <summary>What a row adds up to, of families that are given a total: multinomial counts.</summary>
    public int Total { get; init; } = 100;

    /// <summary>Where the sequence that is drawn stands, of a model whose state is numbers; what was written last.</summary>
    internal Span<double> Latent(int dimension) => _latent.Length == dimension ? _latent : _latent = new double[dimension];

    /// <summary>Uniform in [0, 1).</summary>
    public double Uniform() => _chance.NextDouble();

    /// <summary>Standard normal, two at a time (<see cref="PolarMethod"/>).</summary>
    public double Normal()
    {
        if (!double.IsNaN(_spare))
        {
            double spare = _spare;
            _spare = double.NaN;
            return spare;
        }
        double normal;
        while (!PolarMethod.TryPair(Uniform(), Uniform(), out normal, out _spare)) { }
        return normal;
    }

    /// <summary>Exponential of mean 1.</summary>
    public double Exponential() => -ScalarMath.Log(1 - Uniform());

    /// <summary>Gamma of scale 1 (Marsaglia &amp; Tsang 2000).</summary>
    /// <param name="shape">Above 0.</param>
    public double Gamma(double shape)
    {
        if (shape < 1) return Gamma(shape + 1) * ScalarMath.Pow(1 - Uniform(), 1 / shape);
        double d = shape - 1.0 / 3, c = 1 / Math.Sqrt(9 * d);
        while (true)
        {
            double x = Normal(), v = 1 + c * x;
            if (v <= 0) continue;
            v = v * v * v;
            if (ScalarMath.Log(1 - Uniform()) < 0.5 * x * x + d * (1 - v + ScalarMath.Log(v))) return d * v;
        }
    }

    /// <summary>Poisson: by multiplication (Knuth 1969), large means by transformed rejection (Hörmann 1993, PTRS).</summary>
    /// <param name="mean">At least 0.</param>
    public double Poisson(double mean)
    {
        if (mean < ManyEvents)
        {
            double count = 0, least = ScalarMath.Exp(-mean);
            for (double product = 1 - Uniform(); product > least; product *= 1 - Uniform()) count++;
            return count;
        }
        double logMean = ScalarMath.Log(mean), b = 0.931 + 2.53 * Math.Sqrt(mean), a = -0.059 + 0.02483 * b;
        double inverse = 1.1239 + 1.1328 / (b - 3.4), accepted = 0.9277 - 3.6224 / (b - 2);
        while (true)
        {
            double u = Uniform() - 0.5, v = 1 - Uniform(), side = 0.5 - Math.Abs(u);
            double count = Math.Floor((2 * a / side + b) * u + mean + 0.43);
            if (side >= 0.07 && v <= accepted) return count;
            if (count < 0 || (side < 0.013 && v > side)) continue;
            double left = ScalarMath.Log(v) + ScalarMath.Log(inverse) - ScalarMath.Log(a / (side * side) + b);
            if (left <= count * logMean - mean - ScalarMath.LogGamma(count + 1)) return count;
        }
    }

    /// <summary>One of several, with these probabilities.</summary>
    /// <param name="probabilities">They sum to 1.</param>
    public int Category(ReadOnlySpan<double> probabilities)
    {
        double left = Uniform();
        int last = 0;
        for (int at = 0; at < probabilities.Length; at++)
        {
            if (!(probabilities[at] > 0)) continue;
            last = at;
            if ((left -= probabilities[at]) < 0) break;
        }
        return last;
    }

    /// <summary>What a model keeps from one record to those after it; zero at first.</summary>
    /// <param name="owner">The model.</param>
    /// <param name="length">How many numbers.</param>
    internal Span<double> Kept(object owner, int length)
    {
        if (!_kept.TryGetValue((owner, -1), out double[]? kept)) _kept[(owner, -1)] = kept = new double[length];
        return kept;
    }

    /// <summary>Adds a factor L of a covariance L L' times independent normals.</summary>
    /// <param name="owner">Whose covariance it is.</param>
    /// <param name="component">Of which component.</param>
    /// <param name="covariance">D x D, row-major.</param>
    /// <param name="scale">What the normals are multiplied by.</param>
    /// <param name="row">[D]; added to.</param>
    internal void AddNormals(object owner, int component, ReadOnlySpan<double> covariance, double scale, Span<double> row)
    {
        int dimension = row.Length;
        if (!_kept.TryGetValue((owner, component), out double[]? factor))
        {
            factor = new double[Packed.Length(dimension)];
            SymmetricMatrix.Pack(covariance, dimension, factor);
            if (Cholesky.Factor(factor, dimension, out _) >= 0)
                throw new ArithmeticException($"The covariance of component {component} is not positive definite.");
            _kept[(owner, component)] = factor;
        }
        for (int column = 0; column < dimension; column++)
        {
            double normal = scale * Normal();
            for (int d = column; d < dimension; d++) row[d] = Math.FusedMultiplyAdd(factor[Packed.Index(d, column)], normal, row[d]);
        }
    }
}
