using BenchmarkDotNet.Attributes;
using StreamEm.Core;
using StreamEm.Core.LinearAlgebra;

namespace StreamEm.Benchmarks;

/// <summary>Every kernel alone on one block of 256 rows, for a look at one of them after a change.</summary>
[MemoryDiagnoser]
public class MicroBenchmarks
{
    private readonly double[] _moments = new double[64 * 32], _masses = new double[32], _constants = new double[32];
    private RowBlock _block = new(1);
    private Minibatch _rows = new(1);
    private AlignedDoubles _joint = new(1), _responsibilities = new(1), _densities = new(1);
    private double[] _triangles = [], _products = [];

    /// <summary>D.</summary>
    [Params(8, 32)]
    public int Dimension { get; set; }

    /// <summary>K.</summary>
    [Params(8, 16)]
    public int Components { get; set; }

    /// <summary>One block of drawn rows.</summary>
    [GlobalSetup]
    public void SetUp()
    {
        _rows = new SyntheticMixture(Dimension, Components).Draw(RowBlock.Capacity);
        _block = new RowBlock(Dimension);
        _block.Fill(_rows, 0, RowBlock.Capacity);
        _joint = new AlignedDoubles(Components * RowBlock.Stride);
        _responsibilities = new AlignedDoubles(Components * RowBlock.Stride);
        _densities = new AlignedDoubles(RowBlock.Stride);
        LogSumExp.Normalize(_responsibilities.Span, Components, _densities.Span);
        _triangles = new double[Components * Packed.Length(Dimension)];
        _products = new double[_triangles.Length];
        Array.Fill(_triangles, 0.01);
    }

    /// <summary>Rows to lanes.</summary>
    [Benchmark]
    public void Transpose() => _block.Fill(_rows, 0, RowBlock.Capacity);

    /// <summary>Full-covariance forms.</summary>
    [Benchmark]
    public void TriangularForms() =>
        QuadraticForms.AddTriangular(_block.Columns, Dimension, Components, _triangles, _moments, _constants, _joint.Span);

    /// <summary>Diagonal forms.</summary>
    [Benchmark]
    public void DiagonalForms() => QuadraticForms.AddDiagonal(_block.Columns, Dimension, Components, _moments, _moments, _constants, _joint.Span);

    /// <summary>Normalisation of what it normalised before: values in [0, 1].</summary>
    [Benchmark]
    public void Normalize() => LogSumExp.Normalize(_responsibilities.Span, Components, _densities.Span);

    /// <summary>Full-covariance statistics.</summary>
    [Benchmark]
    public void OuterProducts() =>
        WeightedSums.AddMomentsAndOuterProducts(_block.Columns, Dimension, _responsibilities.Span, Components, _moments, _products);

    /// <summary>Component masses.</summary>
    [Benchmark]
    public void Masses() => WeightedSums.AddMasses(_responsibilities.Span, Components, _masses);
}
