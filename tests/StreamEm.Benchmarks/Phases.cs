using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Benchmarks;

/// <summary>Nanoseconds per row of every kernel on one block in cache: where an iteration's time goes.</summary>
internal sealed class Phases
{
    private readonly int _dimension, _components;
    private readonly RowBlock _block;
    private readonly Minibatch _rows;
    private readonly AlignedDoubles _joint, _responsibilities, _densities;
    private readonly double[] _triangles, _biases, _constants, _first, _second, _masses, _factors;

    public Phases(int dimension, int components)
    {
        (_dimension, _components) = (dimension, components);
        var data = new SyntheticMixture(dimension, components);
        _rows = data.Draw(RowBlock.Capacity);
        _block = new RowBlock(dimension);
        _block.Fill(_rows, 0, RowBlock.Capacity);
        var random = new Random(1);
        double[] Draw(int length, double from, double to) =>
            Enumerable.Range(0, length).Select(_ => from + (to - from) * random.NextDouble()).ToArray();
        _triangles = Draw(components * Packed.Length(dimension), -0.1, 0.1);
        _factors = Draw(components * dimension, 0.9, 1.1);
        _biases = Draw(components * dimension, -1, 1);
        _constants = Draw(components, -1, 0);
        _joint = new AlignedDoubles(components * RowBlock.Stride);
        _responsibilities = new AlignedDoubles(_joint.Length);
        _densities = new AlignedDoubles(RowBlock.Stride);
        Draw(_joint.Length, -20, 0).CopyTo(_responsibilities.Span);
        LogSumExp.Normalize(_responsibilities.Span, components, _densities.Span);
        _first = new double[components * dimension];
        _second = new double[components * Packed.Length(dimension)];
        _masses = new double[components];
    }

    /// <summary>
    /// Floating-point operations per row of the full-covariance E-step, the form and its square; the statistics have as many again.
    /// </summary>
    public double FullFlops => (double)_components * (_dimension * _dimension + 3 * _dimension);

    /// <summary>The same for diagonal covariances.</summary>
    public double DiagonalFlops => 4.0 * _components * _dimension;

    public double Transpose() => PerRow(() => _block.Fill(_rows, 0, RowBlock.Capacity));

    public double Triangular() =>
        PerRow(() => QuadraticForms.AddTriangular(_block.Columns, _dimension, _components, _triangles, _biases, _constants, _joint.Span));

    public double Diagonal() =>
        PerRow(() => QuadraticForms.AddDiagonal(_block.Columns, _dimension, _components, _factors, _biases, _constants, _joint.Span));

    /// <summary>Log-sum-exp, on fresh log-densities every time; their copy is timed apart and taken off.</summary>
    public double Normalize()
    {
        double[] fresh = [.. Enumerable.Range(0, _joint.Length).Select(i => -20.0 * ((i * 7919) % 1000) / 1000)];
        double copy = PerRow(() => fresh.CopyTo(_joint.Span));
        return PerRow(() =>
        {
            fresh.CopyTo(_joint.Span);
            LogSumExp.Normalize(_joint.Span, _components, _densities.Span);
        }) - copy;
    }

    public double Masses() => PerRow(() => WeightedSums.AddMasses(_responsibilities.Span, _components, _masses));

    public double OuterProducts() =>
        PerRow(() =>
            WeightedSums.AddMomentsAndOuterProducts(_block.Columns, _dimension, _responsibilities.Span, _components, _first, _second));

    public double Squares() =>
        PerRow(() => WeightedSums.AddMomentsAndSquares(_block.Columns, _dimension, _responsibilities.Span, _components, _first, _second));

    /// <summary>Microseconds to factor one covariance and to invert the factor; the copy of the covariance is in it.</summary>
    public double Factor()
    {
        double[] covariance = new double[Packed.Length(_dimension)], packed = new double[covariance.Length];
        for (int i = 0; i < _dimension; i++)
            for (int j = 0; j <= i; j++) covariance[Packed.Index(i, j)] = i == j ? 1 : 0.5 / _dimension;
        return 1e6 * Clock.Median(
            () =>
            {
                covariance.CopyTo(packed, 0);
                if (Cholesky.Factor(packed, _dimension, out _) >= 0)
                    throw new InvalidOperationException("The covariance is positive definite.");
                Cholesky.InvertLower(packed, _dimension);
            },
            Clock.Thread, 7, 0.03);
    }

    private static double PerRow(Action kernel) => Clock.Median(kernel, Clock.Thread, 7, 0.03) / RowBlock.Capacity * 1e9;
}
