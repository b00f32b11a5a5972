using StreamEm.Core.Data;
using StreamEm.Core.LinearAlgebra;
using StreamEm.Core.Models;

namespace StreamEm.Benchmarks;

/// <summary>Dense against sparse statistics on a block of real responsibilities.</summary>
internal sealed class SparseComparison
{
    private readonly Shape _shape;
    private readonly RowBlock _block;
    private readonly AlignedDoubles _responsibilities;
    private readonly double[] _first, _second;
    private readonly Phases _phases;

    public SparseComparison(Shape shape, double distance)
    {
        _shape = shape;
        int k = shape.Components, d = shape.Dimension;
        var data = new SyntheticMixture(d, k, distance);
        Minibatch rows = data.Draw(RowBlock.Capacity);
        _block = new RowBlock(d);
        _block.Fill(rows, 0, RowBlock.Capacity);
        var iteration = new Iteration(data, full: true);
        EStep eStep = iteration.Model.Prepare(iteration.Parameters);
        double[] byRow = new double[RowBlock.Capacity * k];
        eStep.Score(rows, 0, RowBlock.Capacity, new double[RowBlock.Capacity], byRow, eStep.CreateWorkspace());
        _responsibilities = new AlignedDoubles(k * RowBlock.Stride);
        for (int at = 0; at < byRow.Length; at++) _responsibilities.Span[at % k * RowBlock.Stride + at / k] = byRow[at];
        _first = new double[k * d];
        _second = new double[k * Packed.Length(d)];
        _phases = new Phases(d, k);
    }

    /// <summary>
    /// Active share, whether sparse statistics switch on, nanoseconds per row of both, and of everything else in an iteration.
    /// </summary>
    public (double Active, bool On, double Dense, double Sparse, double Others) Measure(double sampleSeconds)
    {
        const double Threshold = SparseWeightedSums.DefaultThreshold;
        int k = _shape.Components, d = _shape.Dimension;
        double PerRow(Action run) => Clock.Median(run, Clock.Thread, 7, sampleSeconds) / RowBlock.Capacity * 1e9;
        double dense = PerRow(() => WeightedSums.AddMomentsAndOuterProducts(_block.Columns, d, _responsibilities.Span, k, _first, _second));
        double sparse = PerRow(() =>
        {
            SparseWeightedSums.Pays(_responsibilities.Span, k, d, RowBlock.Capacity, Threshold);
            SparseWeightedSums.AddMomentsAndOuterProducts(
                _block.Rows, RowBlock.Capacity, d, _responsibilities.Span, k, Threshold, _first, _second);
        });
        int active = 0;
        for (int at = 0; at < k * RowBlock.Stride; at++) active += _responsibilities.Span[at] > Threshold ? 1 : 0;
        double rest = _phases.Transpose() + _phases.Triangular() + _phases.Normalize() + _phases.Masses();
        return ((double)active / (k * RowBlock.Capacity),
            SparseWeightedSums.Pays(_responsibilities.Span, k, d, RowBlock.Capacity, Threshold), dense, sparse, rest);
    }
}
