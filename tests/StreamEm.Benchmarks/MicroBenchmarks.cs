using BenchmarkDotNet.Attributes;
using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Benchmarks;

/// <summary>Every kernel alone on one block of 256 rows, for a look at one of them after a change.</summary>
[MemoryDiagnoser(displayGenColumns: false)]
public class MicroBenchmarks
{
    private RowBlock _block = new(1);
    private Minibatch _rows = new(1);
    private RowScaling _scaling = new([0], [1], 1);
    private AlignedDoubles _joint = new(1), _responsibilities = new(1), _densities = new(1);
    private double[] _triangles = [], _products = [], _moments = [], _squares = [], _masses = [], _constants = [], _scaled = [];
    private int _dimension, _components;

    /// <summary>(D,K).</summary>
    [Params("(8,8)", "(32,16)")]
    public string Shape { get; set; } = "(8,8)";

    /// <summary>One block of drawn rows.</summary>
    [GlobalSetup]
    public void SetUp()
    {
        (_dimension, _components) = Shape == "(8,8)" ? (8, 8) : (32, 16);
        _rows = new SyntheticMixture(_dimension, _components).Draw(RowBlock.Capacity);
        _block = new RowBlock(_dimension);
        _block.Fill(_rows, 0, RowBlock.Capacity);
        double[] ones = new double[_dimension];
        Array.Fill(ones, 1);
        _scaling = new RowScaling(new double[_dimension], ones, 1e100);
        _scaled = new double[_dimension * RowBlock.Capacity];
        _joint = new AlignedDoubles(_components * RowBlock.Stride);
        _responsibilities = new AlignedDoubles(_components * RowBlock.Stride);
        _densities = new AlignedDoubles(RowBlock.Stride);
        LogSumExp.Normalize(_responsibilities.Span, _components, _densities.Span);
        _triangles = new double[_components * Packed.Length(_dimension)];
        _products = new double[_triangles.Length];
        (_moments, _squares) = (new double[_components * _dimension], new double[_components * _dimension]);
        (_masses, _constants) = (new double[_components], new double[_components]);
        Array.Fill(_triangles, 0.01);
    }

    /// <summary>Rows to standardised units.</summary>
    [Benchmark]
    public bool Standardize() => _scaling.Apply(_rows.Values, _scaled);

    /// <summary>Rows to lanes.</summary>
    [Benchmark]
    public void Transpose() => _block.Fill(_rows, 0, RowBlock.Capacity);

    /// <summary>Full-covariance forms.</summary>
    [Benchmark]
    public void TriangularForms() =>
        QuadraticForms.AddTriangular(_block.Columns, _dimension, _components, _triangles, _moments, _constants, _joint.Span);

    /// <summary>Diagonal forms.</summary>
    [Benchmark]
    public void DiagonalForms() =>
        QuadraticForms.AddDiagonal(_block.Columns, _dimension, _components, _triangles, _moments, _constants, _joint.Span);

    /// <summary>Normalisation of what it normalised before: values in [0, 1].</summary>
    [Benchmark]
    public void Normalize() => LogSumExp.Normalize(_responsibilities.Span, _components, _densities.Span);

    /// <summary>Full-covariance statistics.</summary>
    [Benchmark]
    public void OuterProducts() =>
        WeightedSums.AddMomentsAndOuterProducts(_block.Columns, _dimension, _responsibilities.Span, _components, _squares, _products);

    /// <summary>Diagonal statistics.</summary>
    [Benchmark]
    public void Squares() =>
        WeightedSums.AddMomentsAndSquares(_block.Columns, _dimension, _responsibilities.Span, _components, _squares, _products);

    /// <summary>Component masses.</summary>
    [Benchmark]
    public void Masses() => WeightedSums.AddMasses(_responsibilities.Span, _components, _masses);

    /// <summary>The sketch's bins of log-densities.</summary>
    [Benchmark]
    public void Bins() => SignedLog.Bins(_densities.Span[..RowBlock.Capacity], 3, 256, 40 * 256, _scaled);
}
